"""The API's URLs: its versions."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("enterprise_catalog.api.v1.urls")),
    path("api/v2/", include("enterprise_catalog.api.v2.urls")),
]
