"""The work of each kind of operation. Each function returns the message for the operation's page."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import ngettext

from enterprise_catalog.db import contention
from enterprise_catalog.integrated_channels.audit import decisions, leases, status
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    OperationItem,
    OperationKind,
)
from enterprise_catalog.integrated_channels.sync import drift
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from enterprise_catalog.integrated_channels.domain import SyncPlan
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
    from enterprise_catalog.integrated_channels.tasks.progress import Progress


def preview(progress: Progress) -> str:
    """Store the plan of the next run, one row per item. Sends nothing and changes no item."""
    operation = progress.operation
    with CatalogClient(before_each_request=progress.report) as catalog:
        of_customer = catalog.list_catalogs(operation.configuration.enterprise_customer_uuid).uuids
        now = progress.clock()
        plan = load_plan_inputs(operation.configuration, catalog, of_customer=of_customer, now=now).plan()
    found = [
        OperationItem(operation=operation, content_key=key, kind=kind, details=why) for kind, key, why in _rows(plan)
    ]
    progress.store(found)
    others = {"matched": plan.matched, "waiting": plan.waiting, "dead": plan.dead, "kept": plan.kept}
    progress.write(counts=_counted(found) | {name: number for name, number in others.items() if number})
    return ""


def _rows(plan: SyncPlan) -> Iterator[tuple[str, str, str]]:
    """Yield action, content key and reason of each item that the run would send or hold."""
    for item in (*plan.deletes, *plan.creates, *plan.updates):
        yield item.action.value, item.content_key, item.reason
    for key in plan.held:
        yield "held", key, "exceeds the delete limit; waits for approval"


def check_drift(progress: Progress) -> str:
    """Store the differences between the LMS and the catalogs, one row each. Changes no item."""
    operation = progress.operation
    report = drift.check_drift(operation.configuration, clock=progress.clock, on_item=_counting(progress))
    found = [
        OperationItem(
            operation=operation, content_key=each.content_key, kind=each.difference.value, details=each.details
        )
        for each in report.differences
    ]
    progress.store(found)
    progress.write(counts=_counted(found))
    if not report.others:
        return ""
    text = ngettext(
        "The LMS has %(number)s other item with a key that was never sent from here.",
        "The LMS has %(number)s other items with keys that were never sent from here.",
        report.others,
    )
    return text % {"number": f"{report.others:,}"}


def adopt(progress: Progress) -> str:
    """Link items that the LMS already has to rows."""
    operation = progress.operation
    adoption = drift.adopt(
        operation.configuration,
        by=operation.started_by,
        reason=operation.reason,
        clock=progress.clock,
        on_item=_counting(progress),
    )
    progress.write(done=adoption.items, total=adoption.items, counts={"adopted": adoption.items})
    return "\n".join(map(str, adoption.duplicates))


def resend_all(progress: Progress) -> str:
    """Queue all items of the configuration again, in batches; a worker that takes over continues after the last one."""
    operation = progress.operation
    rows = ContentMetadataItemTransmission.objects.of(operation.configuration)
    sendable = rows.sendable_again(also_transmitted=True).order_by("content_key").values_list("content_key", flat=True)
    with status.refreshed_once(progress.clock):
        while keys := list(sendable.filter(content_key__gt=operation.position)[:ROWS_PER_STATEMENT]):
            progress.report()
            contention.retry(partial(_resend, progress, rows.with_keys(keys), keys[-1]))
    progress.write(counts={"queued": operation.done})
    return ""


def _resend(progress: Progress, rows: TransmissionQuerySet, position: str) -> None:
    """Queue ``rows`` again, and store the position up to which items are queued, in one transaction."""
    operation = progress.operation
    with transaction.atomic():
        leases.lock([operation.configuration_id])
        number = decisions.queue_again(
            rows, by=operation.started_by, now=progress.clock(), also_transmitted=True, decision=operation.decision
        )
        progress.write(position=position, done=operation.done + number)


def _counting(progress: Progress) -> Callable[[], None]:
    """Return a function that reports how often it was called."""
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        progress.report(seen)

    return count


def _counted(items: list[OperationItem]) -> dict[str, int]:
    return dict(Counter(item.kind for item in items))


WORK: Final[Mapping[OperationKind, Callable[[Progress], str]]] = {
    OperationKind.PREVIEW: preview,
    OperationKind.CHECK_DRIFT: check_drift,
    OperationKind.ADOPT: adopt,
    OperationKind.RESEND_ALL: resend_all,
}
