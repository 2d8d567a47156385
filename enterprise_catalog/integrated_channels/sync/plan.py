"""Pure planning: the items to create, update and delete, within the limits. The time is an argument."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import (
    Action,
    DeleteLimit,
    DesiredItem,
    PlannedItem,
    Presence,
    Record,
    State,
    SyncPlan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Idle(Enum):
    """Reasons to do nothing about an item."""

    MATCHED = auto()  #: The LMS has the item as it should be.
    WAITING = auto()  #: The item failed, and its next attempt is not due.
    DEAD = auto()  #: The item failed too often.
    WITHDRAWN = auto()  #: The item left the catalogs before it was sent.
    KEPT = auto()  #: The item left the catalogs, and an operator decided to keep it.
    BACK = auto()  #: The item was due, but matches the LMS again.
    STAGED = auto()  #: The item is in the feed as it should be.


#: No delete is held.
NO_LIMIT: Final = DeleteLimit(items=0, percent=100)
#: States of items whose delete has not begun, and is not approved.
_UNDECIDED: Final = (State.HELD, State.KEPT)


def plan(
    desired: Mapping[str, DesiredItem],
    records: Mapping[str, Record],
    *,
    matched: int = 0,
    postponed: int = 0,
    now: datetime,
    delete_limit: DeleteLimit = NO_LIMIT,
) -> SyncPlan:
    """Return all actions that would make the LMS equal to the catalogs, each list ascending by key.

    Args:
        desired: content key -> the item's catalog and version; the union of the configuration's catalogs.
        records: content key -> record from the audit rows, including deleted items.
        matched: number of further items that the LMS already has as they should be.
        postponed: number of further items that an earlier run planned to create.
        now: failed items are left out until their next attempt is due.
        delete_limit: if the deletes exceed it, the deletes that were not approved are held.
    """
    planned: dict[Action, list[PlannedItem]] = {action: [] for action in Action}
    idle: dict[Idle, list[str]] = {reason: [] for reason in Idle}
    left = (key for key, record in records.items() if not record.is_deleted and key not in desired)
    for key in (*sorted(desired), *sorted(left)):
        step = step_of(key, desired.get(key), records.get(key), now=now)
        if isinstance(step, PlannedItem):
            planned[step.action].append(step)
        elif step is not None:
            idle[step].append(key)
    deletes, held = _within(delete_limit, planned[Action.DELETE], records, matched)
    return SyncPlan(
        deletes=deletes,
        creates=planned[Action.CREATE],
        updates=planned[Action.UPDATE],
        withdrawn=idle[Idle.WITHDRAWN],
        matched=matched + len(idle[Idle.MATCHED]),
        waiting=len(idle[Idle.WAITING]),
        dead=len(idle[Idle.DEAD]),
        held=held,
        released=[item.content_key for item in deletes if records[item.content_key].state is State.HELD],
        kept=len(idle[Idle.KEPT]),
        staged=len(idle[Idle.STAGED]),
        back=idle[Idle.BACK],
        moved=[item for item in planned[Action.CREATE] if _has_moved(item, records.get(item.content_key))],
        postponed=postponed,
    )


def step_of(key: str, item: DesiredItem | None, record: Record | None, *, now: datetime) -> PlannedItem | Idle | None:
    """Return the action for one item, or the reason for doing nothing. The delete limit may still hold a delete.

    Args:
        item: ``None`` if the item does not belong in the LMS.
        record: ``None`` if the item has no row.

    Returns:
        ``None`` for an item that neither belongs in the LMS nor was ever sent, or that was deleted.
    """
    if item is not None:
        return _step_of_desired(key, item, record, now)
    return None if record is None or record.is_deleted else _step_of_left(key, record, now)


def _has_moved(item: PlannedItem, record: Record | None) -> bool:
    return record is not None and record.is_planned and record.catalog_uuid != item.catalog_uuid


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


def _step_of_desired(key: str, item: DesiredItem, record: Record | None, now: datetime) -> PlannedItem | Idle:
    if record is None:
        return PlannedItem(key, Action.CREATE, "new in the catalogs", item.catalog_uuid, is_known=False)
    if record.is_deleted:
        return PlannedItem(key, Action.CREATE, "came back to the catalogs", item.catalog_uuid)
    if idle := _why_idle(record, item, now):
        return idle
    action = Action.UPDATE if record.presence is Presence.PRESENT else Action.CREATE
    split_level = 0 if _is_other_task(record, item) else _split_level(record)
    since = _due_since(record)
    return PlannedItem(key, action, _reason(record, item), item.catalog_uuid, split_level=split_level, since=since)


def _why_idle(record: Record, item: DesiredItem, now: datetime) -> Idle | None:
    """Return why nothing is sent for a desired item with a row; ``None`` if something is sent."""
    if record.holds(item) and record.due_since is None:
        return Idle.MATCHED
    if record.holds(item) and record.is_payload_known:
        return Idle.BACK
    if record.is_staged_as(item):
        return Idle.STAGED
    is_there = record.presence is Presence.PRESENT and record.is_payload_known
    if record.state in _UNDECIDED and is_there and record.has_version_of(item):
        return Idle.BACK
    if record.state is State.DEAD_LETTER and not _is_other_task(record, item):
        return Idle.DEAD
    return Idle.WAITING if _must_wait(record, item, now) else None


def _step_of_left(key: str, record: Record, now: datetime) -> PlannedItem | Idle:
    """Return the delete of an item that left the catalogs, or the reason for doing nothing."""
    was_deleting = record.action is Action.DELETE
    if record.presence is Presence.ABSENT:
        return Idle.WITHDRAWN
    if record.state is State.KEPT:
        return Idle.KEPT
    if was_deleting and record.state is State.STAGED:
        return Idle.STAGED
    if was_deleting and record.state is State.DEAD_LETTER:
        return Idle.DEAD
    if was_deleting and _is_resting(record, now):
        return Idle.WAITING
    split_level = _split_level(record) if was_deleting else 0
    return PlannedItem(key, Action.DELETE, "left the catalogs", split_level=split_level, since=_due_since(record))


def _split_level(record: Record) -> int:
    return record.failures + record.split_level


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
