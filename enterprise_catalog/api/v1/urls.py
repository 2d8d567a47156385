"""The URLs of version 1. They are fixed by the contract. A catalog that is not a UUID results in a 404."""

from django.urls import path, register_converter

from enterprise_catalog.api.v1.views.catalogs import CatalogDetailView, CatalogListView, RefreshMetadataView
from enterprise_catalog.api.v1.views.changes import CatalogChangesView, ContentChangesView
from enterprise_catalog.api.v1.views.compatibility import GenerateDiffView, GetContentMetadataView
from enterprise_catalog.api.v1.views.containment import CatalogContainmentView, CustomerContainmentView, FilterView
from enterprise_catalog.api.v1.views.content_diff import ContentDiffView
from enterprise_catalog.api.v1.views.content_metadata import ContentMetadataView
from enterprise_catalog.api.v1.views.documents import CustomerDocumentView, PlainDocumentListView, PlainDocumentView
from enterprise_catalog.api.v1.views.queries import (
    DistinctQueriesView,
    FilterHashView,
    QueryByHashView,
    QueryDetailView,
    QueryListView,
)
from enterprise_catalog.api.v1.views.search import ContentLookupView, CustomerSearchView
from enterprise_catalog.api.v1.views.unavailable import BadCustomerView, NotUUIDConverter, SearchKeyView

app_name = "v1"

register_converter(NotUUIDConverter, "not_uuid")

_CATALOG = "enterprise-catalogs/<uuid:uuid>/"
_CUSTOMER = "enterprise-customer/<uuid:customer_uuid>/"

urlpatterns = [
    # The first pattern is found soonest.
    path(f"{_CATALOG}content-diff/", ContentDiffView.as_view(), name="content-diff"),
    path("catalog-changes/", CatalogChangesView.as_view(), name="catalog-changes"),
    path("catalog-queries/", QueryListView.as_view(), name="query-list"),
    path("catalog-queries/<int:pk>/", QueryDetailView.as_view(), name="query-detail"),
    path("catalog-queries/get_query_by_hash", QueryByHashView.as_view(), name="query-by-hash"),
    path("catalog-queries/get_query_by_hash/", QueryByHashView.as_view(schema=None)),
    path("catalog-queries/get_content_filter_hash", FilterHashView.as_view(), name="filter-hash"),
    path("catalog-queries/get_content_filter_hash/", FilterHashView.as_view(schema=None)),
    path("content-lookup/", ContentLookupView.as_view(), name="content-lookup"),
    path("enterprise-customers/", CustomerSearchView.as_view(), name="customer-search"),
    path("distinct-catalog-queries/", DistinctQueriesView.as_view(), name="distinct-queries"),
    path("enterprise-catalogs/", CatalogListView.as_view(), name="catalog-list"),
    path(_CATALOG, CatalogDetailView.as_view(), name="catalog-detail"),
    path(f"{_CATALOG}content-changes/", ContentChangesView.as_view(), name="content-changes"),
    path(f"{_CATALOG}content-metadata/", ContentMetadataView.as_view(), name="content-metadata"),
    path(f"{_CATALOG}contains_content_items/", CatalogContainmentView.as_view(), name="catalog-contains"),
    path(f"{_CUSTOMER}contains_content_items/", CustomerContainmentView.as_view(), name="customer-contains"),
    path(f"{_CUSTOMER}filter_content_items/", FilterView.as_view(), name="customer-filter"),
    path(f"{_CUSTOMER}content-metadata/<path:identifier>", CustomerDocumentView.as_view(), name="customer-document"),
    path(f"{_CUSTOMER}secured-algolia-api-key/", SearchKeyView.as_view()),
    path("enterprise-customer/<not_uuid:customer>/<path:rest>", BadCustomerView.as_view()),
    path("content-metadata/", PlainDocumentListView.as_view(), name="document-list"),
    path("content-metadata/<path:identifier>", PlainDocumentView.as_view(), name="document"),
    # Open edX's callers omit the final slash, its documentation includes it. The schema shows the form without a slash.
    path(f"{_CATALOG}generate_diff", GenerateDiffView.as_view(), name="generate-diff"),
    path(f"{_CATALOG}generate_diff/", GenerateDiffView.as_view(schema=None)),
    path(f"{_CATALOG}refresh_metadata", RefreshMetadataView.as_view(), name="refresh-metadata"),
    path(f"{_CATALOG}refresh_metadata/", RefreshMetadataView.as_view(schema=None)),
    path(f"{_CATALOG}get_content_metadata", GetContentMetadataView.as_view(), name="get-content-metadata"),
    path(f"{_CATALOG}get_content_metadata/", GetContentMetadataView.as_view(schema=None)),
]
