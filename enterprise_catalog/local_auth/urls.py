"""``/oauth2/access_token``, the path that Open edX's clients expect."""

from django.urls import path

from enterprise_catalog.local_auth.views import LimitedTokenView

app_name = "local_auth"

urlpatterns = [path("access_token", LimitedTokenView.as_view(), name="access-token")]
