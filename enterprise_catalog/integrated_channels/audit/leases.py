"""Leases: at most one run per configuration on any number of workers, with expiry and fencing token.

When a worker dies, its lease expires, and the next worker increments the token. Each write of a run first renews the
lease by its token, in the same transaction. The last write releases the lease in the same way. So a worker
whose lease was taken over can write nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual

from enterprise_catalog.db.row_updates import RowUpdate, update_together, with_keys
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT
from enterprise_catalog.integrated_channels.audit.pacing import Pacer
from enterprise_catalog.integrated_channels.audit.rate_budget import CallBudget
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SlowSyncSlot,
    SyncLease,
    SyncRun,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

T = TypeVar("T")

#: Age at which a lease is renewed in the middle of a chunk; several times within its duration.
RENEWAL_INTERVAL: Final = timedelta(minutes=1)
#: Oldest lease with which a call may begin in a thread that cannot renew it. Only the run's main thread renews.
MAX_LEASE_AGE: Final = timedelta(minutes=2)
#: Duration of a lease without renewal. The clocks of workers must agree to well within it.
LEASE_DURATION: Final = timedelta(minutes=5)
#: Pause of a sync if a limit on parallel syncs is reached. Rare for the limit per LMS host: the scheduler queues no
#: syncs for a host that has reached it.
LIMIT_PAUSE: Final = timedelta(minutes=1)
#: Upper limit of ``Lease.overruns``; the pause stops growing long before.
MAX_OVERRUNS: Final = 1_000


#: Runs of the lease's configuration that never ended.
_DEAD_RUNS: Final = SyncRun.objects.filter(configuration=OuterRef("configuration"), state=RunState.RUNNING)
_ITEMS: Final = ContentMetadataItemTransmission.objects.filter(configuration=OuterRef("configuration"))
#: Items of the lease's configuration that a run may have to send. The lease has just been extended, so a rejected item
#: counts a few minutes before its next attempt is due.
_UNSETTLED: Final = (
    _ITEMS.unsettled()
    .exclude(state=State.KEPT)
    .exclude(state=State.REJECTED, next_attempt_at__gt=OuterRef("expires_at"))
)
#: Columns of the status that count items that are not settled.
_COUNTS: Final = ("failing", "held", "dead", "behind", "rejected", "kept")
#: Leases that are held now, of configurations with the same LMS host; grouped into one row. The lease has just been
#: taken.
_OF_HOST: Final = (
    SyncLease.objects.filter(
        configuration__lms_host=OuterRef("configuration__lms_host"),
        expires_at__gt=OuterRef("expires_at") - LEASE_DURATION,
    )
    .order_by()
    .values("configuration__lms_host")
)
#: Built once: Django takes longer to build this query than the database takes to run it.
_LEASES: Final = SyncLease.objects.values(
    "token",
    "overruns",
    "calls_since",
    "calls",
    "batch_sizes",
    has_dead_runs=Exists(_DEAD_RUNS),
    has_unsettled_items=Exists(_UNSETTLED),
    has_exceptions=Exists(_ITEMS.filter(state__in=(State.REJECTED, State.KEPT))),
    etag=F("configuration__last_full_etag"),
    fingerprint=F("configuration__last_full_scope"),
    items=F("configuration__last_full_items"),
    compared_at=F("configuration__status__compared_at"),
    synced_versions=F("configuration__synced_versions"),
    synced_items=F("configuration__synced_items"),
    fully_compared_at=F("configuration__fully_compared_at"),
    full_comparison_requested_at=F("configuration__full_comparison_requested_at"),
    unsettled=sum((F(f"configuration__status__{column}") for column in _COUNTS), Value(0)),
    requests=F("configuration__sync_requests"),
    syncs_of_host=Subquery(_OF_HOST.annotate(number=Count("pk")).values("number")),
)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """State of the configuration's earlier runs, for the run that took the lease."""

    has_dead_runs: bool  #: Runs that never ended.
    has_unsettled_items: bool  #: Items that are not settled, except for kept items, and rejected ones that are not due.
    has_exceptions: bool  #: Items that were rejected or kept.
    etag: str  #: ``last_full_etag`` of the configuration.
    fingerprint: str  #: ``last_full_scope``.
    items: int  #: ``last_full_items``.
    compared_at: datetime | None = None  #: When a run last compared the LMS with the catalogs.
    synced_versions: Mapping[str, str] = field(default_factory=dict)  #: ``synced_versions``; empty without any.
    synced_items: int = 0
    fully_compared_at: datetime | None = None
    full_comparison_requested_at: datetime | None = None
    unsettled: int = 0  #: Number of items that are not settled, as last counted.
    requests: int = 0  #: ``sync_requests`` of the configuration.
    syncs_of_host: int = 1  #: Number of leases that are held for configurations of the same LMS host, with this one.


@dataclass(slots=True)
class Lease:
    """The right to run one configuration's sync until it expires."""

    configuration_id: int
    token: int
    left_behind: LeftBehind  #: At the time when the lease was taken.
    budget: CallBudget  #: Counts the calls to the LMS; written by each renewal.
    overruns: int = 0  #: Number of latest consecutive runs that exceeded a deadline; written by each renewal.
    #: Batch sizes of the calls; written by each renewal.
    pacer: Pacer = field(default_factory=Pacer)


def acquire(configuration_id: int, *, now: datetime, in_worker: bool = False) -> Lease | None:
    """Return the lease, or ``None`` if another run holds it. An expired lease is taken over.

    Args:
        in_worker: the run occupies a worker. It then gets the lease only while fewer than ``SYNCS_PER_LMS_HOST``
            configurations of its LMS host run. If its last run exceeded a deadline, it also needs one of
            ``SLOW_SYNCS`` slots. So slow syncs never occupy all workers, if there are more workers than that.
            Without the lease, the sync is due again after ``LIMIT_PAUSE``.
    """
    lease = _acquire(configuration_id, now=now)
    if lease is not None and in_worker and not _is_within_limits(lease, now=now):
        ChannelConfiguration.objects.filter(pk=configuration_id).update(next_sync_at=now + LIMIT_PAUSE)
        release(lease)
        return None
    return lease


def _is_within_limits(lease: Lease, *, now: datetime) -> bool:
    """Return True if a worker may sync the configuration now.

    Two workers that take the last place of a host at the same time may both find it taken. A worker never finds it free
    by mistake, because it counts after it has taken its lease.
    """
    if lease.left_behind.syncs_of_host > settings.SYNCS_PER_LMS_HOST:
        return False
    return not lease.overruns or _take_slot(lease, now=now)


def _take_slot(lease: Lease, *, now: datetime) -> bool:
    """Take one of the slots for slow syncs by compare-and-set. The slot becomes free with the lease."""
    holder = SyncLease.objects.filter(
        configuration=OuterRef("configuration"), token=OuterRef("token"), expires_at__gt=now
    )
    for number in range(settings.SLOW_SYNCS):
        SlowSyncSlot.objects.get_or_create(number=number)
        free = SlowSyncSlot.objects.filter(~Exists(holder), number=number)
        if free.update(configuration=lease.configuration_id, token=lease.token):
            return True
    return False


def _acquire(configuration_id: int, *, now: datetime) -> Lease | None:
    if not _take(configuration_id, now=now):
        # The first run of a configuration creates the row.
        _, is_new = SyncLease.objects.get_or_create(configuration_id=configuration_id)
        if not (is_new and _take(configuration_id, now=now)):
            return None
    return _read(configuration_id, expires_at=now + LEASE_DURATION)


def _take(configuration_id: int, *, now: datetime) -> bool:
    is_free = LessThanOrEqual(Coalesce("expires_at", Value(now)), now)
    rows = with_keys(SyncLease.objects.all(), [configuration_id], is_free)
    return bool(rows.update(token=F("token") + 1, expires_at=now + LEASE_DURATION))


def _read(configuration_id: int, *, expires_at: datetime) -> Lease | None:
    """Read the lease taken until ``expires_at``, and the state of earlier runs, in one statement.

    Returns ``None`` if another worker has taken the lease since: this worker may have been frozen, and must not use the
    other worker's token.
    """
    taken = _LEASES.filter(configuration=configuration_id, expires_at=expires_at)
    found = next(iter(taken), None)
    if found is None:
        return None
    return Lease(
        configuration_id,
        token=found["token"],
        left_behind=LeftBehind(
            has_dead_runs=found["has_dead_runs"],
            has_unsettled_items=found["has_unsettled_items"],
            has_exceptions=found["has_exceptions"],
            etag=found["etag"],
            fingerprint=found["fingerprint"],
            items=found["items"],
            compared_at=found["compared_at"],
            synced_versions=found["synced_versions"] or {},
            synced_items=found["synced_items"],
            fully_compared_at=found["fully_compared_at"],
            full_comparison_requested_at=found["full_comparison_requested_at"],
            unsettled=found["unsettled"] or 0,
            requests=found["requests"],
            syncs_of_host=found["syncs_of_host"],
        ),
        budget=CallBudget(found["calls_since"], found["calls"]),
        overruns=found["overruns"],
        pacer=Pacer(dict(found["batch_sizes"] or {})),
    )


def renew(lease: Lease, *joined: RowUpdate, now: datetime) -> None:
    """Extend the lease. In a transaction, this also prevents others from taking it before the transaction ends.

    Args:
        joined: updates of rows that exist. They take no statement of their own if the database allows it.

    Raises:
        LeaseLostError: another worker has the lease.
    """
    _update(lease, *joined, expires_at=now + LEASE_DURATION)


@contextmanager
def fenced(lease: Lease, *joined: RowUpdate, now: datetime) -> Iterator[None]:
    """Open a transaction that renews the lease first. A worker that has lost its lease thus writes nothing.

    Args:
        joined: see :func:`renew`.

    Raises:
        LeaseLostError: another worker has the lease.
    """
    with transaction.atomic():
        renew(lease, *joined, now=now)
        yield


def fenced_batches(values: Sequence[T], write: Callable[[Sequence[T]], object], *, lease: Lease, now: datetime) -> None:
    """Call ``write`` with each batch of up to 1,000 of ``values``, each in a :func:`fenced` transaction of its own.

    Raises:
        LeaseLostError: another worker has the lease. The earlier batches stay written.
    """
    for start in range(0, len(values), ROWS_PER_STATEMENT):
        with fenced(lease, now=now):
            write(values[start : start + ROWS_PER_STATEMENT])


def lock(configuration_ids: Iterable[int]) -> None:
    """Lock the leases of configurations until the caller's transaction ends, so that no run of them writes meanwhile.

    For transactions that change items and hold no lease: decisions and polls. Call it before any other read or lock of
    the transaction. Runs lock items in an order of their own, but the lease before them.
    """
    # Whole rows: if an index had all columns, MariaDB would find the rows there, and lock others.
    list(with_keys(SyncLease.objects.order_by("pk"), {*configuration_ids}).select_for_update())


def release(lease: Lease, *joined: RowUpdate) -> None:
    """Release the lease. As the first statement of a transaction, this checks the token as :func:`renew` does.

    Args:
        joined: see :func:`renew`.

    Raises:
        LeaseLostError: another worker has the lease.
    """
    _update(lease, *joined, expires_at=None)


def update_of(run: SyncRun) -> RowUpdate:
    """Return the update that writes all columns of a run's row, to be joined with that of its lease."""
    columns = [field.name for field in run._meta.concrete_fields if field.name not in {"id", "configuration"}]
    return RowUpdate(SyncRun, {"id": run.pk}, {name: getattr(run, name) for name in columns})


def _update(lease: Lease, *joined: RowUpdate, expires_at: datetime | None) -> None:
    budget = lease.budget
    changes = {
        "expires_at": expires_at,
        "calls": budget.calls,
        "calls_since": budget.started_at,
        "overruns": min(lease.overruns, MAX_OVERRUNS),
        "batch_sizes": dict(lease.pacer.sizes) or None,
    }
    held = {"configuration": lease.configuration_id, "token": lease.token}
    if not update_together(RowUpdate(SyncLease, held, changes), *joined):
        raise LeaseLostError(f"the lease of configuration {lease.configuration_id} was taken over")
