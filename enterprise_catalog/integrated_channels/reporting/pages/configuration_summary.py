"""A configuration at a glance: its state in words, the numbers of its items, and its latest runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import RunState
from enterprise_catalog.integrated_channels.reporting.pages.counts import Number, count_by_state
from enterprise_catalog.integrated_channels.reporting.pages.run_summary import RUN_TONES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun

#: Number of runs in the strip.
LATEST_RUNS: Final = 20

#: Label -> states whose items are counted together.
_COUNTS: Final[Mapping[StrOrPromise, tuple[State, ...]]] = {
    _("up to date"): (State.TRANSMITTED,),
    _("waiting to be sent"): (State.PENDING, State.IN_DOUBT),
    _("in the feed"): (State.STAGED,),
    _("failing"): (State.RETRYING,),
    _("rejected"): (State.REJECTED,),
    _("dead letters"): (State.DEAD_LETTER,),
    _("held for approval"): (State.HELD,),
    _("kept"): (State.KEPT,),
}


@dataclass(frozen=True, slots=True)
class LabeledCount:
    """The number of items in some states."""

    label: str
    states: tuple[State, ...]
    items: Number


@dataclass(frozen=True, slots=True)
class ConfigurationSummary:
    """A configuration at a glance."""

    tone: str  #: ``success``, ``warning``, ``danger``, ``info``, or empty.
    state: str  #: One or two sentences.
    next_sync: str  #: A sentence.
    counts: list[LabeledCount]
    runs: Sequence[SyncRun]  #: The latest, oldest first.


def summarize_configuration(configuration: ChannelConfiguration, *, now: datetime) -> ConfigurationSummary:
    """Return the summary. Reads a bounded number of rows."""
    numbers = count_by_state(configuration)
    counts = [
        LabeledCount(str(label), states, sum((numbers[state] for state in states), Number(0)))
        for label, states in _COUNTS.items()
    ]
    runs = list(configuration.runs.order_by("-started_at", "-id")[:LATEST_RUNS])
    tone, state = _state(configuration, numbers, runs[0] if runs else None)
    return ConfigurationSummary(tone, state, _next_sync(configuration, now), counts, runs[::-1])


def state_in_words(configuration: ChannelConfiguration) -> tuple[str, str]:
    """Return tone and sentence about the state of a configuration, for a list of configurations."""
    last_run = configuration.runs.order_by("-started_at", "-id").first()
    return _state(configuration, count_by_state(configuration), last_run)


def _state(
    configuration: ChannelConfiguration, numbers: Mapping[State, Number], last_run: SyncRun | None
) -> tuple[str, str]:
    if not configuration.active:
        return "", gettext("Inactive: nothing is sent until it is activated.")
    if last_run is None:
        return "info", gettext("Never synced yet.")
    sentence = _of_run(last_run)
    tone = RUN_TONES[RunState(last_run.state)] if sentence else "warning"
    problems = _problems(numbers)
    if sentence or problems:
        return tone, " ".join(filter(None, [sentence, *problems]))
    if numbers[State.PENDING] or numbers[State.IN_DOUBT] or numbers[State.STAGED] or last_run.backlog:
        return "info", gettext("Behind: items are still to be sent, or to be fetched by the LMS.")
    return "success", gettext("Up to date.")


def _of_run(run: SyncRun) -> str:
    """Return a sentence about the run; an empty text if the numbers of items say more than its state."""
    match RunState(run.state):
        case RunState.STOPPED:
            return gettext("The last run stopped: %(reason)s") % {"reason": run.reason}
        case RunState.ABANDONED:
            return gettext("The last run was abandoned: %(reason)s") % {"reason": run.reason}
        case RunState.RUNNING:
            return gettext("A sync is running.")
        case RunState.COMPLETE_EXCEPT:
            return gettext("Up to date, with exceptions.")
        case RunState.COMPLETE | RunState.INCOMPLETE:
            return ""


def _problems(numbers: Mapping[State, Number]) -> list[str]:
    failing, rejected = numbers[State.RETRYING], numbers[State.REJECTED]
    held, dead = numbers[State.HELD], numbers[State.DEAD_LETTER]
    texts = (
        (held, ngettext("%(n)s delete waits for approval.", "%(n)s deletes wait for approval.", held.value)),
        (failing, ngettext("%(n)s item is failing.", "%(n)s items are failing.", failing.value)),
        (rejected, ngettext("%(n)s item was rejected.", "%(n)s items were rejected.", rejected.value)),
        (dead, ngettext("%(n)s item is a dead letter.", "%(n)s items are dead letters.", dead.value)),
    )
    return [text % {"n": in_words(number)} for number, text in texts if number]


def in_words(number: Number) -> str:
    """Return ``1,234``, or ``at least 5,000``."""
    return gettext("at least %(n)s") % {"n": f"{number.value:,}"} if number.is_capped else f"{number.value:,}"


def _next_sync(configuration: ChannelConfiguration, now: datetime) -> str:
    if not configuration.active:
        return gettext("No sync is planned.")
    if configuration.next_sync_at is None or configuration.next_sync_at <= now:
        return gettext("The next sync is due now.")
    return gettext("The next sync is due on %(time)s.") % {"time": moment_text(configuration.next_sync_at)}
