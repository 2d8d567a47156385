"""The writer of customers and catalogs: the values that enter served documents, and the versions that move with them.

Each function opens its own transaction.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from enterprise_catalog.catalog.items.enrollment_urls import EnrollmentURLs
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer, QuerySource
from enterprise_catalog.catalog.versions.versioned import versioned
from enterprise_catalog.db.contention import retry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID


class OtherCustomersCatalogError(Exception):
    """The catalog exists, but belongs to another customer."""


def save_customer(customer: EnterpriseCustomer, *, now: datetime) -> None:
    """Save a new or changed customer. If its enrollment URLs changed, moves the versions of its catalogs.

    Raises:
        ContentionError: imports blocked the save for too long; nothing was saved.
    """
    retry(lambda: _save_customer(customer, now=now))


def _save_customer(customer: EnterpriseCustomer, *, now: datetime) -> None:
    with versioned(now):
        customer.save()
        _lock_queries(customer.catalogs.values_list("catalog_query", flat=True))
        for catalog in customer.catalogs.select_for_update():
            # Compared in Python: MariaDB treats URLs that differ only in case or accents as equal.
            if catalog.enrollment_urls != EnrollmentURLs.of(catalog).text:
                save_catalog(catalog, now=now)


def save_catalog(catalog: EnterpriseCatalog, *, now: datetime) -> None:
    """Save a new or changed catalog and move its version.

    Moving a catalog to another customer changes its enrollment URLs. The columns that only this module writes are read
    from the database: ``catalog`` may be stale.

    Raises:
        ContentionError: imports blocked the save for too long; nothing was saved.
    """
    retry(lambda: _save_catalog(catalog, now=now))


def _save_catalog(catalog: EnterpriseCatalog, *, now: datetime) -> None:
    urls = EnrollmentURLs.of(catalog).text
    with versioned(now) as changes:
        latest_change = _lock_queries([catalog.catalog_query_id])
        stored = EnterpriseCatalog.objects.select_for_update().filter(pk=catalog.pk).first()
        catalog.enrollment_url_prefix = catalog.enterprise_customer.enrollment_url_prefix
        catalog.enrollment_urls = urls
        catalog.modified_at = now
        catalog.documents_changed_at = stored.documents_changed_at if stored else None
        catalog.revision = stored.revision if stored else 0
        if stored and stored.enrollment_urls != urls:
            earlier = [moment for moment in (catalog.documents_changed_at, latest_change) if moment]
            # Times of change always increase, even if the clock goes back.
            catalog.documents_changed_at = max([now, *(moment + timedelta(microseconds=1) for moment in earlier)])
        catalog.save()
        changes.catalogs.add(catalog.pk)
        if stored and stored.enterprise_customer_id != catalog.enterprise_customer_id:
            changes.losers.add(stored.enterprise_customer_id)


def ensure_catalog_query(
    catalog_uuid: UUID, *, customer_uuid: UUID, customer_name: str | None = None, title: str | None, now: datetime
) -> CatalogQuery:
    """Return the query of a catalog, to import into. Creates the customer, catalog and query if missing.

    A deleted catalog exists again. Without course-discovery, a query that the LMS created is replaced.

    Args:
        customer_name: the name of a new customer; ``None`` names it after its UUID. An existing name is kept.
        title: the catalog's title; ``None`` keeps the existing title, or names a new catalog after its UUID.

    Raises:
        OtherCustomersCatalogError: the catalog belongs to a customer other than ``customer_uuid``.
    """
    with transaction.atomic():
        customer, _ = EnterpriseCustomer.objects.get_or_create(
            uuid=customer_uuid, defaults=_new_customer(customer_uuid, customer_name)
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
        elif (
            catalog.catalog_query and _takes_files(catalog.catalog_query) and (title or catalog.title) == catalog.title
        ):
            return catalog.catalog_query
        catalog.title = title or catalog.title
        query = catalog.catalog_query
        if query is None or not _takes_files(query):
            query = CatalogQuery.objects.create(
                title=catalog.title, content_filter=query.content_filter if query else {}
            )
        catalog.catalog_query, catalog.deleted_at = query, None
        save_catalog(catalog, now=now)
    return query


def _takes_files(query: CatalogQuery) -> bool:
    """Return False for a query that the LMS created on a site without course-discovery: nothing ever fills it."""
    return query.source == QuerySource.IMPORT or bool(settings.DISCOVERY_SERVICE_API_URL)


def _lock_queries(query_ids: Iterable[int | None]) -> datetime | None:
    """Block imports into the queries until this transaction ends; return when their content last changed.

    Call it before locking any of their catalogs. It locks in the order of the ids, as imports do.
    """
    locked = CatalogQuery.objects.filter(pk__in=[pk for pk in query_ids if pk]).order_by("pk").select_for_update()
    return max((query.content_changed_at for query in locked if query.content_changed_at), default=None)


def _new_customer(customer_uuid: UUID, name: str | None) -> dict[str, str]:
    """Return the columns of a new customer. Without an LMS that knows the slug, it is made from the UUID."""
    provisional = f"Customer {customer_uuid}"
    return {
        "name": name or provisional,
        "slug": "" if settings.LMS_BASE_URL else slugify(provisional),
        "learner_portal_url": settings.LEARNER_PORTAL_URL,
    }
