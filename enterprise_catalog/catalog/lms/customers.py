"""Copies of the LMS's data about customers: name, slug and learner portal, which enrollment URLs contain.

A copy is never guessed: while the LMS cannot be read, a known customer keeps its values, and a new customer has none.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
from enterprise_catalog.db.contention import ContentionError, retry
from enterprise_catalog.service_client.exceptions import ServiceError, UnreadableResponseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from enterprise_catalog.catalog.lms.client import LMSClient, LMSCustomer

log = structlog.get_logger(__name__)

#: A copy that is older is read again.
MAX_AGE: Final = timedelta(hours=1)
#: Customers in one run of :func:`update_customers`. The next run continues.
MAX_CUSTOMERS: Final = 500


def stale_customers(*, now: datetime) -> QuerySet[EnterpriseCustomer]:
    """Return the customers with catalogs whose copy is missing or older than an hour, the oldest first."""
    catalogs = EnterpriseCatalog.objects.existing().filter(enterprise_customer=OuterRef("pk"))
    is_stale = Q(lms_read_at=None) | Q(lms_read_at__lt=now - MAX_AGE)
    return EnterpriseCustomer.objects.filter(is_stale, Exists(catalogs)).order_by(
        F("lms_read_at").asc(nulls_first=True), "pk"
    )


def update_customers(client: LMSClient, *, clock: Callable[[], datetime]) -> int:
    """Update the copies of stale customers; return the number of customers that were read. Safe to repeat.

    A customer whose data is invalid is skipped. Any other error ends the run: the LMS could not be used.
    """
    count = 0
    uuids = list(stale_customers(now=clock()).values_list("pk", flat=True)[:MAX_CUSTOMERS])
    for customer_uuid in uuids:
        try:
            update_customer(customer_uuid, client, now=clock())
            count += 1
        except (UnreadableResponseError, ContentionError) as error:
            log.warning("customer_not_updated", customer_uuid=str(customer_uuid), problem=str(error))
        except ServiceError as error:
            log.warning("lms_not_read", problem=error.message, left=len(uuids) - count)
            break
    return count


def update_customer(customer_uuid: UUID, client: LMSClient, *, now: datetime) -> None:
    """Update the copy of one customer. A customer that the LMS does not have keeps its values.

    Raises:
        ServiceError: the LMS could not be used, or its response cannot be read; nothing was saved.
        ContentionError: imports blocked the change for too long; nothing was saved.
    """
    found = client.find_customer(customer_uuid)
    if found is None:
        log.warning("customer_unknown_to_lms", customer_uuid=str(customer_uuid))
    retry(lambda: _save(customer_uuid, found, now=now))


@transaction.atomic
def _save(customer_uuid: UUID, found: LMSCustomer | None, *, now: datetime) -> None:
    customer = EnterpriseCustomer.objects.select_for_update().get(pk=customer_uuid)
    before = customer.name, customer.slug, customer.learner_portal_enabled
    customer.lms_read_at = now
    if found is not None:
        customer.name, customer.slug = found.name, found.slug
        customer.learner_portal_enabled = found.enable_learner_portal
        customer.lms_modified_at = found.modified and found.modified.astimezone(UTC)
    if (customer.name, customer.slug, customer.learner_portal_enabled) != before:
        save_customer(customer, now=now)
    else:
        customer.save(update_fields=["lms_read_at", "lms_modified_at"])
