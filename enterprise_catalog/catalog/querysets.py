"""The catalog's reads that are used more than once, as chainable QuerySet methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower

from enterprise_catalog.db.content_keys import LAST_CHARACTER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from uuid import UUID

    from enterprise_catalog.catalog.models import (  # The base classes name these as strings.
        CatalogMembership,
        ContentMetadata,
        EnterpriseCatalog,
        EnterpriseCustomer,
    )

T = TypeVar("T")

#: The most values in one ``IN (…)``. SQLite rejects more than 32,766 variables; long lists increase planning time.
KEYS_PER_STATEMENT = 1_000


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values in parts of at most :data:`KEYS_PER_STATEMENT`."""
    return (values[start : start + KEYS_PER_STATEMENT] for start in range(0, len(values), KEYS_PER_STATEMENT))


def _starts_with(column: str, beginning: str) -> Q:
    """Return the condition that a column of lower-case text starts with ``beginning``: a range of its index."""
    return Q(
        (f"{column}__gte", Lower(Value(beginning))),
        (f"{column}__lt", Lower(Value(beginning + LAST_CHARACTER))),
    )


class EnterpriseCustomerQuerySet(models.QuerySet["EnterpriseCustomer"]):
    """Reads of customers."""

    def named(self, beginning: str) -> EnterpriseCustomerQuerySet:
        """Keep the customers whose name starts with ``beginning``, in any case; ascending by name."""
        return self.filter(_starts_with("search_name", beginning)).order_by("search_name")


class EnterpriseCatalogQuerySet(models.QuerySet["EnterpriseCatalog"]):
    """Reads of catalogs."""

    def existing(self) -> EnterpriseCatalogQuerySet:
        """Keep the catalogs that have not been deleted."""
        return self.filter(deleted_at=None)

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

    def with_similar_keys(self, keys: Iterable[str]) -> ContentMetadataQuerySet:
        """Keep the items whose keys differ from ``keys`` at most in case and outer spaces; ascending by key."""
        return self.filter(search_key__in=[Lower(Value(key)) for key in keys]).order_by("search_key", "content_key")

    def titled(self, beginning: str) -> ContentMetadataQuerySet:
        """Keep the items whose title starts with ``beginning``, in any case; ascending by title."""
        return self.filter(_starts_with("search_title", beginning)).order_by("search_title")


class MembershipQuerySet(models.QuerySet["CatalogMembership"]):
    """Reads of memberships."""

    def in_key_order(self) -> MembershipQuerySet:
        """Order by key, in code-point order, which is the order of the index."""
        return self.order_by("content_key")
