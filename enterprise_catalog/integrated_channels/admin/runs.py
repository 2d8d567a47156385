"""Admin page of runs: the result of each sync, and the reason why it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import duration_text, moment, moment_field
from enterprise_catalog.admin_pages.rendering import EMPTY, badge, lines, link_to_list, shortened, stacked
from enterprise_catalog.integrated_channels.admin.lists import ChannelFilter, ExportedPage
from enterprise_catalog.integrated_channels.admin.sections.run import run_section
from enterprise_catalog.integrated_channels.models import LABELS, Comparison, RunState, SyncRun, TransmissionAttempt
from enterprise_catalog.integrated_channels.reporting.pages.run_summary import RUN_TONES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

_NOT_DONE: Final = ("waiting", "dead", "held", "kept", "staged", "backlog")


def run_badge(state: str) -> str:
    """Return a run's state as a colored label."""
    return badge(str(RunState(state).label), RUN_TONES[RunState(state)])


@admin.register(SyncRun)
class RunPage(ExportedPage):
    list_display = ("times", "where", "state_and_reason", "sent", "left")
    list_filter = (
        ("configuration", AutocompleteSelectFilter),
        ("configuration__channel_code", ChannelFilter),
        ("state", ChoicesCheckboxFilter),
        ("started_at", DayRangeFilter),
    )
    list_prefetch_related = ("configuration",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("configuration", "channel"),
                    ("state_badge", "took"),
                    "full_reason",
                    "compared",
                    ("started", "finished"),
                )
            },
        ),
        (_("Items"), {"fields": (("sent", "attempts_link"), "matched", *_NOT_DONE)}),
    )

    change_form_outer_before_template = "integrated_channels/run_summary.html"

    started = moment_field("started_at", _("started"))
    finished = moment_field("finished_at", _("finished"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        if any(name.startswith("configuration") for name in filters):
            return rows.order_by("-configuration_id", "-started_at", "-id")
        if "state" in filters:
            return rows.order_by("-state", "-started_at", "-id")
        return rows.order_by("-started_at", "-id") if filters else rows

    def form_context(self, request: HttpRequest, obj: SyncRun) -> dict[str, object]:
        return super().form_context(request, obj) | run_section(obj)

    @admin.display(description=_("configuration"))
    def where(self, run: SyncRun) -> str:
        return stacked(run.configuration, self.channel(run))

    @admin.display(description=_("channel"))
    def channel(self, run: SyncRun) -> str:
        return run.configuration.get_channel_code_display()

    @admin.display(description=_("state"))
    def state_badge(self, run: SyncRun) -> str:
        return run_badge(run.state)

    @admin.display(description=_("state, reason"))
    def state_and_reason(self, run: SyncRun) -> str:
        return stacked(run_badge(run.state), shortened(run.reason) if run.reason else "")

    @admin.display(description=_("reason"))
    def full_reason(self, run: SyncRun) -> str:
        return run.reason or EMPTY

    @admin.display(description=_("comparison with the catalogs"))
    def compared(self, run: SyncRun) -> str:
        if run.comparison == Comparison.CHANGES and run.changes_since is not None:
            return format_html(gettext("changes since {moment}"), moment=moment(run.changes_since))
        return run.get_comparison_display() or EMPTY

    @admin.display(description=_("sent"))
    def sent(self, run: SyncRun) -> str:
        return lines(_counts_in_words(run.counts))

    @admin.display(description=_("not sent"))
    def left(self, run: SyncRun) -> str:
        return lines(
            f"{number:,} {what}"
            for number, what in (
                (run.matched, gettext("matched")),
                (run.waiting, gettext("waiting")),
                (run.dead, gettext("dead letters")),
                (run.held, gettext("held")),
                (run.kept, gettext("kept")),
                (run.staged, gettext("staged")),
                (run.backlog, gettext("left for the next run")),
            )
            if number
        )

    @admin.display(description=_("started, took"))
    def times(self, run: SyncRun) -> str:
        return stacked(moment(run.started_at), self.took(run))

    @admin.display(description=_("took"))
    def took(self, run: SyncRun) -> str:
        return duration_text(run.started_at, run.finished_at)

    @admin.display(description=_("attempts"))
    def attempts_link(self, run: SyncRun) -> str:
        return link_to_list(TransmissionAttempt, gettext("Attempts of this run"), run__id__exact=run.pk)


def _counts_in_words(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield ``create: 3 done, 1 rejected`` for each action."""
    for action, outcomes in counts.items():
        numbers = ", ".join(f"{number:,} {_label_of(outcome)}" for outcome, number in outcomes.items())
        yield f"{_label_of(action)}: {numbers}"


def _label_of(name: str) -> str:
    """Return the label of an action or outcome. A row may have a name that only a newer version knows."""
    return str(LABELS.get(name, name))
