"""A run in words: its results, the reason why it stopped, and the items that are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.domain import FAILURES, Action, Outcome
from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import RunState, SyncRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.integrated_channels.models import TransmissionAttempt

#: Number of failed attempts on the page of a run.
MAX_FAILED: Final = 20

#: State -> name of its color.
RUN_TONES: Final[Mapping[RunState, str]] = {
    RunState.RUNNING: "info",
    RunState.COMPLETE: "success",
    RunState.COMPLETE_EXCEPT: "success",
    RunState.INCOMPLETE: "warning",
    RunState.STOPPED: "danger",
    RunState.ABANDONED: "danger",
}
_CONTINUES: Final = _("Nothing to do. The next run continues.")
#: Cause of an early end -> cause and remedy in words. A newer version may have stored other causes.
_STOPS: Final[Mapping[str, tuple[StrOrPromise, StrOrPromise]]] = {
    StopCause.CREDENTIALS: (
        _("The run stopped, because the LMS rejects the credentials."),
        _("Replace the credentials in the configuration, then use “Test and save”."),
    ),
    StopCause.CONFIGURATION: (
        _("The run stopped, because the configuration does not fit the LMS."),
        _("Correct the configuration, then use “Test and save”."),
    ),
    StopCause.THROTTLED: (_("The run ended early, because the LMS accepts no more calls for now."), _CONTINUES),
    StopCause.BUDGET: (_("The run made as many calls as the LMS's rate limit allows."), _CONTINUES),
    StopCause.UNAVAILABLE: (
        _("The run stopped, because several calls to the LMS failed in a row."),
        _("The next run tries again. If it stops too, check the connection."),
    ),
    StopCause.TOO_SLOW: (
        _("The run stopped, because the LMS responds too slowly."),
        _("The next run continues after a pause. If it stops too, ask the LMS's administrator for the cause."),
    ),
    StopCause.TIME_LIMIT: (_("The run reached its time limit."), _CONTINUES),
    StopCause.REQUESTED: (_("The run stopped, because its process was asked to stop."), _CONTINUES),
    StopCause.CATALOG: (
        _("The run stopped, because the catalog service did not respond correctly."),
        _("The next run tries again. If it stops too, check the catalog service with the command “doctor”."),
    ),
    StopCause.OTHER: (_("The run could not continue."), _("Fix the problem, then sync again.")),
}

# The plural depends on "number"; "n" is the same number with separators.
_DONE: Final = {
    Action.CREATE: ngettext_lazy("Created %(n)s item.", "Created %(n)s items.", "number"),
    Action.UPDATE: ngettext_lazy("Updated %(n)s item.", "Updated %(n)s items.", "number"),
    Action.DELETE: ngettext_lazy("Deleted %(n)s item.", "Deleted %(n)s items.", "number"),
}
_FAILED: Final = {
    Action.CREATE: ngettext_lazy("%(n)s item was not created.", "%(n)s items were not created.", "number"),
    Action.UPDATE: ngettext_lazy("%(n)s item was not updated.", "%(n)s items were not updated.", "number"),
    Action.DELETE: ngettext_lazy("%(n)s item was not deleted.", "%(n)s items were not deleted.", "number"),
}
_STAGED: Final = ngettext_lazy("Put %(n)s item into the feed.", "Put %(n)s items into the feed.", "number")
_UNCHANGED: Final = ngettext_lazy(
    "%(n)s item changed in a way that does not affect the LMS; nothing was sent for it.",
    "%(n)s items changed in a way that does not affect the LMS; nothing was sent for them.",
    "number",
)
_WITHDRAWN: Final = ngettext_lazy(
    "%(n)s item left the catalogs before it was ever sent.",
    "%(n)s items left the catalogs before they were ever sent.",
    "number",
)
#: Column of a run -> the sentence about these items.
_LEFT: Final = {
    "backlog": ngettext_lazy(
        "%(n)s item is left for the next run.", "%(n)s items are left for the next run.", "number"
    ),
    "waiting": ngettext_lazy(
        "%(n)s item waits for its next attempt.", "%(n)s items wait for their next attempt.", "number"
    ),
    "dead": ngettext_lazy("%(n)s item is a dead letter.", "%(n)s items are dead letters.", "number"),
    "held": ngettext_lazy("%(n)s delete waits for approval.", "%(n)s deletes wait for approval.", "number"),
    "kept": ngettext_lazy("%(n)s item was kept by a user.", "%(n)s items were kept by users.", "number"),
    "staged": ngettext_lazy(
        "%(n)s item is in the feed, not fetched yet.", "%(n)s items are in the feed, not fetched yet.", "number"
    ),
    "matched": ngettext_lazy("%(n)s item was already up to date.", "%(n)s items were already up to date.", "number"),
}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in sentences."""

    tone: str  #: ``success``, ``warning``, ``danger`` or ``info``.
    did: list[str]  #: One sentence per action; a single sentence if nothing was sent.
    ended: str  #: How it ended, and why.
    what_to_do: str  #: Empty if it went to its end.
    left: list[str]  #: Items that were not sent, one sentence per kind.


def summarize(run: SyncRun) -> RunSummary:
    """Return the run in sentences."""
    did = list(_did(run)) or [_nothing(run)]
    return RunSummary(RUN_TONES[RunState(run.state)], did, _ended(run), _what_to_do(run), list(_left(run)))


def sent_items(run: SyncRun) -> int:
    """Return the number of items that the LMS accepted, or that were put into the feed."""
    return sum(outcomes.get(each, 0) for outcomes in run.counts.values() for each in (Outcome.DONE, Outcome.STAGED))


def failed_items(run: SyncRun) -> int:
    """Return the number of items that failed, or could not be sent."""
    return sum(outcomes.get(each, 0) for outcomes in run.counts.values() for each in FAILURES)


def failed_attempts(run: SyncRun) -> list[TransmissionAttempt]:
    """Return the first failed attempts of the run with their transmissions; at most 20."""
    failed = run.attempts.filter(outcome__in=FAILURES).order_by("outcome", "id")
    return list(failed.select_related("transmission")[:MAX_FAILED])


def _did(run: SyncRun) -> Iterator[str]:
    for action in Action:
        outcomes: Mapping[str, int] = run.counts.get(action.value, {})
        numbers = (
            (_DONE[action], outcomes.get(Outcome.DONE, 0)),
            (_STAGED, outcomes.get(Outcome.STAGED, 0)),
            (_FAILED[action], sum(outcomes.get(each, 0) for each in FAILURES)),
            (_UNCHANGED, outcomes.get(Outcome.UNCHANGED, 0)),
            (_WITHDRAWN, outcomes.get(Outcome.WITHDRAWN, 0)),
        )
        yield from _sentences(numbers)


def _sentences(numbers: Iterable[tuple[StrOrPromise, int]]) -> Iterator[str]:
    """Yield the sentence about each number that is not 0."""
    for text, number in numbers:
        if number:
            yield str(text % {"number": number, "n": f"{number:,}"})


def _nothing(run: SyncRun) -> str:
    if run.state == RunState.RUNNING:
        return gettext("Results appear when the run ends.")
    return gettext("Sent nothing.")


def _ended(run: SyncRun) -> str:
    reason = run.reason.strip()
    if run.stop_cause in _STOPS:
        return f"{_STOPS[run.stop_cause][0]} {reason}".strip()
    match RunState(run.state):
        case RunState.RUNNING:
            text = gettext("The run has not ended yet.")
        case RunState.COMPLETE:
            text = gettext("The run went to its end. The LMS equals the catalogs.")
        case RunState.COMPLETE_EXCEPT:
            text = gettext("The run went to its end. The LMS equals the catalogs, except for rejected and kept items.")
        case RunState.INCOMPLETE if reason:
            text = gettext("The run ended, but some items are not up to date.")
        case RunState.INCOMPLETE:
            text = gettext("The run went to its end, but some items are not up to date.")
        case RunState.STOPPED:
            text = gettext("The run could not continue.")
        case RunState.ABANDONED:
            text = gettext("The run was abandoned; a later run continued.")
    return f"{text} {reason}".strip()


def _what_to_do(run: SyncRun) -> str:
    if run.stop_cause not in _STOPS:
        return ""
    if SyncRun.objects.filter(configuration=run.configuration_id, started_at__gt=run.started_at).exists():
        return gettext("A later run has started. See the configuration for the present state.")
    return str(_STOPS[run.stop_cause][1])


def _left(run: SyncRun) -> Iterator[str]:
    return _sentences((text, getattr(run, column)) for column, text in _LEFT.items())
