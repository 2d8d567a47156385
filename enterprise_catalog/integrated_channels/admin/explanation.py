"""Explains a transmission's row in words: the current state in the LMS, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from enterprise_catalog.admin_pages.rendering import moment_text
from enterprise_catalog.integrated_channels.domain import Action, Presence, State
from enterprise_catalog.integrated_channels.models import RunState

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import (
        ChannelConfiguration,
        ContentMetadataItemTransmission,
        SyncRun,
    )

#: State -> name of its label's color.
STATE_TONES: Final = {
    State.PENDING: "info",
    State.IN_DOUBT: "warning",
    State.STAGED: "info",
    State.TRANSMITTED: "success",
    State.RETRYING: "warning",
    State.REJECTED: "danger",
    State.DEAD_LETTER: "danger",
    State.HELD: "warning",
    State.KEPT: "",
    State.DELETED: "",
}

_DONE: Final = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences about one transmission: the current state, and the next step."""

    tone: str  #: One of the values of :data:`STATE_TONES`.
    now: str
    next: str


def explain(row: ContentMetadataItemTransmission, *, last_run: SyncRun | None, now: datetime) -> Explanation:
    """Return the explanation of a row.

    Args:
        row: with its configuration loaded.
        last_run: the newest run of its configuration, which may be the reason why nothing has happened since.
        now: the current time, aware; separates due from future attempts and syncs.
    """
    prospects = [_prospect(row, now)]
    if last_run and row.configuration.active and not _is_settled(row):
        prospects.append(_run_in_words(last_run))
    return Explanation(
        STATE_TONES[State(row.state)], _joined(_state_in_words(row), _presence_in_words(row)), _joined(*prospects)
    )


def _is_settled(row: ContentMetadataItemTransmission) -> bool:
    """Return True if the LMS is as it should be for this item, as far as the last sync knew.

    A row that was planned for another action keeps its state if the run had to stop before sending it.
    """
    if row.due_since is not None:
        return False
    match State(row.state):
        case State.DELETED:
            return row.action == Action.DELETE
        case State.TRANSMITTED:
            tried = row.attempted_updated_at or row.content_updated_at
            return row.action != Action.DELETE and tried == row.content_updated_at
        case _:
            return False


def _state_in_words(row: ContentMetadataItemTransmission) -> str:  # noqa: C901, PLR0911, PLR0912  (one sentence a state)
    reason = _sentence(row.reason)
    match State(row.state):
        case State.PENDING:
            return f"Not sent yet. {reason}"
        case State.IN_DOUBT:
            return f"In doubt. {reason}"
        case State.STAGED if row.action == Action.DELETE:
            return f"Left the catalogs; the feed marks it as retired. {reason}"
        case State.STAGED:
            return reason
        case State.RETRYING:
            return _because(f"Could not be {_DONE[Action(row.action)]}", reason)
        case State.REJECTED:
            return _because("Rejected", reason)
        case State.HELD | State.KEPT:
            return reason
        case State.DEAD_LETTER:
            return _because(f"Given up: it could not be {_DONE[Action(row.action)]}", reason)
        case State.TRANSMITTED if row.action == Action.DELETE:
            return f"Left the catalogs and is still in the LMS. {reason}"
        case State.TRANSMITTED:
            return f"In the LMS since {moment_text(row.remote_created_at)}. {reason}"
        case State.DELETED if row.action != Action.DELETE:
            return f"Returned to the catalogs and is not in the LMS yet. {reason}"
        case State.DELETED if row.remote_deleted_at:
            return f"Left the catalogs; deleted from the LMS on {moment_text(row.remote_deleted_at)}. {reason}"
        case State.DELETED:
            return f"Not in the LMS. {reason}"


def _presence_in_words(row: ContentMetadataItemTransmission) -> str:
    if row.state == State.DELETED:
        return ""  # Covered by the state's sentence.
    match Presence(row.presence):
        case Presence.ABSENT:
            return "The LMS does not have it."
        case Presence.UNKNOWN:
            return "It is unknown whether the LMS has it."
        case Presence.PRESENT if row.content_updated_at:
            return f"The LMS has the version of {moment_text(row.content_updated_at)}."
        case Presence.PRESENT:
            return "The LMS has it."


def _prospect(row: ContentMetadataItemTransmission, now: datetime) -> str:  # noqa: C901, PLR0911  (one sentence a state)
    if not row.configuration.active:
        return "Nothing will be sent: the configuration is inactive. Activate it to resume syncing."
    next_sync = f"The next sync, {_due(row.configuration, now)},"
    match State(row.state):
        case State.RETRYING | State.REJECTED:
            return f"{_tries(row.attempts)}; {_next_attempt(row, now)}."
        case State.STAGED:
            return "It counts as transmitted when a later poll by the LMS acknowledges it."
        case State.HELD:
            return (
                "It is deleted when a user approves the configuration's held deletes. "
                "It stays if it returns to the catalogs."
            )
        case State.KEPT:
            return (
                "It stays in the LMS unless its delete is approved. It is synced again if it returns to the catalogs."
            )
        case State.DEAD_LETTER:
            return f"{_tries(row.attempts)}; it is sent again when its content changes or a user queues it again."
        case State.DELETED if _is_settled(row):
            return "It is created again if it returns to the catalogs."
        case State.TRANSMITTED if _is_settled(row):
            return "Nothing to do until its content changes."
        case State.TRANSMITTED if row.action == Action.DELETE:
            return f"{next_sync} deletes it."
        case State.IN_DOUBT:
            return f"{next_sync} checks the LMS and sends it again if needed."
        case State.TRANSMITTED:
            return f"{next_sync} brings it up to date."
        case State.PENDING | State.DELETED:
            return f"{next_sync} sends it."


def _next_attempt(row: ContentMetadataItemTransmission, now: datetime) -> str:
    if row.next_attempt_at is None or row.next_attempt_at <= now:
        return f"next attempt in the next sync, {_due(row.configuration, now)}"
    attempt = f"next attempt on {moment_text(row.next_attempt_at)}"
    if row.state == State.REJECTED and row.action != Action.DELETE:
        return f"{attempt}, or when its content changes"
    return attempt


def _due(configuration: ChannelConfiguration, now: datetime) -> str:
    due = configuration.next_sync_at
    return f"on {moment_text(due)}" if due and due > now else "which is due now"


def _tries(failures: int) -> str:
    return "Tried once" if failures == 1 else f"Tried {failures} times"


def _run_in_words(run: SyncRun) -> str:
    match RunState(run.state):
        case RunState.RUNNING:
            return f"A sync has been running since {moment_text(run.started_at)}."
        case RunState.STOPPED:
            return _because(f"The last sync, on {moment_text(run.started_at)}, stopped", _sentence(run.reason))
        case RunState.ABANDONED:
            return _because(f"The last sync, on {moment_text(run.started_at)}, was abandoned", _sentence(run.reason))
        case RunState.COMPLETE | RunState.INCOMPLETE:
            return ""


def _because(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else f"{what}."


def _sentence(reason: str) -> str:
    text = reason.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _joined(*sentences: str) -> str:
    return " ".join(sentence.strip() for sentence in sentences if sentence)
