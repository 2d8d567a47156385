"""URLs that all APIs share: the OpenAPI schema, the interactive documentation, and CSRF tokens."""

from csrf.api.v1.views import CsrfTokenView
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # DRF's response to OPTIONS is data, which the page's template cannot display.
    path("api-docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None), name="api-docs"),
    # The address at which Open edX's portals fetch the token that they send with a POST.
    path("csrf/api/v1/token", CsrfTokenView.as_view(schema=None), name="csrf-token"),
]
