"""Pure planning: the items to create, update and delete, within the limits. The time is an argument."""

from __future__ import annotations

from enum import Enum, auto
from itertools import groupby, islice, zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar

from enterprise_catalog.integrated_channels.domain import (
    Action,
    Chunk,
    DeleteLimit,
    DesiredItem,
    PlannedItem,
    Presence,
    Record,
    State,
    SyncPlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

T = TypeVar("T")

FIRST_RETRY_SECONDS: Final = 5 * 60
LAST_RETRY_SECONDS: Final = 24 * 60 * 60
#: In a row. The tenth failure comes about 2 days after the first, or 10 days if each failure is a rejection.
MAX_FAILURES: Final = 10
#: A rejection does not pass by itself, but an administrator may fix its cause at the LMS.
REJECTED_RETRY_SECONDS: Final = 24 * 60 * 60


class _Idle(Enum):
    """Reasons to do nothing about an item."""

    MATCHED = auto()
    WAITING = auto()
    DEAD = auto()
    WITHDRAWN = auto()
    KEPT = auto()
    BACK = auto()
    STAGED = auto()


#: No delete is held.
NO_LIMIT: Final = DeleteLimit(items=0, percent=100)
#: States of items whose delete has not begun, and is not approved.
_UNDECIDED: Final = (State.HELD, State.KEPT)


def plan(
    desired: Mapping[str, DesiredItem],
    records: Mapping[str, Record],
    *,
    matched: int = 0,
    now: datetime,
    delete_limit: DeleteLimit = NO_LIMIT,
) -> SyncPlan:
    """Return all actions that would make the LMS equal to the catalogs, each list ascending by key.

    Args:
        desired: content key -> the item's catalog and version; the union of the configuration's catalogs.
        records: content key -> record from the audit rows, including deleted items.
        matched: number of further items that the LMS already has as they should be.
        now: failed items are left out until their next attempt is due.
        delete_limit: if the deletes exceed it, the deletes that were not approved are held.
    """
    planned: dict[Action, list[PlannedItem]] = {action: [] for action in Action}
    idle: dict[_Idle, list[str]] = {reason: [] for reason in _Idle}
    left = (key for key, record in records.items() if not record.is_deleted and key not in desired)
    steps = (
        *(_step_of_desired(key, desired[key], records.get(key), now) for key in sorted(desired)),
        *(_step_of_left(key, records[key], now) for key in sorted(left)),
    )
    for key, step in steps:
        if isinstance(step, PlannedItem):
            planned[step.action].append(step)
        else:
            idle[step].append(key)
    deletes, held = _within(delete_limit, planned[Action.DELETE], records, matched)
    return SyncPlan(
        deletes=deletes,
        creates=planned[Action.CREATE],
        updates=planned[Action.UPDATE],
        withdrawn=idle[_Idle.WITHDRAWN],
        matched=matched + len(idle[_Idle.MATCHED]),
        waiting=len(idle[_Idle.WAITING]),
        dead=len(idle[_Idle.DEAD]),
        held=held,
        released=[item.content_key for item in deletes if records[item.content_key].state is State.HELD],
        kept=len(idle[_Idle.KEPT]),
        staged=len(idle[_Idle.STAGED]),
        back=idle[_Idle.BACK],
    )


def _within(
    limit: DeleteLimit, deletes: list[PlannedItem], records: Mapping[str, Record], matched: int
) -> tuple[list[PlannedItem], list[str]]:
    """Return the deletes to carry out, and the keys of the deletes to hold."""
    fresh = [item.content_key for item in deletes if _is_fresh(records[item.content_key])]
    # Items whose delete has begun or was approved do not count. Otherwise the last items of a catalog would be too
    # small a share to be held.
    staying = sum(_is_fresh(record) for record in records.values() if _may_be_present(record))
    if not limit.is_exceeded(len(fresh), of=matched + staying):
        return deletes, []
    return [item for item in deletes if not _is_fresh(records[item.content_key])], fresh


def _may_be_present(record: Record) -> bool:
    return not record.is_deleted and record.presence is not Presence.ABSENT


def _is_fresh(record: Record) -> bool:
    """Return True if the item's delete was neither begun nor approved."""
    return record.action is not Action.DELETE or record.state is State.HELD


def _step_of_desired(
    key: str, item: DesiredItem, record: Record | None, now: datetime
) -> tuple[str, PlannedItem | _Idle]:
    if record is None:
        return key, PlannedItem(key, Action.CREATE, "new in the catalogs", item.catalog_uuid, is_known=False)
    if record.is_deleted:
        return key, PlannedItem(key, Action.CREATE, "came back to the catalogs", item.catalog_uuid)
    if idle := _why_idle(record, item, now):
        return key, idle
    action = Action.UPDATE if record.presence is Presence.PRESENT else Action.CREATE
    halvings = 0 if _is_other_task(record, item) else _halvings(record)
    since = _due_since(record)
    return key, PlannedItem(key, action, _reason(record, item), item.catalog_uuid, halvings=halvings, since=since)


def _why_idle(record: Record, item: DesiredItem, now: datetime) -> _Idle | None:
    """Return why nothing is sent for a desired item with a row; ``None`` if something is sent."""
    if record.holds(item) and record.due_since is None:
        return _Idle.MATCHED
    if record.holds(item) and record.is_payload_known:
        return _Idle.BACK
    if record.is_staged_as(item):
        return _Idle.STAGED
    is_there = record.presence is Presence.PRESENT and record.is_payload_known
    if record.state in _UNDECIDED and is_there and record.has_version_of(item):
        return _Idle.BACK
    if record.state is State.DEAD_LETTER and not _is_other_task(record, item):
        return _Idle.DEAD
    return _Idle.WAITING if _must_wait(record, item, now) else None


def _step_of_left(key: str, record: Record, now: datetime) -> tuple[str, PlannedItem | _Idle]:
    """Return the delete of an item that left the catalogs, or the reason for doing nothing."""
    was_deleting = record.action is Action.DELETE
    if record.presence is Presence.ABSENT:
        return key, _Idle.WITHDRAWN
    if record.state is State.KEPT:
        return key, _Idle.KEPT
    if was_deleting and record.state is State.STAGED:
        return key, _Idle.STAGED
    if was_deleting and record.state is State.DEAD_LETTER:
        return key, _Idle.DEAD
    if was_deleting and _is_resting(record, now):
        return key, _Idle.WAITING
    halvings = _halvings(record) if was_deleting else 0
    return key, PlannedItem(key, Action.DELETE, "left the catalogs", halvings=halvings, since=_due_since(record))


def _halvings(record: Record) -> int:
    return record.failures + record.halvings


def _due_since(record: Record) -> datetime | None:
    """Return since when the item is due. A failed item is due since its retry delay ended."""
    return record.next_attempt_at or record.due_since


def _is_other_task(record: Record, item: DesiredItem) -> bool:
    """Return True if the task that failed is obsolete: a delete that is no longer due, or an older version."""
    return record.action is Action.DELETE or record.attempted_updated_at != item.updated_at


def _must_wait(record: Record, item: DesiredItem, now: datetime) -> bool:
    """Return True if the item failed and its next attempt is not due.

    A rejected item with new content need not wait. Neither need an item that came back after its delete failed: it must
    be shown again, even if the delete was applied.
    """
    if record.action is Action.DELETE:
        return False
    if record.state is State.REJECTED and record.attempted_updated_at != item.updated_at:
        return False
    return _is_resting(record, now)


def _is_resting(record: Record, now: datetime) -> bool:
    return record.next_attempt_at is not None and record.next_attempt_at > now


_REASONS: Final[Mapping[State, str]] = {
    State.STAGED: "changed in the catalog",
    State.TRANSMITTED: "changed in the catalog",
    State.DELETED: "changed in the catalog",
    State.PENDING: "planned by an earlier run",
    State.IN_DOUBT: "sent by a run that ended before the LMS responded",
    State.RETRYING: "failed before",
    State.REJECTED: "was rejected before",
    State.DEAD_LETTER: "changed after it had failed too often",
    State.HELD: "came back before it was deleted",
    State.KEPT: "came back before it was deleted",
}


def _reason(record: Record, item: DesiredItem) -> str:
    """Return, for operators, why an item with a row is sent."""
    if record.holds(item):
        return "may already have been applied by an unconfirmed call"
    return "came back before it was deleted" if record.action is Action.DELETE else _REASONS[record.state]


def chunks(sync_plan: SyncPlan, *, chunk_size: int, call_size: int, mixed: bool = False, now: datetime) -> list[Chunk]:
    """Cut the plan into chunks in the order of sending: longest waiting first.

    Chunks that have waited equally long take turns: deletes, creates, updates, and so on. A run that is cut short thus
    divides its work among the three actions. The rest comes before everything that later runs find.

    Items that failed before, or were in a rejected call, are kept apart from the others. The size of their chunks is
    halved each time. So an item that makes its whole call fail is soon alone.

    Args:
        chunk_size: maximum number of items per chunk.
        call_size: maximum number of items per call; if it is 1, items never share a call.
        mixed: True if a chunk may contain several actions.
        now: due time of items that no earlier run has found due.
    """
    by_action = (sync_plan.deletes, sync_plan.creates, sync_plan.updates)
    queues = [list(_in_turn(by_action))] if mixed else by_action
    cut = [_cut(items, chunk_size, call_size) for items in queues]
    return sorted(_in_turn(cut), key=lambda chunk: chunk.items[0].since or now)


def _in_turn(queues: Iterable[Iterable[T]]) -> Iterator[T]:
    """Yield the first element of each of ``queues``, then the second of each, and so on."""
    return (each for turn in zip_longest(*queues) for each in turn if each is not None)


def _cut(items: Sequence[PlannedItem], chunk_size: int, call_size: int) -> Iterator[Chunk]:
    """Yield ``items`` in chunks of items with equally many splits, longest waiting first."""
    ordered = sorted(items, key=lambda item: (item.halvings, item.since is None, item.since))
    for halvings, group in groupby(ordered, key=attrgetter("halvings")):
        size = chunk_size if call_size == 1 or not halvings else max(1, min(chunk_size, call_size) >> halvings)
        while some := tuple(islice(group, size)):
            yield Chunk(some)


def retry_delay_seconds(failures: int, *, jitter: float, retry_after_seconds: float | None = None) -> float:
    """Return the delay after the ``failures``-th failure in a row: 5 minutes, doubled each time, at most a day.

    Args:
        jitter: from 0 to 1; shortens the delay by up to a quarter, so that items that failed together are not retried
            together.
        retry_after_seconds: requested by the LMS; the delay is never shorter.
    """
    doubled = float(FIRST_RETRY_SECONDS << min(failures - 1, 20))
    return max(min(doubled, LAST_RETRY_SECONDS) * (1 - jitter / 4), retry_after_seconds or 0)
