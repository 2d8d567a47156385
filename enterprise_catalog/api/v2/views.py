"""The views of version 1, with the restricted runs that a catalog's query allows. The shapes are the same."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from enterprise_catalog.api.v1.views.containment import CatalogContainmentView, CustomerContainmentView


@extend_schema_view(get=extend_schema(operation_id="catalog_contains_content_items_v2"))
class CatalogContainmentViewV2(CatalogContainmentView):
    """One catalog, with restricted runs."""

    with_restricted = True


@extend_schema_view(get=extend_schema(operation_id="customer_contains_content_items_v2"))
class CustomerContainmentViewV2(CustomerContainmentView):
    """All catalogs of one customer, with restricted runs."""

    with_restricted = True
