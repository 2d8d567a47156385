"""Celery tasks that read the LMS. All are safe to run twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.catalog.lms import customers
from enterprise_catalog.catalog.lms.client import LMSClient, is_configured
from enterprise_catalog.celery import app
from enterprise_catalog.service_client.exceptions import ServiceError

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer

log = structlog.get_logger(__name__)


def request_update(customer: EnterpriseCustomer) -> None:
    """Queue an update of a customer's copy after the commit, unless the copy is recent or there is no LMS.

    Without a broker, the next scheduled :func:`update_customers` reads the customer.
    """
    oldest = timezone.now() - customers.MAX_AGE
    if is_configured() and (customer.lms_read_at is None or customer.lms_read_at < oldest):
        transaction.on_commit(partial(_queue, customer.pk))


def _queue(customer_uuid: UUID) -> None:
    try:
        update_customer.delay(str(customer_uuid))
    except OperationalError:
        log.warning("customer_update_not_queued", customer_uuid=str(customer_uuid))


@app.task(name="update_customer")
def update_customer(customer_uuid: str) -> None:
    """Update the copy of one customer. If the LMS cannot be read, the schedule tries again."""
    with LMSClient() as client:
        try:
            customers.update_customer(UUID(customer_uuid), client, now=timezone.now())
        except ServiceError as error:
            log.warning("customer_not_updated", customer_uuid=customer_uuid, problem=error.message)


@app.task(name="update_customers")
def update_customers() -> int:
    """Update the copies of stale customers; return the number that were read. The scheduler calls this."""
    if not is_configured():
        return 0
    with LMSClient() as client:
        return customers.update_customers(client, clock=timezone.now)
