"""The timeline of an item: attempts and decisions, newest first, in words."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.domain import Action, Outcome
from enterprise_catalog.integrated_channels.models import (
    Decision,
    DecisionAction,
    DecisionItem,
    TransmissionAttempt,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission

#: Maximum number of entries in a timeline.
MAX_ENTRIES: Final = 30

#: Action -> outcome -> sentence; other outcomes have the same sentence for each action.
_BY_ACTION: Final[Mapping[Action, Mapping[Outcome, StrOrPromise]]] = {
    Action.CREATE: {
        Outcome.DONE: _("Created in the LMS"),
        Outcome.STAGED: _("Put into the feed"),
        Outcome.RETRY: _("Could not be created; it is tried again later"),
        Outcome.REJECTED: _("Could not be created: rejected"),
    },
    Action.UPDATE: {
        Outcome.DONE: _("Updated in the LMS"),
        Outcome.STAGED: _("New version put into the feed"),
        Outcome.RETRY: _("Could not be updated; it is tried again later"),
        Outcome.REJECTED: _("Could not be updated: rejected"),
    },
    Action.DELETE: {
        Outcome.DONE: _("Deleted from the LMS"),
        Outcome.STAGED: _("Marked as retired in the feed"),
        Outcome.RETRY: _("Could not be deleted; it is tried again later"),
        Outcome.REJECTED: _("Could not be deleted: rejected"),
    },
}
_BY_OUTCOME: Final[Mapping[Outcome, StrOrPromise]] = {
    Outcome.UNCHANGED: _("Nothing sent: the payload did not change"),
    Outcome.WITHDRAWN: _("Nothing sent: it left the catalogs first"),
    Outcome.GONE: _("The LMS no longer had it"),
    Outcome.SKIPPED: _("Not sent: the run had to stop"),
    Outcome.THROTTLED: _("Not sent: the rate limit was reached"),
    Outcome.IN_DOUBT: _("Sent, but the result is unknown"),
}
#: Decision about an item -> sentence with the name of the user or command.
_DECISIONS: Final[Mapping[str, StrOrPromise]] = {
    DecisionAction.APPROVE_DELETES: _("%(by)s approved its delete"),
    DecisionAction.KEEP_ITEMS: _("%(by)s decided to keep it in the LMS"),
    DecisionAction.DELETE_KEPT: _("%(by)s approved its delete, although it had been kept"),
    DecisionAction.SEND_AGAIN: _("%(by)s queued it to be sent again"),
    DecisionAction.REQUEUE: _("%(by)s queued the dead letter again"),
    DecisionAction.RESEND_ALL: _("%(by)s queued all items to be sent again"),
    DecisionAction.ADOPT: _("%(by)s adopted it: the LMS already had it"),
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One attempt, or one decision."""

    at: datetime
    sentence: str  #: Without a final period.
    details: tuple[str, ...]  #: The LMS's response, or the reason of a decision; plain text.
    source: TransmissionAttempt | Decision

    @property
    def is_decision(self) -> bool:
        """True for a decision, False for an attempt."""
        return isinstance(self.source, Decision)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest attempts and decisions of one item, newest first."""

    entries: list[TimelineEntry]
    has_more: bool  #: The item has older entries.


def timeline_of(row: ContentMetadataItemTransmission) -> Timeline:
    """Return the newest entries of the item's timeline; reads two statements and at most 62 rows."""
    attempts = row.attempt_rows.order_by("-id").select_related("run")[: MAX_ENTRIES + 1]
    decided = DecisionItem.objects.filter(transmission=row).order_by("-id")
    decisions = (item.decision for item in decided.select_related("decision")[: MAX_ENTRIES + 1])
    entries = [*map(_of_decision, decisions), *map(_of_attempt, attempts)]
    entries.sort(key=attrgetter("at"), reverse=True)
    return Timeline(entries[:MAX_ENTRIES], has_more=len(entries) > MAX_ENTRIES)


def attempt_in_words(attempt: TransmissionAttempt) -> str:
    """Return what the attempt did, without a final period."""
    if not attempt.outcome:
        return gettext("Being sent; no response yet")
    outcome = Outcome(attempt.outcome)
    return str(_BY_OUTCOME.get(outcome) or _BY_ACTION[Action(attempt.action)][outcome])


def _of_attempt(attempt: TransmissionAttempt) -> TimelineEntry:
    return TimelineEntry(attempt.started_at, attempt_in_words(attempt), tuple(_response(attempt)), attempt)


def _response(attempt: TransmissionAttempt) -> Iterator[str]:
    if attempt.status_code:
        yield gettext("HTTP status %(code)s") % {"code": attempt.status_code}
    if attempt.vendor_code:
        yield gettext("Error code %(code)s") % {"code": attempt.vendor_code}
    if attempt.message:
        yield attempt.message


def _of_decision(decision: Decision) -> TimelineEntry:
    by = {"by": decision.made_by}
    known = _DECISIONS.get(decision.action)
    sentence = (
        str(known) % by
        if known
        else gettext("%(action)s, by %(by)s")
        % {
            "action": decision.get_action_display(),
            **by,
        }
    )
    return TimelineEntry(decision.made_at, sentence, (decision.reason,) if decision.reason else (), decision)
