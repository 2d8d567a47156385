"""The API's URLs: its versions, its schema, and the interactive documentation."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("api/v1/", include("enterprise_catalog.api.v1.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # DRF's response to OPTIONS is data, which the page's template cannot display.
    path("api-docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None), name="api-docs"),
]
