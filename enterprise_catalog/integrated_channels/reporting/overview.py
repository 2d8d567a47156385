"""The overview: how many configurations are up to date, and which need attention, the worst first.

Reads only rows of ``ConfigurationStatus``, by index, and the configurations of one page. A healthy configuration whose
next sync should have started long ago counts as behind: no worker or no scheduler is running.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils.translation import gettext, ngettext

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ConfigurationStatus, RunState, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from django.db.models import QuerySet

#: After its next sync is due by this time, a configuration is overdue. Longer than a run may take by default.
OVERDUE_AFTER: Final = timedelta(hours=1)
ROWS_PER_PAGE: Final = 25
_MAX_REASON: Final = 200
_HEALTHY: Final = (Status.UP_TO_DATE_EXCEPT, Status.UP_TO_DATE)
#: States that need attention.
ATTENTION: Final = (Status.FAILING, Status.NEEDS_DECISION, Status.BEHIND, Status.NEVER_SYNCED)

#: A user's choice -> states of the configurations that are listed.
FILTERS: Final[Mapping[str, tuple[Status, ...]]] = {
    **{state.value: (state,) for state in Status},
    Status.UP_TO_DATE.value: _HEALTHY,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration."""

    status: ConfigurationStatus  #: With its configuration.
    state: Status  #: Behind if it is overdue.
    is_overdue: bool

    @property
    def customer(self) -> str:
        """The customer's name, or its UUID if the name is unknown."""
        return self.status.customer_name or str(self.status.configuration.enterprise_customer_uuid)

    @property
    def channel(self) -> str:
        """The channel's label, or its code if the channel no longer exists."""
        code = self.status.configuration.channel_code
        return CHANNELS[code].label if code in CHANNELS else code

    @property
    def reason(self) -> str:
        """A short reason for the state, with the remedy if there is one."""
        if self.is_overdue:
            return gettext("No sync has started since it was due. Check that a worker and the scheduler are running.")
        return " ".join(filter(None, _reasons(self.status)))[:_MAX_REASON]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of configurations."""

    rows: list[Row]
    number: int  #: From 1.
    last: int  #: Number of the last page.
    total: int  #: Configurations on all pages.


@dataclass(frozen=True, slots=True)
class Overview:
    """The overview of the configurations that a user may see."""

    visible: QuerySet[ConfigurationStatus]
    now: datetime

    def counts(self) -> dict[Status, int]:
        """Return the number of configurations in each state. An overdue configuration is behind."""
        counts = {state: self.visible.filter(rank=state.rank).count() for state in Status}
        for state in _HEALTHY:
            late = self._overdue((state,)).count() if counts[state] else 0
            counts[state] -= late
            counts[Status.BEHIND] += late
        return counts

    def page(self, counts: Mapping[Status, int], states: tuple[Status, ...] = ATTENTION, *, number: int = 1) -> Page:
        """Return one page of the configurations in ``states``, the worst first, then those that wait longest.

        Args:
            counts: see :meth:`counts`.
            number: from 1; a larger number than that of the last page gives the last page.
        """
        total = sum(counts[state] for state in states)
        last = max(1, -(-total // ROWS_PER_PAGE))
        number = min(max(number, 1), last)
        start = (number - 1) * ROWS_PER_PAGE
        rows = self._rows(states, start=start, stop=start + ROWS_PER_PAGE)
        return Page(rows, number, last, total)

    def _rows(self, states: tuple[Status, ...], *, start: int, stop: int) -> list[Row]:
        """Return the rows from ``start`` to ``stop``: the stored states, and then the overdue configurations."""
        # A healthy configuration that is overdue is listed as behind only.
        is_late = Q(rank__in=[state.rank for state in _HEALTHY], next_sync_at__lt=self._cutoff)
        stored = self.visible.filter(rank__in=[state.rank for state in states]).exclude(is_late)
        found = [Row(each, Status(each.state), is_overdue=False) for each in _read(stored, start, stop)]
        if Status.BEHIND in states and len(found) < stop - start:
            before = max(0, start - stored.count())
            late = _read(self._overdue(_HEALTHY), before, before + stop - start - len(found))
            found += [Row(each, Status.BEHIND, is_overdue=True) for each in late]
        return found

    def _overdue(self, states: tuple[Status, ...]) -> QuerySet[ConfigurationStatus]:
        return self.visible.filter(rank__in=[state.rank for state in states], next_sync_at__lt=self._cutoff)

    @property
    def _cutoff(self) -> datetime:
        return self.now - OVERDUE_AFTER


def _read(rows: QuerySet[ConfigurationStatus], start: int, stop: int) -> list[ConfigurationStatus]:
    """Return the rows from ``start`` to ``stop``, the worst first, with their configurations."""
    # Keys first: a join would read the configurations of all earlier rows too.
    keys = list(rows.order_by("rank", "since", "pk").values_list("pk", flat=True)[start:stop])
    found = ConfigurationStatus.objects.select_related("configuration").in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _reasons(status: ConfigurationStatus) -> Iterator[str]:
    """Yield the sentences that explain a status, the most important first."""
    if status.state == Status.PAUSED:
        yield gettext("Paused: nothing is sent until it is activated.")
        yield status.configuration.pause_reason
        return
    if status.run_state == RunState.STOPPED or (status.behind and status.reason):
        yield status.reason
    if status.rejected > status.matched:
        yield gettext("Most items are rejected.")
    numbers = (
        (status.held, ngettext("%s delete waits for approval.", "%s deletes wait for approval.", status.held)),
        (
            status.dead,
            ngettext(
                "%s item failed too often and is not retried.",
                "%s items failed too often and are not retried.",
                status.dead,
            ),
        ),
        (
            status.failing,
            ngettext("%s item failed and is retried.", "%s items failed and are retried.", status.failing),
        ),
        (status.behind, ngettext("%s item is still to be sent.", "%s items are still to be sent.", status.behind)),
        (status.rejected, ngettext("%s item is rejected.", "%s items are rejected.", status.rejected)),
        (status.kept, ngettext("%s item was kept by an operator.", "%s items were kept by operators.", status.kept)),
    )
    yield from (sentence % f"{number:,}" for number, sentence in numbers if number)
    if not status.run_state:
        yield gettext("The first sync has not ended yet.")
