"""The cause that follows from the facts: why an item is, or is not, in the LMS as it should be."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import Action, Outcome, PlannedItem, State
from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import Comparison
from enterprise_catalog.integrated_channels.sync.plan import Idle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.reporting.facts import Facts


class Cause(StrEnum):
    """Reasons why an item is, or is not, in the LMS as it should be."""

    IN_LMS = "in_lms"
    MISSING_IN_LMS = "missing_in_lms"  #: Deleted by hand.
    HIDDEN_IN_LMS = "hidden_in_lms"
    NOT_IN_CATALOG = "not_in_catalog"
    CATALOG_NOT_SENT = "catalog_not_sent"
    OTHER_SPELLING = "other_spelling"
    RUN_KEY = "run_key"
    UNKNOWN = "unknown"  #: The catalog service gave no usable response, and there is no row.
    RUNNING = "running"
    INACTIVE = "inactive"
    NEVER_SYNCED = "never_synced"
    CREDENTIALS = "credentials"
    CONFIGURATION = "configuration"
    THROTTLED = "throttled"
    OUT_OF_CALLS = "out_of_calls"
    STOPPED = "stopped"
    LEFT_OVER = "left_over"
    PLANNED = "planned"
    UPDATE_PENDING = "update_pending"
    REJECTED_BY_CHANNEL = "rejected_by_channel"
    REJECTED_BY_LMS = "rejected_by_lms"
    RETRYING = "retrying"
    DEAD_LETTER = "dead_letter"
    IN_DOUBT = "in_doubt"
    IN_FEED = "in_feed"
    HELD = "held"
    KEPT = "kept"
    DELETE_APPROVED = "delete_approved"
    DELETE_PENDING = "delete_pending"


#: Cause of a run's early end -> cause for the items that it did not send.
_OF_STOPS: Final[Mapping[StopCause | None, Cause]] = {
    StopCause.CREDENTIALS: Cause.CREDENTIALS,
    StopCause.CONFIGURATION: Cause.CONFIGURATION,
    StopCause.THROTTLED: Cause.THROTTLED,
    StopCause.BUDGET: Cause.OUT_OF_CALLS,
    StopCause.UNAVAILABLE: Cause.STOPPED,
    StopCause.TOO_SLOW: Cause.STOPPED,
    StopCause.CATALOG: Cause.STOPPED,
    StopCause.OTHER: Cause.STOPPED,
}
#: Stops that a user has to end: no retry succeeds before.
_LASTING: Final = (Cause.CREDENTIALS, Cause.CONFIGURATION)
#: Steps whose cause does not depend on anything else.
_OF_STEPS: Final[Mapping[Idle, Cause]] = {
    Idle.STAGED: Cause.IN_FEED,
    Idle.DEAD: Cause.DEAD_LETTER,
    Idle.KEPT: Cause.KEPT,
    Idle.WITHDRAWN: Cause.NOT_IN_CATALOG,
}


def find_cause(facts: Facts) -> Cause:
    """Return why the item is, or is not, in the LMS as it should be."""
    step = facts.step
    if step is None:
        return _why_not_desired(facts)
    if step in (Idle.MATCHED, Idle.BACK) or facts.is_payload_unchanged:
        return _live_cause(facts)
    if not facts.configuration.active:
        return Cause.RUNNING if facts.rows.is_running else Cause.INACTIVE
    if facts.problem:
        return Cause.CONFIGURATION
    if isinstance(step, Idle):
        return _why_waiting(facts) if step is Idle.WAITING else _OF_STEPS[step]
    return _why_not_sent_yet(facts, step)


def next_action(facts: Facts, cause: Cause) -> Action | None:
    """Return what the next sync does with the item in the LMS; ``None`` for nothing.

    A pending delete may still be held, if the next sync finds more deletes than the limit.
    """
    is_blocked = not facts.configuration.active or facts.problem or facts.refusal or facts.is_payload_unchanged
    if not isinstance(facts.step, PlannedItem) or cause is Cause.HELD:
        return None
    if facts.step.action is Action.DELETE:
        return Action.DELETE if facts.configuration.active and not facts.problem else None
    return None if is_blocked else facts.step.action


def _why_not_desired(facts: Facts) -> Cause:
    if facts.lookup is None:
        return Cause.UNKNOWN if facts.record is None else Cause.NOT_IN_CATALOG
    if facts.is_in_catalog:
        return Cause.CONFIGURATION if facts.problem else Cause.CATALOG_NOT_SENT
    matches = {suggestion.match for suggestion in facts.lookup.suggestions}
    if facts.record is None and matches & {"spaces", "case"}:
        return Cause.OTHER_SPELLING
    return Cause.RUN_KEY if facts.record is None and "run" in matches else Cause.NOT_IN_CATALOG


def _live_cause(facts: Facts) -> Cause:
    if facts.live is None or facts.live.problem or facts.live.is_offered:
        return Cause.IN_LMS
    return Cause.HIDDEN_IN_LMS if facts.live.is_there else Cause.MISSING_IN_LMS


def _why_waiting(facts: Facts) -> Cause:
    """Return the cause for an item whose next attempt is not due."""
    if (stop := _OF_STOPS.get(facts.stop_cause)) in _LASTING:
        return stop
    return _why_rejected(facts) if facts.state is State.REJECTED else Cause.RETRYING


def _why_rejected(facts: Facts) -> Cause:
    if facts.refusal:
        return Cause.REJECTED_BY_CHANNEL
    if facts.translation is not None or facts.item is None:
        return Cause.REJECTED_BY_LMS
    # The catalog service gave no usable response. A rejection by the channel has no attempt.
    newest = facts.rows.attempts[0] if facts.rows.attempts else None
    is_by_lms = newest is not None and newest.outcome == Outcome.REJECTED and newest.message == facts.reason
    return Cause.REJECTED_BY_LMS if is_by_lms else Cause.REJECTED_BY_CHANNEL


def _why_not_sent_yet(facts: Facts, step: PlannedItem) -> Cause:
    """Return the cause for an item that the next run sends or deletes."""
    is_delete, state = step.action is Action.DELETE, facts.state
    stop = _OF_STOPS.get(facts.stop_cause)
    has_failed = facts.record is not None and facts.record.next_attempt_at is not None
    #: In this order: the first cause that applies explains the most.
    causes: tuple[tuple[bool, Cause | None], ...] = (
        (is_delete and state is State.HELD, Cause.HELD),
        (not is_delete and bool(facts.refusal), Cause.REJECTED_BY_CHANNEL),
        (facts.rows.is_running, Cause.RUNNING),
        (facts.rows.last_run is None and facts.record is None, Cause.NEVER_SYNCED),
        (stop is not None, stop),
        (state is State.IN_DOUBT, Cause.IN_DOUBT),
        (has_failed and state is State.REJECTED, Cause.REJECTED_BY_LMS),
        (has_failed, Cause.RETRYING),
        (_is_left_over(facts), Cause.LEFT_OVER),
        (is_delete and _is_delete_begun(facts), Cause.DELETE_APPROVED),
        (is_delete, Cause.DELETE_PENDING),
        (step.action is Action.UPDATE, Cause.UPDATE_PENDING),
    )
    return next((cause for applies, cause in causes if applies and cause), Cause.PLANNED)


def _is_left_over(facts: Facts) -> bool:
    """Return True if the last run ended, because of a limit, before the turn of an item that was due.

    The backlog of a run that had nothing to send is what users have queued during the run.
    """
    run, record = facts.rows.last_run, facts.record
    if run is None or record is None or record.due_since is None or run.finished_at is None:
        return False
    if run.comparison == Comparison.UNCHANGED:
        return False
    return bool(run.backlog) and record.due_since <= run.finished_at


def _is_delete_begun(facts: Facts) -> bool:
    return facts.record is not None and facts.record.action is Action.DELETE and facts.state is State.PENDING
