"""The URLs of the OpenAPI schema and of the interactive documentation, for the APIs that this deployment runs."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # DRF's response to OPTIONS is data, which the page's template cannot display.
    path("api-docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None), name="api-docs"),
]
