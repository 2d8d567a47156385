"""The catalog's reads that are used more than once, as chainable QuerySet methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from enterprise_catalog.catalog.models import (  # The base classes name these as strings.
        CatalogMembership,
        ContentMetadata,
        EnterpriseCatalog,
    )

#: The most values in one ``IN (…)``. SQLite rejects more than 32,766 variables; long lists increase planning time.
KEYS_PER_STATEMENT = 1_000


class EnterpriseCatalogQuerySet(models.QuerySet["EnterpriseCatalog"]):
    """Reads of catalogs."""

    def with_parts(self) -> EnterpriseCatalogQuerySet:
        """Also load the customer and the query, in the same statement."""
        return self.select_related("catalog_query", "enterprise_customer")

    def of_customers(self, customers: Collection[UUID]) -> EnterpriseCatalogQuerySet:
        """Keep the catalogs of the customers with these UUIDs."""
        return self.filter(enterprise_customer_id__in=customers)


class ContentMetadataQuerySet(models.QuerySet["ContentMetadata"]):
    """Reads of content items."""

    def with_keys(self, keys: Iterable[str]) -> ContentMetadataQuerySet:
        """Keep the items with these keys; at most :data:`KEYS_PER_STATEMENT` keys."""
        return self.filter(content_key__in=keys)


class MembershipQuerySet(models.QuerySet["CatalogMembership"]):
    """Reads of memberships."""

    def in_key_order(self) -> MembershipQuerySet:
        """Order by key, in code-point order, which is the order of the index."""
        return self.order_by("content_key")
