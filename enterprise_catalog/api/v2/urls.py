"""The URLs of version 2. They are fixed by the callers, which are those of Open edX."""

from django.urls import path

from enterprise_catalog.api.v1.views.unavailable import BadCustomerView
from enterprise_catalog.api.v2.views import (
    CatalogContainmentViewV2,
    CustomerContainmentViewV2,
    CustomerDocumentViewV2,
    FilterViewV2,
    GetContentMetadataViewV2,
)

app_name = "v2"

_CATALOG = "enterprise-catalogs/<uuid:uuid>/"
_CUSTOMER = "enterprise-customer/<uuid:customer_uuid>/"

urlpatterns = [
    path(f"{_CATALOG}contains_content_items/", CatalogContainmentViewV2.as_view(), name="catalog-contains"),
    path(f"{_CUSTOMER}contains_content_items/", CustomerContainmentViewV2.as_view(), name="customer-contains"),
    path(f"{_CUSTOMER}filter_content_items/", FilterViewV2.as_view(), name="customer-filter"),
    path(f"{_CUSTOMER}content-metadata/<path:identifier>", CustomerDocumentViewV2.as_view(), name="customer-document"),
    path("enterprise-customer/<not_uuid:customer>/<path:rest>", BadCustomerView.as_view()),
    path(f"{_CATALOG}get_content_metadata", GetContentMetadataViewV2.as_view(), name="get-content-metadata"),
    path(f"{_CATALOG}get_content_metadata/", GetContentMetadataViewV2.as_view(schema=None)),
]
