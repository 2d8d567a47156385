"""A process of a site that acts as operators and as the scheduler, and reads the tables.

:func:`main` reads one JSON object per line from standard input and writes one line of JSON for each. The member ``do``
names a function of this module, and the other members are its arguments.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils import timezone

from enterprise_catalog.catalog.customers import save_catalog
from enterprise_catalog.catalog.models import EnterpriseCatalog
from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.tasks import sync_configuration, sync_due_configurations
from tests.factories.catalog import CatalogFactory, CustomerFactory, import_into
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.db.models import QuerySet


def main() -> None:
    """Carry out orders until standard input ends."""
    carry_out(ORDERS)


def carry_out(orders: Mapping[str, Callable[..., Any]]) -> None:
    """Carry out orders until standard input ends.

    Args:
        orders: name -> function. It gets the other members of the order as arguments.
    """
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        answer = orders[order.pop("do")](**order)
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


def make_customer(name: str, catalogs: int) -> dict[str, Any]:
    """Create a customer with empty catalogs. Return the UUID of the customer and of each catalog."""
    customer = CustomerFactory.create(name=name)
    made = [CatalogFactory.create(customer=customer, title=f"{name} {number}") for number in range(catalogs)]
    return {"customer": customer.pk, "catalogs": [catalog.pk for catalog in made]}


def connect(customer: str, catalogs: Iterable[str], lms: Mapping[str, Any], columns: Mapping[str, object]) -> int:
    """Create a Moodle configuration for some of a customer's catalogs. Return its ID.

    Args:
        lms: URL, settings and credentials of a sandbox.
        columns: other columns of the configuration.
    """
    return ConfigurationFactory.create(
        enterprise_customer_uuid=UUID(customer),
        base_url=lms["url"],
        settings=lms["settings"],
        credentials=lms["credentials"],
        catalog_uuids=[UUID(catalog) for catalog in catalogs],
        **columns,
    ).pk


def put(catalog: str, documents: Sequence[dict[str, Any]]) -> None:
    """Replace the content of a catalog with ``documents``."""
    import_into(EnterpriseCatalog.objects.get(pk=catalog), documents, now=timezone.now(), replace=True)


def rename(catalog: str, title: str) -> None:
    """Change the title of a catalog: its version moves, and its items remain the same."""
    renamed = EnterpriseCatalog.objects.with_parts().get(pk=catalog)
    renamed.title = title
    save_catalog(renamed, now=timezone.now())


def queue(configurations: Sequence[int], times: int) -> None:
    """Queue a sync of each configuration, ``times`` times in a row."""
    for configuration in configurations:
        for _ in range(times):
            sync_configuration.delay(configuration)


def queue_task(name: str) -> None:
    """Queue a task by its name."""
    app.send_task(name)


def make_due(configurations: Sequence[int]) -> str:
    """Make all configurations and their items due, the first configuration longest overdue. Queue due syncs.

    Return the time before that as text.
    """
    now = timezone.now()
    for age, configuration in enumerate(reversed(configurations), start=1):
        due = now - timedelta(seconds=age)
        ChannelConfiguration.objects.filter(pk=configuration).update(next_sync_at=due)
        items = ContentMetadataItemTransmission.objects.filter(configuration=configuration)
        items.filter(next_attempt_at__isnull=False).update(next_attempt_at=due)
    sync_due_configurations()
    return str(now)


def expire_lease(configuration: int) -> None:
    """Expire the configuration's lease. Changes nothing else."""
    lease = SyncLease.objects.filter(configuration=configuration, expires_at__isnull=False)
    assert lease.update(expires_at=timezone.now() - timedelta(seconds=1)) == 1


def is_locked(configuration: int) -> bool:
    """Return True if an open transaction has locked the configuration's lease."""
    try:
        with transaction.atomic():
            SyncLease.objects.select_for_update(nowait=True).get(configuration=configuration)
    except OperationalError:
        return True
    return False


def read(configuration: int) -> dict[str, Any]:
    """Return every column of every row that belongs to a configuration, grouped by table."""
    return {
        "configuration": _rows(ChannelConfiguration.objects.filter(pk=configuration)),
        "lease": _rows(SyncLease.objects.filter(configuration=configuration)),
        "runs": _rows(SyncRun.objects.filter(configuration=configuration)),
        "transmissions": _rows(ContentMetadataItemTransmission.objects.filter(configuration=configuration)),
        "attempts": _rows(TransmissionAttempt.objects.filter(run__configuration=configuration)),
    }


def _rows(of: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    return list(of.order_by("pk").values())


ORDERS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (make_customer, connect, put, rename, queue, queue_task, make_due, expire_lease, is_locked, read)
}
