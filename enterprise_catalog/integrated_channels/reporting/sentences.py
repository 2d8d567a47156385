"""Cause and remedy in words, and the action that helps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import RunState
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.wording import (
    because,
    due_text,
    joined,
    plain,
    quoted,
    refresh_notes,
    tries_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.integrated_channels.reporting.facts import Facts


class Remedy(StrEnum):
    """Names of the actions of the admin and the API that help."""

    SYNC_NOW = "sync_now"
    SEND_AGAIN = "send_again"
    REQUEUE = "requeue"
    APPROVE_DELETES = "approve_deletes"
    DELETE_KEPT = "delete_kept"
    RESUME = "resume"
    REPLACE_CREDENTIALS = "replace_credentials"
    CHECK_CONNECTION = "check_connection"
    CONFIGURE = "configure"


@dataclass(frozen=True, slots=True)
class Statement:
    """A cause in words."""

    sentence: str  #: What is the case.
    what_to_do: str
    remedy: Remedy | None = None


#: Action -> sentence about a failure, without its reason.
_COULD_NOT: Final = {
    Action.CREATE: _("It could not be created"),
    Action.UPDATE: _("It could not be updated"),
    Action.DELETE: _("It could not be deleted"),
}


def state_cause(facts: Facts, cause: Cause) -> Statement:
    """Return the cause and the remedy in words."""
    statement = _STATEMENTS[cause](facts)
    return replace(
        statement, sentence=joined(statement.sentence, refresh_notes(facts.catalogs, is_desired=facts.is_in_catalog))
    )


def _in_lms(facts: Facts) -> Statement:
    row = facts.rows.row
    version = row.content_updated_at if row else None
    now = (
        gettext("The LMS has the newest version, of %(time)s.") % {"time": moment_text(version)}
        if version
        else gettext("The LMS has it.")
    )
    if facts.is_payload_unchanged and facts.step and not facts.rows.is_running:
        now = joined(now, _unchanged(facts))
    seen = gettext("Checked now: learners see it.") if facts.live and facts.live.is_offered else ""
    if not facts.configuration.active:
        return Statement(
            joined(now, seen),
            gettext("The configuration is inactive, so later changes are not sent. Resume syncing to send them."),
            Remedy.RESUME,
        )
    return Statement(joined(now, seen), gettext("Nothing to do until its content changes."))


def _unchanged(facts: Facts) -> str:
    is_newer = facts.item is not None and facts.record is not None and not facts.record.has_version_of(facts.item)
    return gettext("It has changed since, but not in what this LMS shows of it.") if is_newer else ""


def _missing(facts: Facts) -> Statement:
    return Statement(
        gettext("It was sent on %(time)s, but the LMS no longer has it: it was deleted there.") % _sent_at(facts),
        gettext("Send it again; the next sync then creates it."),
        Remedy.SEND_AGAIN,
    )


def _hidden(facts: Facts) -> Statement:
    return Statement(
        gettext("It was sent on %(time)s, but the LMS hides it from learners: it was hidden there.") % _sent_at(facts),
        gettext("Send it again; the next sync then shows it."),
        Remedy.SEND_AGAIN,
    )


def _sent_at(facts: Facts) -> Mapping[str, str]:
    row = facts.rows.row
    return {"time": moment_text(row.remote_updated_at or row.remote_created_at if row else None)}


def _not_in_catalog(facts: Facts) -> Statement:
    row = facts.rows.row
    add = gettext("To send it, add it to one of the catalogs that this configuration sends.")
    if row is not None and row.remote_deleted_at:
        removed = gettext("It left the catalogs, and was deleted from the LMS on %(time)s.")
        return Statement(
            removed % {"time": moment_text(row.remote_deleted_at)},
            gettext("Nothing to do. It is created again if it returns to the catalogs."),
        )
    if row is not None:
        return Statement(gettext("It left the catalogs before it was sent."), add)
    if facts.lookup is not None and not facts.lookup.is_known:
        return Statement(
            gettext("The catalog service has no content with this key."),
            gettext("Check the key. If it is right, the content has not been imported yet."),
        )
    if not facts.catalogs:
        return Statement(gettext("The customer has no catalog."), gettext("Create a catalog for the customer."))
    none = ngettext(
        "The customer's catalog does not contain it.",
        "None of the customer's %(number)d catalogs contains it.",
        len(facts.catalogs),
    )
    return Statement(none % {"number": len(facts.catalogs)}, add)


def _not_sent(facts: Facts) -> Statement:
    containing = quoted(catalog.title for catalog in facts.catalogs if catalog.contains)
    sent = quoted(catalog.title for catalog in facts.catalogs if catalog.uuid in facts.sent)
    return Statement(
        gettext("It is in catalog %(containing)s, but this configuration sends only %(sent)s.")
        % {"containing": containing, "sent": sent},
        gettext("Add the catalog to the configuration, or the course to a catalog that is sent."),
        Remedy.CONFIGURE,
    )


def _other_spelling(facts: Facts) -> Statement:
    return Statement(
        gettext("No content has exactly this key. Keys are compared exactly, including case and spaces."),
        gettext("Look up %(keys)s instead.") % {"keys": _suggested(facts)},
    )


def _run_key(facts: Facts) -> Statement:
    return Statement(
        gettext("This is the key of a course run. Catalogs contain courses, which have other keys."),
        gettext("Look up %(keys)s instead.") % {"keys": _suggested(facts)},
    )


def _suggested(facts: Facts) -> str:
    suggestions = facts.lookup.suggestions if facts.lookup else ()
    return quoted(each.content_key for each in suggestions if each.match != "title")


def _unknown(facts: Facts) -> Statement:
    del facts
    return Statement(
        gettext("It was never sent. The reason is unknown, because the catalog service gave no usable response."),
        gettext("Try again when the catalog service responds."),
    )


def _running(facts: Facts) -> Statement:
    run = facts.rows.last_run
    since = {"time": moment_text(run.started_at if run else None)}
    return Statement(
        gettext("A sync has been running since %(time)s, and has not recorded a result for it yet.") % since,
        gettext("Wait until the sync has ended, and reload this page."),
    )


def _inactive(facts: Facts) -> Statement:
    configuration = facts.configuration
    sentence = gettext("Nothing is sent, because the configuration is inactive.")
    if configuration.paused_at:
        paused = gettext("Nothing is sent, because the configuration was paused on %(time)s")
        sentence = because(paused % {"time": moment_text(configuration.paused_at)}, configuration.pause_reason)
    return Statement(sentence, gettext("Resume syncing when the reason for the pause is gone."), Remedy.RESUME)


def _never_synced(facts: Facts) -> Statement:
    return Statement(
        gettext("It belongs in the LMS, but this configuration has never been synced."),
        gettext("The first sync, %(due)s, sends it.") % _due(facts),
        Remedy.SYNC_NOW,
    )


def _credentials(facts: Facts) -> Statement:
    return Statement(
        _stopped_because(
            facts, gettext("The last sync, on %(time)s, stopped, because the LMS rejects the credentials")
        ),
        gettext("Replace the credentials. If you already have, sync now."),
        Remedy.REPLACE_CREDENTIALS,
    )


def _configuration(facts: Facts) -> Statement:
    if facts.problem:
        sentence = because(gettext("This configuration cannot be synced"), facts.problem)
    else:
        stopped = gettext("The last sync, on %(time)s, stopped, because the configuration does not fit the LMS")
        sentence = _stopped_because(facts, stopped)
    return Statement(sentence, gettext("Correct the configuration."), Remedy.CONFIGURE)


def _throttled(facts: Facts) -> Statement:
    return Statement(
        _stopped_because(facts, gettext("The last sync, on %(time)s, paused, because the LMS accepted no more calls")),
        gettext("Nothing to do. The next sync, %(due)s, sends it.") % _due(facts),
    )


def _out_of_calls(facts: Facts) -> Statement:
    return Statement(
        _stopped_because(facts, gettext("The last sync, on %(time)s, made as many calls as the LMS allows")),
        gettext("Nothing to do. The next sync, %(due)s, continues.") % _due(facts),
    )


def _stopped(facts: Facts) -> Statement:
    return Statement(
        _stopped_because(facts, gettext("The last sync, on %(time)s, stopped before it was sent")),
        gettext("The next sync, %(due)s, tries again. If it stops again, check the connection.") % _due(facts),
        Remedy.CHECK_CONNECTION,
    )


def _stopped_because(facts: Facts, statement: str) -> str:
    run = facts.rows.last_run
    assert run is not None  # the cause comes from it
    return because(statement % {"time": moment_text(run.started_at)}, run.reason)


def _left_over(facts: Facts) -> Statement:
    run = facts.rows.last_run
    left = run.backlog if run else 0
    text = ngettext(
        "The last sync reached its limit before the turn of this item; %(number)s item was left over.",
        "The last sync reached its limit before the turn of this item; %(number)s items were left over.",
        left,
    )
    return Statement(
        text % {"number": f"{left:,}"},
        gettext("The next sync, %(due)s, continues with the items that have waited longest.") % _due(facts),
        Remedy.SYNC_NOW,
    )


def _planned(facts: Facts) -> Statement:
    sentence = joined(gettext("It has not been sent yet."), plain(facts.reason), _last_run(facts))
    if facts.record is not None and facts.record.is_deleted:
        sentence = joined(gettext("It has returned to the catalogs, and is not in the LMS yet."), _last_run(facts))
    return Statement(sentence, gettext("The next sync, %(due)s, sends it.") % _due(facts), Remedy.SYNC_NOW)


def _update_pending(facts: Facts) -> Statement:
    record, item = facts.record, facts.item
    if record is not None and item is not None and not record.has_version_of(item) and record.content_updated_at:
        versions = {"there": moment_text(record.content_updated_at), "here": moment_text(item.updated_at)}
        sentence = gettext("The LMS has the version of %(there)s; the catalog has the version of %(here)s.") % versions
    else:
        sentence = joined(gettext("The LMS may have an older version."), plain(facts.reason))
    return Statement(
        joined(sentence, _last_run(facts)),
        gettext("The next sync, %(due)s, updates it.") % _due(facts),
        Remedy.SYNC_NOW,
    )


def _rejected_by_channel(facts: Facts) -> Statement:
    cannot = gettext("%(channel)s cannot hold it") % {"channel": facts.channel_label}
    return Statement(
        because(cannot, facts.refusal or facts.reason),
        gettext("Correct the content at its source. It is sent when its content changes."),
    )


def _rejected_by_lms(facts: Facts) -> Statement:
    return Statement(
        joined(because(gettext("The LMS rejected it"), facts.reason), _tries(facts)),
        joined(gettext("Fix the problem that the reason names, and send it again."), _next_attempt(facts)),
        Remedy.SEND_AGAIN,
    )


def _retrying(facts: Facts) -> Statement:
    return Statement(
        joined(because(_failure(facts), facts.reason), _tries(facts)),
        joined(_next_attempt(facts), gettext("To try earlier, send it again.")),
        Remedy.SEND_AGAIN,
    )


def _dead_letter(facts: Facts) -> Statement:
    tries = facts.rows.row.attempts if facts.rows.row else 0
    given_up = ngettext("given up after %(number)d attempt", "given up after %(number)d attempts", tries)
    statement = f"{_failure(facts)}; {given_up % {'number': tries}}"
    return Statement(
        because(statement, facts.reason),
        gettext("Fix the problem that the reason names, and queue it again. It is also sent when its content changes."),
        Remedy.REQUEUE,
    )


def _in_doubt(facts: Facts) -> Statement:
    return Statement(
        gettext("It was sent, but the run ended before the LMS responded. The LMS may or may not have it."),
        gettext("The next sync, %(due)s, checks the LMS, and sends it again if needed.") % _due(facts),
        Remedy.SYNC_NOW,
    )


def _in_feed(facts: Facts) -> Statement:
    entry, label = facts.rows.feed_item, {"channel": facts.channel_label}
    since = moment_text(facts.rows.row.last_attempt_at if facts.rows.row else None)
    if facts.record is not None and facts.record.action is Action.DELETE:
        start = gettext("It left the catalogs; the feed has marked it as retired since %(time)s") % {"time": since}
    else:
        start = gettext("It has been in the feed since %(time)s") % {"time": since}
    if entry is not None and entry.served_at:
        served = {"time": moment_text(entry.served_at)}
        return Statement(
            f"{start}. " + gettext("%(channel)s fetched it on %(time)s.") % {**label, **served},
            gettext("Nothing to do. It counts as transmitted when the next poll acknowledges it."),
        )
    return Statement(
        f"{start}. " + gettext("%(channel)s has not fetched it since.") % label,
        gettext("Check that %(channel)s polls the feed, with the credentials of this configuration.") % label,
    )


def _held(facts: Facts) -> Statement:
    return Statement(
        joined(
            gettext("It left the catalogs and is still in the LMS; its delete waits for approval."), plain(facts.reason)
        ),
        gettext("Approve the delete, or keep the item. It stays if it returns to the catalogs."),
        Remedy.APPROVE_DELETES,
    )


def _kept(facts: Facts) -> Statement:
    return Statement(
        joined(gettext("It left the catalogs, and a user decided to keep it in the LMS."), plain(facts.reason)),
        gettext("Nothing to do. To delete it, approve its delete."),
        Remedy.DELETE_KEPT,
    )


def _delete_approved(facts: Facts) -> Statement:
    return Statement(
        joined(gettext("It is still in the LMS."), plain(facts.reason), _last_run(facts)),
        gettext("The next sync, %(due)s, deletes it.") % _due(facts),
        Remedy.SYNC_NOW,
    )


def _delete_pending(facts: Facts) -> Statement:
    is_begun = facts.record is not None and facts.record.action is Action.DELETE
    unless = "" if is_begun else gettext("If too many items left at once, the delete waits for approval.")
    return Statement(
        joined(gettext("It left the catalogs and is still in the LMS."), _last_run(facts)),
        joined(gettext("The next sync, %(due)s, deletes it.") % _due(facts), unless),
        Remedy.SYNC_NOW,
    )


def _due(facts: Facts) -> Mapping[str, str]:
    return {"due": due_text(facts.configuration, facts.now)}


def _tries(facts: Facts) -> str:
    return tries_text(facts.rows.row.attempts) if facts.rows.row and facts.rows.row.attempts else ""


def _failure(facts: Facts) -> str:
    return str(_COULD_NOT[facts.record.action if facts.record else Action.CREATE])


def _next_attempt(facts: Facts) -> str:
    record = facts.record
    if record is None or record.next_attempt_at is None or record.next_attempt_at <= facts.now:
        return gettext("Next attempt in the next sync, %(due)s.") % _due(facts)
    time = {"time": moment_text(record.next_attempt_at)}
    if record.state is State.REJECTED and record.action is not Action.DELETE:
        return gettext("Next attempt on %(time)s, or when its content changes.") % time
    return gettext("Next attempt on %(time)s.") % time


def _last_run(facts: Facts) -> str:
    """Return how the last run ended, if it could not go to its end."""
    run = facts.rows.last_run
    if run is None:
        return ""
    started = {"time": moment_text(run.started_at)}
    if run.state == RunState.STOPPED:
        return because(gettext("The last sync, on %(time)s, stopped") % started, run.reason)
    if run.state == RunState.ABANDONED:
        return because(gettext("The last sync, on %(time)s, was abandoned") % started, run.reason)
    return ""


_STATEMENTS: Final[Mapping[Cause, Callable[[Facts], Statement]]] = {
    Cause.IN_LMS: _in_lms,
    Cause.MISSING_IN_LMS: _missing,
    Cause.HIDDEN_IN_LMS: _hidden,
    Cause.NOT_IN_CATALOG: _not_in_catalog,
    Cause.CATALOG_NOT_SENT: _not_sent,
    Cause.OTHER_SPELLING: _other_spelling,
    Cause.RUN_KEY: _run_key,
    Cause.UNKNOWN: _unknown,
    Cause.RUNNING: _running,
    Cause.INACTIVE: _inactive,
    Cause.NEVER_SYNCED: _never_synced,
    Cause.CREDENTIALS: _credentials,
    Cause.CONFIGURATION: _configuration,
    Cause.THROTTLED: _throttled,
    Cause.OUT_OF_CALLS: _out_of_calls,
    Cause.STOPPED: _stopped,
    Cause.LEFT_OVER: _left_over,
    Cause.PLANNED: _planned,
    Cause.UPDATE_PENDING: _update_pending,
    Cause.REJECTED_BY_CHANNEL: _rejected_by_channel,
    Cause.REJECTED_BY_LMS: _rejected_by_lms,
    Cause.RETRYING: _retrying,
    Cause.DEAD_LETTER: _dead_letter,
    Cause.IN_DOUBT: _in_doubt,
    Cause.IN_FEED: _in_feed,
    Cause.HELD: _held,
    Cause.KEPT: _kept,
    Cause.DELETE_APPROVED: _delete_approved,
    Cause.DELETE_PENDING: _delete_pending,
}
