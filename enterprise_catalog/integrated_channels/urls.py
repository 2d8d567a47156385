"""What learning systems ask of us."""

from __future__ import annotations

from django.urls import path

from enterprise_catalog.integrated_channels.feeds import VIEWS

urlpatterns = [path(place, view) for place, view in VIEWS.items()]
