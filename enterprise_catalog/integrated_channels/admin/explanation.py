"""Explains a transmission's row in words: the current state in the LMS, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.rendering import moment_text
from enterprise_catalog.integrated_channels.domain import Action, Presence, State
from enterprise_catalog.integrated_channels.models import RunState

if TYPE_CHECKING:
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

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

#: Action -> sentence about a failure, without its reason.
_COULD_NOT: Final = {
    Action.CREATE: _("Could not be created"),
    Action.UPDATE: _("Could not be updated"),
    Action.DELETE: _("Could not be deleted"),
}
_GIVEN_UP: Final = {
    Action.CREATE: _("Given up: it could not be created"),
    Action.UPDATE: _("Given up: it could not be updated"),
    Action.DELETE: _("Given up: it could not be deleted"),
}


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
            return _joined(gettext("Not sent yet."), reason)
        case State.IN_DOUBT:
            return _joined(gettext("In doubt."), reason)
        case State.STAGED if row.action == Action.DELETE:
            return _joined(gettext("Left the catalogs; the feed marks it as retired."), reason)
        case State.STAGED:
            return reason
        case State.RETRYING:
            return _because(_COULD_NOT[Action(row.action)], reason)
        case State.REJECTED:
            return _because(gettext("Rejected"), reason)
        case State.HELD | State.KEPT:
            return reason
        case State.DEAD_LETTER:
            return _because(_GIVEN_UP[Action(row.action)], reason)
        case State.TRANSMITTED if row.action == Action.DELETE:
            return _joined(gettext("Left the catalogs and is still in the LMS."), reason)
        case State.TRANSMITTED:
            since = {"time": moment_text(row.remote_created_at)}
            return _joined(gettext("In the LMS since %(time)s.") % since, reason)
        case State.DELETED if row.action != Action.DELETE:
            return _joined(gettext("Returned to the catalogs and is not in the LMS yet."), reason)
        case State.DELETED if row.remote_deleted_at:
            since = {"time": moment_text(row.remote_deleted_at)}
            return _joined(gettext("Left the catalogs; deleted from the LMS on %(time)s.") % since, reason)
        case State.DELETED:
            return _joined(gettext("Not in the LMS."), reason)


def _presence_in_words(row: ContentMetadataItemTransmission) -> str:
    if row.state == State.DELETED:
        return ""  # Covered by the state's sentence.
    match Presence(row.presence):
        case Presence.ABSENT:
            return gettext("The LMS does not have it.")
        case Presence.UNKNOWN:
            return gettext("It is unknown whether the LMS has it.")
        case Presence.PRESENT if row.content_updated_at:
            return gettext("The LMS has the version of %(time)s.") % {"time": moment_text(row.content_updated_at)}
        case Presence.PRESENT:
            return gettext("The LMS has it.")


def _prospect(row: ContentMetadataItemTransmission, now: datetime) -> str:  # noqa: C901, PLR0911  (one sentence a state)
    if not row.configuration.active:
        return gettext("Nothing will be sent: the configuration is inactive. Activate it to resume syncing.")
    due = {"due": _due(row.configuration, now)}
    match State(row.state):
        case State.RETRYING | State.REJECTED:
            return f"{_tries(row.attempts)} {_next_attempt(row, now)}"
        case State.STAGED:
            return gettext("It counts as transmitted when a later poll by the LMS acknowledges it.")
        case State.HELD:
            return gettext(
                "It is deleted when a user approves the configuration's held deletes. "
                "It stays if it returns to the catalogs."
            )
        case State.KEPT:
            return gettext(
                "It stays in the LMS unless its delete is approved. It is synced again if it returns to the catalogs."
            )
        case State.DEAD_LETTER:
            again = gettext("It is sent again when its content changes or a user queues it again.")
            return f"{_tries(row.attempts)} {again}"
        case State.DELETED if _is_settled(row):
            return gettext("It is created again if it returns to the catalogs.")
        case State.TRANSMITTED if _is_settled(row):
            return gettext("Nothing to do until its content changes.")
        case State.TRANSMITTED if row.action == Action.DELETE:
            return gettext("The next sync, %(due)s, deletes it.") % due
        case State.IN_DOUBT:
            return gettext("The next sync, %(due)s, checks the LMS and sends it again if needed.") % due
        case State.TRANSMITTED:
            return gettext("The next sync, %(due)s, brings it up to date.") % due
        case State.PENDING | State.DELETED:
            return gettext("The next sync, %(due)s, sends it.") % due


def _next_attempt(row: ContentMetadataItemTransmission, now: datetime) -> str:
    if row.next_attempt_at is None or row.next_attempt_at <= now:
        return gettext("Next attempt in the next sync, %(due)s.") % {"due": _due(row.configuration, now)}
    time = {"time": moment_text(row.next_attempt_at)}
    if row.state == State.REJECTED and row.action != Action.DELETE:
        return gettext("Next attempt on %(time)s, or when its content changes.") % time
    return gettext("Next attempt on %(time)s.") % time


def _due(configuration: ChannelConfiguration, now: datetime) -> str:
    due = configuration.next_sync_at
    return gettext("on %(time)s") % {"time": moment_text(due)} if due and due > now else gettext("which is due now")


def _tries(failures: int) -> str:
    return ngettext("Tried once.", "Tried %(number)d times.", failures) % {"number": failures}


def _run_in_words(run: SyncRun) -> str:
    started = {"time": moment_text(run.started_at)}
    match RunState(run.state):
        case RunState.RUNNING:
            return gettext("A sync has been running since %(time)s.") % started
        case RunState.STOPPED:
            return _because(gettext("The last sync, on %(time)s, stopped") % started, _sentence(run.reason))
        case RunState.ABANDONED:
            return _because(gettext("The last sync, on %(time)s, was abandoned") % started, _sentence(run.reason))
        case RunState.COMPLETE | RunState.INCOMPLETE:
            return ""


def _because(what: StrOrPromise, reason: str) -> str:
    return f"{what}: {reason}" if reason else f"{what}."


def _sentence(reason: str) -> str:
    text = reason.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _joined(*sentences: str) -> str:
    return " ".join(sentence.strip() for sentence in sentences if sentence)
