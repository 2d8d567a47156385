"""The writer of customers and catalogs: what of them enters served documents, and which versions that moves.

Each function opens its own transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.text import slugify

from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models.expressions import CombinedExpression


class OtherCustomersCatalogError(Exception):
    """The catalog exists, but belongs to another customer."""


def next_version(field: str, now: datetime) -> Greatest | CombinedExpression:
    """Return the expression that raises the version column ``field``: to ``now`` in microseconds, by at least one."""
    return Greatest(F(field) + 1, int(now.timestamp() * 1_000_000))


def save_customer(customer: EnterpriseCustomer, *, now: datetime) -> None:
    """Save a new or changed customer; where its enrolment URLs changed, so did every document of its catalogs."""
    with transaction.atomic():
        customer.save()
        prefix = customer.enrollment_url_prefix
        customer.catalogs.exclude(enrollment_url_prefix=prefix).update(
            enrollment_url_prefix=prefix, documents_changed_at=now, revision=next_version("revision", now)
        )


def save_catalog(catalog: EnterpriseCatalog, *, now: datetime) -> None:
    """Save a new or changed catalog and move its version.

    A catalog that moves to another customer has other enrolment URLs from then on.
    """
    prefix = catalog.enterprise_customer.enrollment_url_prefix
    with transaction.atomic():
        if catalog.enrollment_url_prefix and catalog.enrollment_url_prefix != prefix:
            catalog.documents_changed_at = now
        catalog.enrollment_url_prefix = prefix
        catalog.save()
        EnterpriseCatalog.objects.filter(pk=catalog.pk).update(revision=next_version("revision", now))


def ensure_catalog_query(catalog_uuid: UUID, *, customer_uuid: UUID, title: str | None, now: datetime) -> CatalogQuery:
    """Return the query of a catalog, to import into; make customer, catalog and query where they are missing.

    Args:
        title: the catalog's title; ``None`` keeps the one it has, or names a new catalog after its UUID.

    Raises:
        OtherCustomersCatalogError: the catalog belongs to a customer other than ``customer_uuid``.
    """
    with transaction.atomic():
        customer, _ = EnterpriseCustomer.objects.get_or_create(
            uuid=customer_uuid, defaults=_new_customer(customer_uuid)
        )
        catalog = EnterpriseCatalog.objects.with_parts().filter(uuid=catalog_uuid).first()
        if catalog is None:
            catalog = EnterpriseCatalog(
                uuid=catalog_uuid, enterprise_customer=customer, title=f"Catalog {catalog_uuid}"
            )
        elif catalog.enterprise_customer_id != customer_uuid:
            raise OtherCustomersCatalogError(
                f"catalog {catalog_uuid} belongs to customer {catalog.enterprise_customer_id}"
            )
        elif catalog.catalog_query and title in (None, catalog.title):
            return catalog.catalog_query
        catalog.title = title or catalog.title
        query = catalog.catalog_query or CatalogQuery.objects.create(title=catalog.title)
        catalog.catalog_query = query
        save_catalog(catalog, now=now)
    return query


def _new_customer(customer_uuid: UUID) -> dict[str, str]:
    name = f"Customer {customer_uuid}"
    return {"name": name, "slug": slugify(name), "learner_portal_url": settings.LEARNER_PORTAL_URL}
