"""Decisions of operators: queue failed items again, approve or keep held deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Value
from django.db.models.functions import Coalesce, Concat, Left

from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ChannelConfiguration,
    ContentMetadataItemTransmission,
)

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet


def queue_again(transmissions: TransmissionQuerySet, *, by: str, now: datetime, also_transmitted: bool = False) -> int:
    """Queue failed items for the next run, without waiting for their retry delay; return the number of items.

    Safe during a run: if the run is about to record an item, the run's result replaces this change.

    Args:
        by: name of the user or command, for the rows' reason.
        also_transmitted: also queue items that the LMS already has, in case they were changed there.
    """
    states = [State.RETRYING, State.REJECTED, State.DEAD_LETTER, *([State.TRANSMITTED] if also_transmitted else [])]
    failed = transmissions.filter(state__in=states).exclude(state=State.TRANSMITTED, action=Action.DELETE)
    due_since = Coalesce("due_since", now)
    reason = Concat(Value(f"Queued again by {by}. Previous reason: "), Left("reason", MAX_MESSAGE_LENGTH // 2))
    changes = {"state": State.PENDING, "attempts": 0, "split_level": 0, "next_attempt_at": None}
    return failed.update(**changes, reason=reason, due_since=due_since)


def decide_deletes(configuration: ChannelConfiguration, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes of a configuration for its next run, or keep the items; return the number of items.

    See :func:`decide_chosen_deletes`.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return decide_chosen_deletes(rows, approved=approved, by=by, now=now)


def decide_chosen_deletes(transmissions: TransmissionQuerySet, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes among ``transmissions`` for the next run, or keep the items; return their number.

    Kept items can be approved later. Safe during a run.

    Args:
        by: name of the user or command, for the rows' reason.
    """
    undecided = transmissions.undecided(approved=approved)
    if approved:
        reason = f"Left the catalogs; its delete was approved by {by}."
        return undecided.update(state=State.PENDING, reason=reason, due_since=now)
    return undecided.update(state=State.KEPT, reason=f"Left the catalogs; kept by {by}.")
