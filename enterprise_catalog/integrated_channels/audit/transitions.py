"""State transitions of a transmission row, and when a failed item is tried again. Changes rows in memory only.

docs/concepts/delivery.rst lists the states.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import Action, Exported, ItemResult, Outcome, Presence, State
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ContentMetadataItemTransmission,
)

if TYPE_CHECKING:
    from datetime import datetime


FIRST_RETRY_SECONDS: Final = 5 * 60
LAST_RETRY_SECONDS: Final = 24 * 60 * 60
#: In a row. The tenth failure comes 1.3 to 1.8 days after the first, or 7 to 9 days if each failure is a rejection.
MAX_FAILURES: Final = 10
#: A rejection does not pass by itself, but an administrator may fix its cause at the LMS.
REJECTED_RETRY_SECONDS: Final = 24 * 60 * 60
#: After the tenth failure, if it was a rejection. The item can never be sent as it is, which needs no decision.
LAST_REJECTED_RETRY_SECONDS: Final = 365 * 24 * 60 * 60
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
    # An item that came back to the catalogs is no longer deleted, even if it could not be sent.
    row.deleted_at = None
    jitter = random.random()  # noqa: S311  (spreads retries; nothing secret)
    is_last = row.attempts >= MAX_FAILURES
    if state is State.REJECTED:
        row.split_level = 0  # The LMS rejected this item alone.
        delay = (LAST_REJECTED_RETRY_SECONDS if is_last else REJECTED_RETRY_SECONDS) * (1 - jitter / 4)
    elif is_last:
        row.state, row.next_attempt_at = State.DEAD_LETTER, None
        return
    else:
        delay = retry_delay_seconds(row.attempts, jitter=jitter, retry_after_seconds=result.retry_after_seconds)
    row.state, row.next_attempt_at = state, now + timedelta(seconds=delay)


def retry_delay_seconds(failures: int, *, jitter: float, retry_after_seconds: float | None = None) -> float:
    """Return the delay after the ``failures``-th failure in a row: 5 minutes, doubled each time, at most a day.

    Args:
        jitter: from 0 to 1; shortens the delay by up to a quarter, so that items that failed together are not retried
            together.
        retry_after_seconds: requested by the LMS; the delay is never shorter.
    """
    doubled = float(FIRST_RETRY_SECONDS << min(failures - 1, 20))
    return max(min(doubled, LAST_RETRY_SECONDS) * (1 - jitter / 4), retry_after_seconds or 0)
