"""The catalog's reads that are used more than once. They chain, and their names are those of the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from enterprise_catalog.catalog.models import (  # Named as text by the base classes.
        CatalogMembership,  # noqa: F401
        ContentMetadata,  # noqa: F401
        EnterpriseCatalog,  # noqa: F401
    )

#: How many values one ``IN (…)`` may hold: SQLite refuses more than 32,766 variables; long lists cost planning time.
KEYS_PER_STATEMENT = 1_000


class EnterpriseCatalogQuerySet(models.QuerySet["EnterpriseCatalog"]):
    """Catalogs."""

    def with_parts(self) -> EnterpriseCatalogQuerySet:
        """With the customer and the query in the same statement."""
        return self.select_related("catalog_query", "enterprise_customer")

    def of_customers(self, customers: Collection[UUID]) -> EnterpriseCatalogQuerySet:
        """Only those of the customers with these UUIDs."""
        return self.filter(enterprise_customer_id__in=customers)


class ContentMetadataQuerySet(models.QuerySet["ContentMetadata"]):
    """Content."""

    def with_keys(self, keys: Iterable[str]) -> ContentMetadataQuerySet:
        """Only those with these keys; at most :data:`KEYS_PER_STATEMENT` of them."""
        return self.filter(content_key__in=keys)


class MembershipQuerySet(models.QuerySet["CatalogMembership"]):
    """Memberships."""

    def in_key_order(self) -> MembershipQuerySet:
        """By key, in code-point order; the order of the index."""
        return self.order_by("content_key")
