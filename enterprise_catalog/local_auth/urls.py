"""``/oauth2/access_token``, where Open edX's clients expect it."""

from django.urls import path
from oauth2_provider.views import TokenView

app_name = "local_auth"

urlpatterns = [path("access_token", TokenView.as_view(), name="access-token")]
