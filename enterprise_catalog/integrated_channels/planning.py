"""What to create, update and delete, within the limits. Pure: values in, values out, and the time is given."""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.types import (
    Action,
    Chunk,
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

FIRST_RETRY_SECONDS: Final = 5 * 60
LAST_RETRY_SECONDS: Final = 24 * 60 * 60
#: A refusal does not pass by itself, but someone may mend its cause at the LMS.
REJECTED_RETRY_SECONDS: Final = 24 * 60 * 60


def plan(desired: Mapping[str, DesiredItem], records: Mapping[str, Record], *, now: datetime) -> SyncPlan:
    """Return all that would make the LMS equal to the catalogs, each list ascending by key.

    Args:
        desired: content key -> where it comes from; the union of the configuration's catalogs.
        records: content key -> what the audit knows, deleted items included.
        now: items that failed are left out until their next attempt is due.
    """
    creates: list[PlannedItem] = []
    updates: list[PlannedItem] = []
    deletes: list[PlannedItem] = []
    withdrawn: list[str] = []
    matched = waiting = 0
    for key in sorted(desired):
        item, record = desired[key], records.get(key)
        if record is None:
            creates.append(PlannedItem(key, Action.CREATE, "new in the catalogs", item.catalog_uuid, is_known=False))
        elif record.is_deleted:
            creates.append(PlannedItem(key, Action.CREATE, "came back to the catalogs", item.catalog_uuid))
        elif _is_held(record, item):
            matched += 1
        elif _must_wait(record, item, now):
            waiting += 1
        elif record.presence is Presence.PRESENT:
            updates.append(PlannedItem(key, Action.UPDATE, _reason(record), item.catalog_uuid))
        else:
            creates.append(PlannedItem(key, Action.CREATE, _reason(record), item.catalog_uuid))
    for key in sorted(key for key, record in records.items() if not record.is_deleted and key not in desired):
        record = records[key]
        if record.presence is Presence.ABSENT:
            withdrawn.append(key)
        elif record.action is Action.DELETE and _is_resting(record, now):
            waiting += 1
        else:
            deletes.append(PlannedItem(key, Action.DELETE, "left the catalogs"))
    return SyncPlan(deletes, creates, updates, withdrawn, matched, waiting)


def _is_held(record: Record, item: DesiredItem) -> bool:
    """Return whether the LMS holds the item's newest version, from the catalog that it is taken from now."""
    return (
        record.state is State.TRANSMITTED
        and record.action is not Action.DELETE
        and record.content_updated_at == item.updated_at
        and record.catalog_uuid == item.catalog_uuid
    )


def _must_wait(record: Record, item: DesiredItem, now: datetime) -> bool:
    """Return whether the item failed and its next attempt is not due.

    Other content than the one that was refused need not wait, and neither does an item that comes back after its delete
    failed: whatever became of the delete, the item has to be shown again.
    """
    if record.action is Action.DELETE:
        return False
    if record.state is State.REJECTED and record.attempted_updated_at != item.updated_at:
        return False
    return _is_resting(record, now)


def _is_resting(record: Record, now: datetime) -> bool:
    return record.next_attempt_at is not None and record.next_attempt_at > now


def _reason(record: Record) -> str:
    """Return, for people, why an item that has a row is sent."""
    if record.action is Action.DELETE:
        return "came back before it was deleted"
    match record.state:
        case State.TRANSMITTED | State.DELETED:
            return "changed in the catalog"
        case State.PENDING:
            return "planned by an earlier run"
        case State.IN_DOUBT:
            return "sent by a run that did not end"
        case State.RETRYING:
            return "failed before"
        case State.REJECTED:
            return "was rejected before"


def chunks(sync_plan: SyncPlan, *, chunk_size: int, limit: int | None) -> Iterator[Chunk]:
    """Cut the plan into chunks of one action each: one of deletes, one of creates, one of updates, and so on in turn.

    Taking turns shares a run that is cut short: none of the three waits for the others to be finished.

    Args:
        chunk_size: the most items of a chunk.
        limit: the most chunks; ``None`` for all.
    """
    turns = zip_longest(
        _cut(Action.DELETE, sync_plan.deletes, chunk_size),
        _cut(Action.CREATE, sync_plan.creates, chunk_size),
        _cut(Action.UPDATE, sync_plan.updates, chunk_size),
    )
    return islice((chunk for turn in turns for chunk in turn if chunk is not None), limit)


def _cut(action: Action, items: Sequence[PlannedItem], size: int) -> Iterable[Chunk]:
    return (Chunk(action, tuple(items[start : start + size])) for start in range(0, len(items), size))


def retry_delay_seconds(failures: int, *, jitter: float, retry_after_seconds: float | None = None) -> float:
    """Return how long an item rests after its ``failures``-th failure in a row: 5 minutes, doubled, up to a day.

    Args:
        jitter: from 0 to 1; shortens the rest by up to a quarter, so that items that failed together do not return
            together.
        retry_after_seconds: what the LMS asked for; never undercut.
    """
    doubled = float(FIRST_RETRY_SECONDS << min(failures - 1, 20))
    return max(min(doubled, LAST_RETRY_SECONDS) * (1 - jitter / 4), retry_after_seconds or 0)
