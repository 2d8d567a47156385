"""The views of version 1, with the restricted runs that a catalog's query allows. The shapes are the same."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from enterprise_catalog.api.v1.views.compatibility import GetContentMetadataView
from enterprise_catalog.api.v1.views.containment import CatalogContainmentView, CustomerContainmentView, FilterView
from enterprise_catalog.api.v1.views.documents import CustomerDocumentView


@extend_schema_view(get=extend_schema(operation_id="catalog_contains_content_items_v2"))
class CatalogContainmentViewV2(CatalogContainmentView):
    """One catalog, with restricted runs."""

    with_restricted = True


@extend_schema_view(get=extend_schema(operation_id="customer_contains_content_items_v2"))
class CustomerContainmentViewV2(CustomerContainmentView):
    """All catalogs of one customer, with restricted runs."""

    with_restricted = True


@extend_schema_view(get=extend_schema(operation_id="get_content_metadata_v2"))
class GetContentMetadataViewV2(GetContentMetadataView):
    """Documents in numbered pages, with restricted runs."""

    with_restricted = True


@extend_schema_view(get=extend_schema(operation_id="customer_content_metadata_v2"))
class CustomerDocumentViewV2(CustomerDocumentView):
    """One document, as the customer's catalogs serve it, with restricted runs."""

    with_restricted = True


@extend_schema_view(post=extend_schema(operation_id="filter_content_items_v2"))
class FilterViewV2(FilterView):
    """The keys that the customer's catalogs have, with restricted runs."""

    with_restricted = True
