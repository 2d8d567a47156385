"""URLs that LMSs request (feeds and tokens), and that they redirect users to (authorization)."""

from __future__ import annotations

from django.urls import path

from enterprise_catalog.integrated_channels.access import consent
from enterprise_catalog.integrated_channels.feed.views import VIEWS

urlpatterns = [
    path("authorize/<int:pk>/", consent.authorize, name="channel-consent"),
    path("oauth-complete/", consent.complete, name="channel-consent-complete"),
    *(path(route, view) for route, view in VIEWS.items()),
]
