"""Marks of a plan on the rows: withdrawn, held, released, reverted, planned, moved, left over."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db.models.functions import Coalesce
from django.utils.translation import ngettext

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.bulk import insert_values
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.domain import PlannedItem
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

#: Of the row of a planned item. All others are empty, or have a default in the database.
_PLANNED_COLUMNS: Final = (
    "configuration",
    "content_key",
    "catalog_uuid",
    "action",
    "reason",
    "due_since",
    "created_at",
)


def withdraw(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that left the catalogs before they were ever sent as deleted."""
    changes = {
        "state": State.DELETED,
        "action": Action.DELETE,
        "reason": "Left the catalogs before it was sent.",
        "next_attempt_at": None,
        "due_since": None,
        "deleted_at": now,
    }
    leases.fenced_batches(keys, lambda part: _rows(configuration, part).update(**changes), lease=lease, now=now)


def hold(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that left the catalogs as waiting for approval.

    Rows that are already waiting do not change. Neither do rows that an operator has decided on since the plan was
    made.
    """
    changes = {
        "state": State.HELD,
        "action": Action.DELETE,
        "reason": f"Left the catalogs. {held_reason(len(keys))}",
        "attempts": 0,
        "next_attempt_at": None,
        "due_since": None,
    }
    leases.fenced_batches(
        keys,
        lambda part: _rows(configuration, part).exclude(action=Action.DELETE).update(**changes),
        lease=lease,
        now=now,
    )


def held_reason(deletes: int) -> str:
    """Return why ``deletes`` deletes wait for approval."""
    reason = ngettext(
        "%s delete exceeds this configuration's limit and is waiting for approval.",
        "%s deletes exceed this configuration's limit and are waiting for approval.",
        deletes,
    )
    return reason % f"{deletes:,}"


def release(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> set[str]:
    """Queue held deletes that no longer exceed the limit, like approved deletes; return their keys.

    These deletes have begun, and their items can no longer be kept. Items that an operator has kept since the plan was
    made do not change.
    """
    released: set[str] = set()

    def release_part(part: Sequence[str]) -> None:
        held = _rows(configuration, part).filter(state=State.HELD)
        released.update(held.select_for_update().values_list("content_key", flat=True))
        reason = "Left the catalogs. The deletes no longer exceed this configuration's limit."
        held.update(state=State.PENDING, reason=reason, due_since=now)

    leases.fenced_batches(keys, release_part, lease=lease, now=now)
    return released


def take_back(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that were due, but match what the LMS already has, as transmitted."""
    changes = {
        "state": State.TRANSMITTED,
        "action": Action.UPDATE,
        "reason": "Reverted to what the LMS already has; nothing was sent.",
        "attempts": 0,
        "split_level": 0,
        "due_since": None,
    }
    leases.fenced_batches(keys, lambda part: _rows(configuration, part).update(**changes), lease=lease, now=now)


def note_planned(
    configuration: ChannelConfiguration, items: Collection[PlannedItem], *, lease: Lease, now: datetime
) -> None:
    """Create a row for each item that has none, so that operators see the items that are waiting to be sent."""

    def insert_part(part: Sequence[PlannedItem]) -> None:
        rows = [
            (configuration.pk, item.content_key, item.catalog_uuid, item.action, f"Planned: {item.reason}.", now, now)
            for item in part
        ]
        insert_values(ContentMetadataItemTransmission, _PLANNED_COLUMNS, rows)

    leases.fenced_batches([item for item in items if not item.is_known], insert_part, lease=lease, now=now)


def note_moved(
    configuration: ChannelConfiguration, items: Collection[PlannedItem], *, lease: Lease, now: datetime
) -> None:
    """Record the catalogs of items that no run has tried yet, and that another catalog supplies now."""
    keys: dict[UUID | None, list[str]] = defaultdict(list)
    for item in items:
        keys[item.catalog_uuid].append(item.content_key)
    for catalog_uuid, of_catalog in keys.items():
        change = partial(_write_catalog, configuration, catalog_uuid)
        leases.fenced_batches(of_catalog, change, lease=lease, now=now)


def _write_catalog(configuration: ChannelConfiguration, catalog_uuid: UUID | None, keys: Sequence[str]) -> None:
    _rows(configuration, keys).update(catalog_uuid=catalog_uuid)


def note_left_over(
    configuration: ChannelConfiguration,
    items: Collection[PlannedItem],
    *,
    reason: str = "",
    lease: Lease,
    now: datetime,
) -> None:
    """Record that a run ended before these items were sent. The next run sends them first.

    Args:
        reason: text for the rows. Without it, only rows that existed before and were not yet due are written.
    """
    left = items if reason else [item for item in items if item.is_known and item.since is None]
    changes: dict[str, object] = {"due_since": Coalesce("due_since", now)} | ({"reason": reason} if reason else {})
    leases.fenced_batches(
        [item.content_key for item in left],
        lambda part: _rows(configuration, part).update(**changes),
        lease=lease,
        now=now,
    )


def _rows(configuration: ChannelConfiguration, keys: Sequence[str]) -> TransmissionQuerySet:
    return ContentMetadataItemTransmission.objects.of(configuration).with_keys(keys)
