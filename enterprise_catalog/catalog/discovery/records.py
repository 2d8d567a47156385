"""The rows of refreshes: their course from the request to the end, and operators' decisions.

Each function that ends a refresh of a worker belongs into a transaction that has renewed the worker's lease.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q
from prometheus_client.core import GaugeMetricFamily

from enterprise_catalog.catalog.discovery.guard_rail import MembershipChange
from enterprise_catalog.catalog.models import (
    CatalogQuery,
    CatalogRefresh,
    ChangeKind,
    RefreshChange,
    RefreshState,
    RefreshTrigger,
)
from enterprise_catalog.db.row_updates import with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from prometheus_client import Metric

    from enterprise_catalog.catalog.discovery.collection import Collection
    from enterprise_catalog.db.batched_deletes import BatchedDeletes

MAX_NAME_LENGTH: Final = 150
#: A query is not refreshed again within this time after a request, unless its filter was edited or the refresh failed.
MIN_INTERVAL: Final = timedelta(hours=1)
#: A refresh that has not started after this time is taken for lost: brokers may lose messages.
MAX_WAIT: Final = timedelta(hours=6)
WORKER_DIED: Final = "The worker stopped before the refresh was complete. Nothing was changed; it will be repeated."

_UNFINISHED: Final = (RefreshState.QUEUED, RefreshState.RUNNING)
_CHANGES_PER_STATEMENT: Final = 1_000
#: Rejections that a change is compared with, newest first.
_MAX_REJECTIONS: Final = 10


def find_recent(query: CatalogQuery, *, now: datetime, force: bool) -> CatalogRefresh | None:
    """Return the refresh that makes another one needless; otherwise ``None``.

    That is a refresh that is queued or running, or (without ``force``) one of the last hour that did not fail. It must
    have been requested after the last edit of the filter.
    """
    since = now - MIN_INTERVAL
    recent = query.refreshes.filter(requested_at__gte=now - MAX_WAIT).exclude(
        state__in=(RefreshState.FAILED, RefreshState.REJECTED)
    )
    if query.filter_edited_at:
        recent = recent.filter(requested_at__gte=query.filter_edited_at)
    is_enough = Q(state__in=_UNFINISHED) if force else Q(state__in=_UNFINISHED) | Q(requested_at__gte=since)
    return recent.filter(is_enough).order_by("-requested_at").first()


def create(query: CatalogQuery, *, trigger: RefreshTrigger, by: str, now: datetime) -> CatalogRefresh:
    """Return the row of a new refresh, which is queued."""
    return CatalogRefresh.objects.create(
        catalog_query=query,
        trigger=trigger,
        requested_by=by[:MAX_NAME_LENGTH],
        task_id=str(uuid.uuid4()),
        requested_at=now,
    )


def begin(refresh: CatalogRefresh, *, now: datetime) -> bool:
    """Mark the refresh as running, and other ones of the query whose worker died as failed.

    Call it with the query's lease. Returns ``False`` if the refresh has ended already: brokers may deliver its task
    twice.
    """
    of_query = CatalogRefresh.objects.filter(catalog_query=refresh.catalog_query_id, state=RefreshState.RUNNING)
    of_query.exclude(pk=refresh.pk).update(state=RefreshState.FAILED, reason=WORKER_DIED, finished_at=now)
    mine = with_keys(CatalogRefresh.objects.all(), [refresh.pk], state__in=_UNFINISHED)
    refresh.state, refresh.started_at = RefreshState.RUNNING, now
    return bool(mine.update(state=refresh.state, started_at=now))


def complete(refresh: CatalogRefresh, collection: Collection, change: MembershipChange, *, changed: int) -> None:
    """Write the numbers and changes of a refresh that was applied. Supersedes the query's held refreshes."""
    refresh.changed = changed
    _end(refresh, RefreshState.COMPLETE, collection, change)
    held = CatalogRefresh.objects.filter(catalog_query=refresh.catalog_query_id, state=RefreshState.HELD)
    held.update(state=RefreshState.SUPERSEDED)
    CatalogQuery.objects.filter(pk=refresh.catalog_query_id).update(refreshed_at=refresh.started_at)


def hold(refresh: CatalogRefresh, collection: Collection, change: MembershipChange, reason: str) -> None:
    """Write the change that an operator must approve. Supersedes the query's earlier held refreshes.

    A change that an operator has rejected before is not held again.
    """
    earlier = CatalogRefresh.objects.filter(catalog_query=refresh.catalog_query_id, state=RefreshState.HELD)
    earlier.update(state=RefreshState.SUPERSEDED)
    rejection = find_rejection(CatalogQuery.objects.get(pk=refresh.catalog_query_id), change)
    if rejection is None:
        refresh.reason = reason
        _end(refresh, RefreshState.HELD, collection, change)
    else:
        refresh.reason = rejected_before(rejection)
        _write_numbers(refresh, RefreshState.REJECTED, collection, change)


def fail(refresh: CatalogRefresh, reason: str, *, now: datetime) -> None:
    """Write why a refresh could not be completed."""
    refresh.state, refresh.reason, refresh.finished_at = RefreshState.FAILED, reason, now
    refresh.save(update_fields=["state", "reason", "finished_at"])


@transaction.atomic
def decide(refresh: CatalogRefresh, *, approve: bool, by: str, reason: str, now: datetime) -> bool:
    """Approve or reject a held refresh; return ``False`` if it is no longer held. A rejected one may still be approved.

    Both decisions hold for the items of this refresh, until a later refresh of the query is complete.
    """
    decidable = Q(state=RefreshState.HELD)
    if approve:
        decidable |= Q(state=RefreshState.REJECTED, decided_at__isnull=False)
    held = CatalogRefresh.objects.filter(decidable, pk=refresh.pk)
    return bool(
        held.update(
            state=RefreshState.APPROVED if approve else RefreshState.REJECTED,
            decided_by=by[:MAX_NAME_LENGTH],
            decided_at=now,
            decision_reason=reason,
        )
    )


def approved_change(query: CatalogQuery) -> MembershipChange:
    """Return the changes that operators approved since the last complete refresh of the query."""
    approved = CatalogRefresh.objects.filter(catalog_query=query, state=RefreshState.APPROVED)
    if query.refreshed_at:
        approved = approved.filter(started_at__gt=query.refreshed_at)
    changes = RefreshChange.objects.filter(refresh__in=list(approved.values_list("pk", flat=True)))
    pairs = list(changes.values_list("content_key", "kind"))
    return MembershipChange(
        member_count=0,
        found_count=0,
        added=frozenset(key for key, kind in pairs if kind == ChangeKind.ADDED),
        removed=frozenset(key for key, kind in pairs if kind == ChangeKind.REMOVED),
    )


def find_rejection(query: CatalogQuery, change: MembershipChange) -> CatalogRefresh | None:
    """Return the newest refresh in which an operator rejected exactly this change, or ``None``.

    Rejections before the last complete refresh, or before the last edit of the filter, do not count.
    """
    rejected = CatalogRefresh.objects.filter(
        catalog_query=query,
        state=RefreshState.REJECTED,
        decided_at__isnull=False,
        added=len(change.added),
        removed=len(change.removed),
    )
    for since in filter(None, (query.refreshed_at, query.filter_edited_at)):
        rejected = rejected.filter(started_at__gt=since)
    wanted = {(row.content_key, row.kind) for row in _changes(CatalogRefresh(), change)}
    newest = rejected.order_by("-requested_at")[:_MAX_REJECTIONS]
    return next((row for row in newest if {*row.changes.values_list("content_key", "kind")} == wanted), None)


def rejected_before(rejection: CatalogRefresh) -> str:
    """Return why a refresh with the same change as a rejected one is not held, in one or two sentences."""
    by = f" by {rejection.decided_by}" if rejection.decided_by else ""
    day = f"{rejection.decided_at:%Y-%m-%d}"
    return (
        f"The same change was rejected{by} on {day} (refresh {rejection.pk}). Nothing was changed; approve that "
        "refresh to apply the change after all."
    )


def remove_old(deletes: BatchedDeletes, *, before: datetime) -> None:
    """Delete the refreshes requested before a time, with their changes."""
    deletes.delete(
        CatalogRefresh.objects.filter(requested_at__lt=before).order_by("requested_at", "pk"),
        parts=(RefreshChange.objects.all(), "refresh"),
    )


def _end(refresh: CatalogRefresh, state: RefreshState, collection: Collection, change: MembershipChange) -> None:
    _write_numbers(refresh, state, collection, change)
    RefreshChange.objects.bulk_create(_changes(refresh, change), batch_size=_CHANGES_PER_STATEMENT)


def _write_numbers(
    refresh: CatalogRefresh, state: RefreshState, collection: Collection, change: MembershipChange
) -> None:
    refresh.state = state
    refresh.found, refresh.left_out = collection.found, collection.left_out
    refresh.incomplete = collection.incomplete
    refresh.added, refresh.removed = len(change.added), len(change.removed)
    refresh.save()


def _changes(refresh: CatalogRefresh, change: MembershipChange) -> Iterator[RefreshChange]:
    for kind, keys in ((ChangeKind.ADDED, change.added), (ChangeKind.REMOVED, change.removed)):
        yield from (RefreshChange(refresh=refresh, content_key=key, kind=kind) for key in sorted(keys))


def refresh_gauges() -> Iterator[Metric]:
    """Yield the number of refreshes that wait for a decision, for Prometheus. One statement; reads an index."""
    held = CatalogRefresh.objects.filter(state=RefreshState.HELD).count()
    yield GaugeMetricFamily("catalog_refreshes_held", "Refreshes that wait for the approval of their change.", held)
