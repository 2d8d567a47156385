"""The life cycle of catalogs, as the Open edX LMS requests it: create, change, delete.

Each function opens its own transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.lms.queries import RequestedQuery, save_query
from enterprise_catalog.catalog.lms.tasks import request_update
from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
from enterprise_catalog.db.contention import REQUEST_SECONDS, retry

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.catalog.lms.queries import Members

#: The members of a request that are columns of a catalog.
_COLUMNS: Final = ("title", "enabled_course_modes", "publish_audit_enrollment_urls")


def create_catalog(catalog_uuid: UUID, values: Members, *, now: datetime) -> tuple[EnterpriseCatalog, bool]:
    """Create a catalog, or change the catalog with this UUID. A deleted catalog exists again.

    Args:
        values: the members of the LMS's request, validated.

    Returns:
        The catalog, and True if it did not exist before.

    Raises:
        QueryClashError: another query in use has the requested filter or title.
        ContentionError: imports blocked the change for too long; nothing was saved.
    """
    return retry(lambda: _create(catalog_uuid, values, now=now), seconds=REQUEST_SECONDS)


@transaction.atomic
def _create(catalog_uuid: UUID, values: Members, *, now: datetime) -> tuple[EnterpriseCatalog, bool]:
    stored = EnterpriseCatalog.objects.select_for_update().filter(pk=catalog_uuid).first()
    is_new = stored is None or stored.deleted_at is not None
    if stored is None:
        catalog = EnterpriseCatalog(uuid=catalog_uuid)
        _set(catalog, values, now=now)
        save_catalog(catalog, now=now)
        catalog.refresh_from_db(fields=["revision"])
    else:
        catalog = _save_if_changed(stored, values, now=now)
    return catalog, is_new


def change_catalog(catalog_uuid: UUID, values: Members, *, now: datetime) -> EnterpriseCatalog:
    """Change the members of a catalog that ``values`` contains, and return the catalog.

    Raises:
        EnterpriseCatalog.DoesNotExist: there is no such catalog, or it has been deleted.
        QueryClashError, ContentionError: see :func:`create_catalog`.
    """
    return retry(lambda: _change(catalog_uuid, values, now=now), seconds=REQUEST_SECONDS)


@transaction.atomic
def _change(catalog_uuid: UUID, values: Members, *, now: datetime) -> EnterpriseCatalog:
    catalog = EnterpriseCatalog.objects.existing().select_for_update().get(pk=catalog_uuid)
    return _save_if_changed(catalog, values, now=now)


def delete_catalog(catalog_uuid: UUID, *, now: datetime) -> None:
    """Delete a catalog: take its query away and mark the row. Safe to repeat.

    Channels find the catalog empty, and remove its courses from the LMSs of customers.

    Raises:
        EnterpriseCatalog.DoesNotExist: there is no such catalog.
        ContentionError: see :func:`create_catalog`.
    """
    retry(lambda: _delete(catalog_uuid, now=now), seconds=REQUEST_SECONDS)


@transaction.atomic
def _delete(catalog_uuid: UUID, *, now: datetime) -> None:
    catalog = EnterpriseCatalog.objects.select_for_update().get(pk=catalog_uuid)
    if catalog.deleted_at is None:
        catalog.catalog_query, catalog.deleted_at = None, now
        save_catalog(catalog, now=now)


def _save_if_changed(catalog: EnterpriseCatalog, values: Members, *, now: datetime) -> EnterpriseCatalog:
    """Set the members and save the catalog. A request that changes nothing writes nothing."""
    before = _columns_of(catalog)
    _set(catalog, values, now=now)
    if _columns_of(catalog) != before:
        save_catalog(catalog, now=now)
        catalog.refresh_from_db(fields=["revision"])
    return catalog


def _set(catalog: EnterpriseCatalog, values: Members, *, now: datetime) -> None:
    """Set the members on the unsaved ``catalog``; save its customer and its query."""
    if "enterprise_customer" in values or "enterprise_customer_name" in values:
        customer_uuid = values.get("enterprise_customer", catalog.enterprise_customer_id)
        catalog.enterprise_customer = _save_customer(customer_uuid, values.get("enterprise_customer_name"), now=now)
    for column in _COLUMNS:
        setattr(catalog, column, values.get(column, getattr(catalog, column)))
    if requested := RequestedQuery.of(values, catalog.catalog_query):
        catalog.catalog_query = save_query(requested, catalog.catalog_query, now=now)
    catalog.deleted_at = None


def _columns_of(catalog: EnterpriseCatalog) -> list[object]:
    names = (*_COLUMNS, "enterprise_customer_id", "catalog_query_id", "deleted_at")
    return [getattr(catalog, name) for name in names]


def _save_customer(customer_uuid: UUID, name: str | None, *, now: datetime) -> EnterpriseCustomer:
    """Return the customer with this UUID and name. A new customer's slug is empty until the LMS has been asked."""
    customer, is_new = EnterpriseCustomer.objects.get_or_create(
        uuid=customer_uuid,
        defaults={
            "name": name or f"Customer {customer_uuid}",
            "slug": "",
            "learner_portal_url": settings.LEARNER_PORTAL_URL,
        },
    )
    if not is_new and name and customer.name != name:
        customer.name = name
        save_customer(customer, now=now)
    request_update(customer)
    return customer
