"""State transitions of a transmission row. Changes rows in memory; docs/concepts/delivery.rst lists the states."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.audit.retry_policy import (
    MAX_FAILURES,
    REJECTED_RETRY_SECONDS,
    retry_delay_seconds,
)
from enterprise_catalog.integrated_channels.domain import Action, Exported, ItemResult, Outcome, Presence, State
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ContentMetadataItemTransmission,
)

if TYPE_CHECKING:
    from datetime import datetime


#: After 10 splits, every item is sent in a call of its own.
MAX_SPLIT_LEVEL: Final = 10


def set_task(row: ContentMetadataItemTransmission, action: Action, exported: Exported) -> None:
    """Set the row's action and version; reset the failure counts if either differs from the last attempt."""
    is_other_version = exported.updated_at not in (None, row.attempted_updated_at)
    if is_other_version or row.action != action:
        row.attempts = row.split_level = 0  # The earlier failures belong to another task.
    row.action = action
    row.content_title = exported.title[:255] or row.content_title
    row.attempted_updated_at = exported.updated_at or row.attempted_updated_at


def apply_to_row(row: ContentMetadataItemTransmission, result: ItemResult, exported: Exported, now: datetime) -> None:
    """Move ``row`` to the state that follows from the result of its action."""
    row.reason = result.message[:MAX_MESSAGE_LENGTH]
    row.remote_id = result.remote_id or row.remote_id
    match result.outcome:
        case Outcome.DONE if row.action == Action.DELETE:
            _settle(row, State.DELETED, Presence.ABSENT)
            row.deleted_at = row.remote_deleted_at = now
        case Outcome.DONE:
            _settle(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at, row.payload_hash = exported.updated_at, exported.payload_hash
            row.remote_created_at, row.remote_updated_at = row.remote_created_at or now, now
            row.deleted_at = row.remote_deleted_at = None
        case Outcome.STAGED:
            row.state, row.payload_hash = State.STAGED, exported.payload_hash or row.payload_hash
            row.presence = row.presence if row.presence == Presence.PRESENT else Presence.UNKNOWN
            row.due_since, row.deleted_at = row.due_since or now, None
            row.attempts, row.next_attempt_at = 0, None
        case Outcome.UNCHANGED:
            _settle(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at = exported.updated_at
        case Outcome.SKIPPED | Outcome.THROTTLED:
            # Not sent, so the state stays. But an earlier, larger call with this item may have been applied although it
            # was rejected. The last payload is no longer certain, so its hash is cleared.
            row.reason, row.payload_hash = f"Not sent: {result.message}"[:MAX_MESSAGE_LENGTH], ""
            row.due_since = row.due_since or now
        case Outcome.RETRY:
            _fail(row, State.RETRYING, result, now)
        case Outcome.REJECTED:
            _fail(row, State.REJECTED, result, now)
        case Outcome.GONE | Outcome.IN_DOUBT | Outcome.WITHDRAWN:
            raise AssertionError(f"{result.outcome} never reaches a row: the transmitter resolves it first")


def _settle(row: ContentMetadataItemTransmission, state: State, presence: Presence) -> None:
    row.state = state
    row.presence = presence
    row.attempts = row.split_level = 0
    row.next_attempt_at = row.due_since = None


def _fail(row: ContentMetadataItemTransmission, state: State, result: ItemResult, now: datetime) -> None:
    row.attempts += 1
    row.due_since = row.due_since or now
    row.state = state if row.attempts < MAX_FAILURES else State.DEAD_LETTER
    # An item that came back to the catalogs is no longer deleted, even if it could not be sent.
    row.deleted_at = None
    if row.state is State.DEAD_LETTER:
        row.next_attempt_at = None
        return
    jitter = random.random()  # noqa: S311  (spreads retries; nothing secret)
    if state is State.REJECTED:
        row.split_level = 0  # The LMS rejected this item alone.
        delay = REJECTED_RETRY_SECONDS * (1 - jitter / 4)
    else:
        delay = retry_delay_seconds(row.attempts, jitter=jitter, retry_after_seconds=result.retry_after_seconds)
    row.next_attempt_at = now + timedelta(seconds=delay)
