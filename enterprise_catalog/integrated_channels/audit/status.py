"""The status of a configuration: written at the end of each run, and after each decision of an operator.

A status follows from three facts: the configuration is active or not, the last run could continue or not, and the
states of the configuration's items. It does not depend on the time; a reader compares ``next_sync_at`` with the clock.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Count, Exists, Min, Q

from enterprise_catalog.db.row_updates import RowUpdate, update_together
from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, upsert
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    RunState,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import SyncRun

log = structlog.get_logger(__name__)

#: State of an item -> column of the status that counts it. Settled items are not counted.
_COLUMNS: Final[Mapping[str, str]] = {
    State.PENDING: "behind",
    State.IN_DOUBT: "behind",
    State.STAGED: "behind",
    State.TRANSMITTED: "behind",  # Only if an update or a delete is due.
    State.RETRYING: "failing",
    State.REJECTED: "rejected",
    State.DEAD_LETTER: "dead",
    State.HELD: "held",
    State.KEPT: "kept",
}
_UNSETTLED: Final = Q(state__in=[state for state in _COLUMNS if state != State.TRANSMITTED]) | Q(
    state=State.TRANSMITTED, due_since__isnull=False
)
#: Columns of items that a run sends sooner or later. The other items wait for a decision, or for new content.
_DUE: Final = frozenset({"behind", "failing"})
_HEALTHY: Final = (Status.UP_TO_DATE, Status.UP_TO_DATE_EXCEPT)
#: Ids of the configurations to refresh at the end of a block of :func:`refreshed_once`; ``None`` outside.
_postponed: Final = ContextVar[set[int] | None]("_postponed", default=None)


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """Numbers of a configuration's items that are not settled; see the columns of ``ConfigurationStatus``."""

    failing: int = 0
    held: int = 0
    dead: int = 0
    behind: int = 0
    rejected: int = 0
    kept: int = 0
    due_since: datetime | None = None  #: Earliest time of an item that is behind or failing.

    @property
    def has_only_exceptions(self) -> bool:
        """True if every item is settled, rejected or kept, and at least one is not settled."""
        return bool(self.rejected or self.kept) and not (self.failing or self.held or self.dead or self.behind)


@dataclass(frozen=True, slots=True)
class RunResult:
    """The part of a run's result that the status shows."""

    row: SyncRun  #: Ended.
    matched: int  #: Items in the catalogs that were not found rejected.
    is_throttled: bool  #: The run ended because of a rate limit.
    has_compared: bool  #: The run compared the LMS with the catalogs.
    next_sync_at: datetime
    customer_name: str  #: Empty if the run did not learn it.


def count_items(configuration_ids: Iterable[int]) -> dict[int, ItemCounts]:
    """Return the numbers of unsettled items of each configuration. Reads an index only."""
    ids = list(configuration_ids)
    rows = ContentMetadataItemTransmission.objects.filter(_UNSETTLED, configuration__in=ids)
    numbers: dict[int, dict[str, int]] = {pk: defaultdict(int) for pk in ids}
    due_since: dict[int, list[datetime]] = {pk: [] for pk in ids}
    found = rows.values_list("configuration", "state").annotate(Count("pk"), Min("due_since")).order_by()
    for pk, state, number, earliest in found:
        column = _COLUMNS[state]
        numbers[pk][column] += number
        if column in _DUE and earliest is not None:
            due_since[pk].append(earliest)
    return {pk: ItemCounts(**numbers[pk], due_since=min(due_since[pk], default=None)) for pk in ids}


def status_of(items: ItemCounts, *, is_active: bool, run_state: str, matched: int) -> Status:
    """Return the status of a configuration with these items.

    If most items are rejected, the cause is likely to be the LMS or the configuration, and not the items.

    Args:
        run_state: see ``ConfigurationStatus.run_state``.
        matched: number of items that the last run did not find rejected.
    """
    checks = (
        (not is_active, Status.PAUSED),
        (run_state == RunState.STOPPED or items.rejected > matched, Status.FAILING),
        (items.held or items.dead, Status.NEEDS_DECISION),
        (items.failing, Status.FAILING),
        (not run_state, Status.NEVER_SYNCED),
        (items.behind or run_state == RunState.INCOMPLETE, Status.BEHIND),
        (items.has_only_exceptions, Status.UP_TO_DATE_EXCEPT),
    )
    return next((status for holds, status in checks if holds), Status.UP_TO_DATE)


def record_up_to_date(
    configuration_id: int, result: RunResult, changes: Mapping[str, object], *, requests: int
) -> bool:
    """Write configuration and status after a complete run, if the status is up to date and stays so.

    Takes one statement on MariaDB and MySQL. No event begins or ends.

    Args:
        changes: columns of the configuration.
        requests: number of requests for a sync before the run.

    Returns:
        False if the status changes, or a sync was requested during the run. The caller then writes the configuration,
        and calls :func:`record_run`.
    """
    if result.row.state != RunState.COMPLETE:
        return False
    configuration = {"id": configuration_id, "active": True, "sync_requests": requests}
    status = {"configuration": configuration_id, "state": Status.UP_TO_DATE}
    return update_together(
        RowUpdate(ChannelConfiguration, configuration, changes),
        RowUpdate(ConfigurationStatus, status, _run_columns(result) | asdict(ItemCounts())),
        unless=ContentMetadataItemTransmission.objects.filter(_UNSETTLED, configuration=configuration_id),
    )


def record_run(configuration_id: int, result: RunResult, *, now: datetime) -> None:
    """Write the status after a run, in the run's last transaction.

    The transaction has changed the configuration's row, and so locked it against :func:`refresh`. The items are counted
    after that, because a user may have decided on some of them until then.
    """
    of_run = _run_columns(result)
    items = count_items([configuration_id])[configuration_id]
    state = status_of(items, is_active=True, run_state=str(of_run["run_state"]), matched=result.matched)
    columns = of_run | asdict(items) | {"state": state, "rank": state.rank}
    active = ChannelConfiguration.objects.filter(pk=configuration_id, active=True)
    rows = ConfigurationStatus.objects.filter(pk=configuration_id)
    is_same = bool(rows.filter(Exists(active), state=state).update(**columns))
    if not (
        is_same and state in _HEALTHY
    ):  # Else no event begins or ends, except for lateness: events.check() ends it.
        events.record_run(configuration_id, _run_end(result, items), now=now)
    if is_same:
        return
    if rows.filter(Exists(active)).update(**columns, since=now):
        return
    if not rows.update(**of_run):
        ConfigurationStatus.objects.create(configuration_id=configuration_id, **columns, since=now)
    refresh([configuration_id], now=now)  # It was paused or deleted during the run, or had no status yet.


def _run_end(result: RunResult, items: ItemCounts) -> events.RunEnd:
    row = result.row
    return events.RunEnd(
        state=row.state,
        stop_cause=row.stop_cause,
        reason=row.reason,
        outcomes={outcome for outcomes in row.counts.values() for outcome in outcomes},
        failing=items.failing,
        held=items.held,
        due_since=items.due_since,
    )


def _run_columns(result: RunResult) -> dict[str, object]:
    # A rate limit is no failure: the next run continues when the LMS accepts more calls.
    columns: dict[str, object] = {
        "run_state": RunState.INCOMPLETE if result.is_throttled else result.row.state,
        "reason": result.row.reason,
        "stop_cause": result.row.stop_cause,
        "last_run_at": result.row.finished_at,
        "next_sync_at": result.next_sync_at,
    }
    if result.has_compared:
        columns |= {"compared_at": result.row.started_at, "matched": result.matched}
    if result.customer_name:
        columns["customer_name"] = result.customer_name[:255]
    return columns


@contextmanager
def refreshed_once(clock: Callable[[], datetime]) -> Iterator[None]:
    """Postpone each :func:`refresh` to the end of the block: one per configuration, for all batches of an action.

    Refreshes also after an error, since earlier batches are committed. If the process dies before, the status is stale
    until the end of the next run, which writes it in any case.
    """
    ids: set[int] = set()
    token = _postponed.set(ids)
    try:
        yield
    except BaseException:
        _postponed.reset(token)
        try:
            _refresh_all(ids, clock)
        except DatabaseError as error:  # Often the same cause. The caller needs the first error.
            log.warning("status_not_refreshed", configuration_ids=sorted(ids), error=type(error).__name__)
        raise
    _postponed.reset(token)
    _refresh_all(ids, clock)


def _refresh_all(ids: Collection[int], clock: Callable[[], datetime]) -> None:
    """Refresh in a transaction of its own, which sees what other transactions have committed meanwhile."""
    with transaction.atomic():
        refresh(ids, now=clock())


def refresh(configuration_ids: Collection[int], *, now: datetime) -> None:
    """Update the statuses: after a decision, a pause, a change of ``active``, or the death of a worker.

    Call it in the transaction of the change. It locks the configurations. Creates missing rows, and removes those of
    deleted configurations. Safe to repeat. In a block of :func:`refreshed_once`, the update takes place at the end of
    the block.
    """
    if (postponed := _postponed.get()) is not None:
        postponed.update(configuration_ids)
        return
    ids = sorted(configuration_ids)
    for start in range(0, len(ids), ROWS_PER_STATEMENT):
        _refresh(ids[start : start + ROWS_PER_STATEMENT], now)


def _refresh(ids: Collection[int], now: datetime) -> None:
    columns = ("pk", "active", "next_sync_at", "deleted_at")
    # Locked: the end of a run counts the items while it has this lock. Of the two, the later one writes what it counts.
    rows = ChannelConfiguration.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list(*columns)
    existing = {pk: rest for pk, *rest, deleted_at in rows if rest[0] or deleted_at is None}
    if gone := set(ids).difference(existing):
        ConfigurationStatus.objects.filter(pk__in=gone).delete()
    statuses = ConfigurationStatus.objects.in_bulk(existing)
    items = count_items(existing)
    for pk, (is_active, next_sync_at) in existing.items():
        row = statuses.setdefault(pk, ConfigurationStatus(configuration_id=pk, state="", since=now))
        for name, number in asdict(items[pk]).items():
            setattr(row, name, number)
        state = status_of(
            items[pk],
            is_active=is_active,
            run_state=row.run_state,
            matched=row.matched,
        )
        row.since = row.since if row.state == state else now
        row.state, row.rank = state, state.rank
        row.next_sync_at = next_sync_at if is_active else None
    upsert(list(statuses.values()), columns=_REFRESHED, key="configuration")


_REFRESHED: Final = [*ItemCounts.__dataclass_fields__, "state", "rank", "since", "next_sync_at"]
