"""Says in words what a transmission's row means: what holds at the learning system now, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.admin_pages.rendering import moment_text
from enterprise_catalog.integrated_channels.models import RunState
from enterprise_catalog.integrated_channels.types import Action, Presence, State

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import (
        ChannelConfiguration,
        ContentMetadataItemTransmission,
        SyncRun,
    )

#: How good or bad each state is; the names are those of the labels' colours.
STATE_TONES = {
    State.PENDING: "info",
    State.IN_DOUBT: "warning",
    State.TRANSMITTED: "success",
    State.RETRYING: "warning",
    State.REJECTED: "danger",
    State.DELETED: "",
}

_PARTICIPLES = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences about one transmission."""

    tone: str  #: One of the values of :data:`STATE_TONES`.
    now: str
    next: str


def explain(row: ContentMetadataItemTransmission, *, last_run: SyncRun | None, now: datetime) -> Explanation:
    """Return what the row means.

    Args:
        row: with its configuration loaded.
        last_run: the newest run of its configuration, which may be why nothing happened since.
        now: tells what is due from what is still to come.
    """
    state = State(row.state)
    sentences = [_state_in_words(row, state), _presence_in_words(row, state)]
    prospects = [_prospect(row, state, now)]
    if last_run and not _is_settled(row, state):
        prospects.append(_run_in_words(last_run))
    return Explanation(STATE_TONES[state], _joined(sentences), _joined(prospects))


def _state_in_words(row: ContentMetadataItemTransmission, state: State) -> str:
    action = Action(row.action)
    reason = _sentence(row.reason)
    match state:
        case State.PENDING:
            return f"Not sent yet. {reason}"
        case State.IN_DOUBT:
            return f"In doubt. {reason}"
        case State.RETRYING:
            return f"Could not be {_PARTICIPLES[action]}: {reason}"
        case State.REJECTED:
            return f"Rejected: {reason}"
        case State.DELETED if row.remote_deleted_at:
            return f"Deleted from the learning system on {moment_text(row.remote_deleted_at)}, since it left the catalogs."
        case State.DELETED:
            return f"Not in the learning system. {reason}"
        case State.TRANSMITTED if action is Action.DELETE:
            return f"Left the catalogs, but is still in the learning system. {reason}"
        case State.TRANSMITTED:
            return f"In the learning system since {moment_text(row.remote_created_at)}. {reason}"


def _presence_in_words(row: ContentMetadataItemTransmission, state: State) -> str:
    if state is State.DELETED:
        return ""
    match Presence(row.presence):
        case Presence.ABSENT:
            return "The learning system does not have it."
        case Presence.UNKNOWN:
            return "Whether the learning system has it is not known."
        case Presence.PRESENT if row.content_updated_at:
            return f"The learning system has the version of {moment_text(row.content_updated_at)}."
        case Presence.PRESENT:
            return "The learning system has it."


def _prospect(row: ContentMetadataItemTransmission, state: State, now: datetime) -> str:
    action, configuration = Action(row.action), row.configuration
    if not configuration.active:
        return "Nothing happens next: its configuration is switched off."
    match state:
        case State.DELETED:
            return "It is created again when it comes back to the catalogs."
        case State.TRANSMITTED if action is not Action.DELETE:
            return "Nothing is left to do until its content changes."
        case State.TRANSMITTED:
            return f"The next sync, {_due(configuration, now)}, deletes it."
        case State.PENDING:
            return f"The next sync, {_due(configuration, now)}, sends it."
        case State.IN_DOUBT:
            return f"The next sync, {_due(configuration, now)}, looks at the learning system and sends it again if needed."
        case State.RETRYING | State.REJECTED:
            return f"{_tries(row.attempts)}; {_next_attempt(row, state, now)}."


def _next_attempt(row: ContentMetadataItemTransmission, state: State, now: datetime) -> str:
    if row.next_attempt_at is None or row.next_attempt_at <= now:
        return f"next attempt with the next sync, {_due(row.configuration, now)}"
    attempt = f"next attempt on {moment_text(row.next_attempt_at)}"
    if state is State.REJECTED and row.action != Action.DELETE:
        return f"{attempt}, or when its content changes"
    return attempt


def _due(configuration: ChannelConfiguration, now: datetime) -> str:
    due = configuration.next_sync_at
    return f"due on {moment_text(due)}" if due and due > now else "which is due now"


def _tries(failures: int) -> str:
    return "Tried once" if failures == 1 else f"Tried {failures} times"


def _run_in_words(run: SyncRun) -> str:
    match RunState(run.state):
        case RunState.RUNNING:
            return f"A sync is running since {moment_text(run.started_at)}."
        case RunState.STOPPED:
            return f"The last sync, on {moment_text(run.started_at)}, could not go on: {_sentence(run.reason)}"
        case RunState.ABANDONED:
            return f"The last sync, on {moment_text(run.started_at)}, was abandoned: {_sentence(run.reason)}"
        case RunState.COMPLETE | RunState.INCOMPLETE:
            return ""


def _is_settled(row: ContentMetadataItemTransmission, state: State) -> bool:
    return state is State.DELETED or (state is State.TRANSMITTED and row.action != Action.DELETE)


def _sentence(reason: str) -> str:
    text = reason.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _joined(sentences: list[str]) -> str:
    return " ".join(sentence.strip() for sentence in sentences if sentence.strip())
