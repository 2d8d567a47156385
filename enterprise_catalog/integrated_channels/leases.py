"""At most one run per configuration, on however many workers: a lease in the database, with expiry and fencing token.

A worker that dies leaves its lease to expire; the next one raises the token. Each write of a run first renews the lease
by its token, in the same transaction, and the last write gives it back so. A worker that wakes up late finds that it
can write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from enterprise_catalog.integrated_channels.budgets import CallBudget
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    RunState,
    SlowSyncSlot,
    SyncLease,
    SyncRun,
)
from enterprise_catalog.integrated_channels.pacing import Pacer

if TYPE_CHECKING:
    from datetime import datetime

#: How old a lease may grow in the middle of a chunk before it is renewed; several times within its duration.
RENEWAL_INTERVAL: Final = timedelta(minutes=1)
#: How old a lease may be for a call to be made by a thread that cannot renew it.
LONGEST_SILENCE: Final = timedelta(minutes=2)
#: How long a silent run keeps its lease. Clocks of workers may differ by a fraction of this.
LEASE_DURATION: Final = timedelta(minutes=5)
#: More are not counted; the pause does not grow any more long before.
MAX_OVERRUNS: Final = 1_000


#: Runs of the lease's configuration that never ended, and its items that are not settled.
_DEAD_RUNS: Final = SyncRun.objects.filter(configuration=OuterRef("configuration"), state=RunState.RUNNING)
_UNSETTLED: Final = ContentMetadataItemTransmission.objects.filter(configuration=OuterRef("configuration")).unsettled()
#: Each run asks for one of these. Django takes longer to put such a question together than the database to answer it.
_LEASES: Final = SyncLease.objects.values_list(
    "token",
    Exists(_DEAD_RUNS),
    Exists(_UNSETTLED),
    "configuration__last_full_etag",
    "configuration__last_full_scope",
    "configuration__last_full_items",
    "overruns",
    "calls_since",
    "calls",
    "batch_sizes",
)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What a configuration's runs so far have left to the one that took the lease."""

    has_dead_runs: bool  #: Runs that never ended.
    has_unsettled_items: bool  #: See ``TransmissionQuerySet.unsettled``.
    etag: str  #: These three are ``last_full_…`` of the configuration.
    scope: str
    items: int


@dataclass(slots=True)
class Lease:
    """The right to run one configuration's sync until it expires."""

    configuration_id: int
    token: int
    left_behind: LeftBehind  #: As it was when the lease was taken.
    budget: CallBudget  #: The calls to the LMS; each renewal writes it.
    overruns: int = 0  #: How many of the last runs in a row have exceeded a deadline; each renewal writes it.
    #: The sizes of these calls; each renewal writes them.
    pacer: Pacer = field(default_factory=Pacer)


def acquire(configuration_id: int, *, now: datetime, in_worker: bool = False) -> Lease | None:
    """Return the lease, or ``None`` if another run holds it; a lease that has expired is taken over.

    Args:
        in_worker: the run occupies a worker. A configuration whose last run exceeded a deadline then gets the lease
            only while fewer than ``SLOW_SYNCS`` others like it run, so that they never occupy all workers.
    """
    lease = _acquire(configuration_id, now=now)
    if lease is not None and lease.overruns and in_worker and not _take_slot(lease, now=now):
        release(lease)
        return None
    return lease


def _take_slot(lease: Lease, *, now: datetime) -> bool:
    """Take one of the slots for slow syncs by compare-and-set; it becomes free with the lease."""
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
        # A configuration's first run has to make the row.
        _, is_new = SyncLease.objects.get_or_create(configuration_id=configuration_id)
        if not (is_new and _take(configuration_id, now=now)):
            return None
    return _read(configuration_id, expires_at=now + LEASE_DURATION)


def _take(configuration_id: int, *, now: datetime) -> bool:
    free = Q(expires_at=None) | Q(expires_at__lte=now)
    to_be_had = SyncLease.objects.filter(free, configuration=configuration_id)
    return bool(to_be_had.update(token=F("token") + 1, expires_at=now + LEASE_DURATION))


def _read(configuration_id: int, *, expires_at: datetime) -> Lease | None:
    """Read the lease that was taken until ``expires_at``, and what was left behind, in one statement.

    ``None`` if another worker has it by now: ours must not go on with the other's token, however long it was frozen.
    """
    taken = _LEASES.filter(configuration=configuration_id, expires_at=expires_at)
    found = next(iter(taken), None)
    if found is None:
        return None
    token, *left_behind, overruns, calls_since, calls, sizes = found
    budget, pacer = CallBudget(calls_since, calls), Pacer(dict(sizes or {}))
    return Lease(configuration_id, token, LeftBehind(*left_behind), budget, overruns, pacer)


def renew(lease: Lease, *, now: datetime) -> None:
    """Extend the lease; inside a transaction this also keeps others from taking it before the transaction ends.

    Raises:
        LeaseLostError: another worker has it.
    """
    _update(lease, expires_at=now + LEASE_DURATION)


def release(lease: Lease) -> None:
    """Give the lease back; inside a transaction, as its first statement, this is what :func:`renew` is elsewhere.

    Raises:
        LeaseLostError: another worker has it.
    """
    _update(lease, expires_at=None)


def _update(lease: Lease, *, expires_at: datetime | None) -> None:
    held = SyncLease.objects.filter(configuration=lease.configuration_id, token=lease.token)
    budget = lease.budget
    changes = {"calls": budget.calls, "calls_since": budget.started_at, "overruns": min(lease.overruns, MAX_OVERRUNS)}
    if not held.update(expires_at=expires_at, batch_sizes=dict(lease.pacer.sizes) or None, **changes):
        raise LeaseLostError(f"the lease of configuration {lease.configuration_id} was taken over")
