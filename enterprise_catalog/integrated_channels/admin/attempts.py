"""The page of attempts: each time that an item was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin

from enterprise_catalog.admin_pages.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    ChoicesDropdownFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.pages import ReadOnlyPage
from enterprise_catalog.admin_pages.rendering import (
    EMPTY,
    badge,
    lines,
    link_to,
    moment,
    moment_field,
    shortened,
    stacked,
)
from enterprise_catalog.integrated_channels.models import TransmissionAttempt
from enterprise_catalog.integrated_channels.types import Outcome

if TYPE_CHECKING:
    from django.http import HttpRequest

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.querysets import AttemptQuerySet

#: How good or bad each outcome is; the names are those of the labels' colours.
OUTCOME_TONES: Final = {
    Outcome.DONE: "success",
    Outcome.UNCHANGED: "success",
    Outcome.WITHDRAWN: "",
    Outcome.RETRY: "warning",
    Outcome.REJECTED: "danger",
    Outcome.GONE: "warning",
    Outcome.SKIPPED: "",
    Outcome.IN_DOUBT: "warning",
}


def outcome_badge(attempt: TransmissionAttempt) -> str:
    """Return the attempt's outcome on its colour; ``in flight`` while there is none."""
    if not attempt.outcome:
        return badge("in flight", "info")
    return badge(attempt.get_outcome_display(), OUTCOME_TONES[Outcome(attempt.outcome)])


@admin.register(TransmissionAttempt)
class AttemptPage(ReadOnlyPage):
    list_display = (moment_field("started_at"), "item", "where", "action", "outcome", "answer", "said", "in_run")
    list_filter = (
        ("run__configuration", AutocompleteSelectFilter),
        ("run__configuration__channel_code", ChoicesDropdownFilter),
        ("action", ChoicesCheckboxFilter),
        ("outcome", ChoicesCheckboxFilter),
        ("started_at", DayRangeFilter),
    )
    linked_by = ("transmission", "run")
    list_select_related = ("transmission", "run__configuration")
    ordering = ("-started_at", "-id")
    search_fields = ("transmission__content_key",)
    search_help_text = "Content key, or how it starts"
    nothing_found = "Keys are compared exactly: case, accents and spaces count. Old attempts are not kept for ever."
    fieldsets = (
        (None, {"fields": ("transmission_link", "configuration", "in_run", "action")}),
        (
            "Outcome",
            {
                "fields": (
                    "outcome_label",
                    "status_code",
                    "vendor_code",
                    "message",
                    moment_field("started_at"),
                    moment_field("finished_at"),
                )
            },
        ),
        ("What was sent", {"fields": (moment_field("content_updated_at", "version"), "payload_hash")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: AttemptQuerySet, search_term: str
    ) -> tuple[AttemptQuerySet, bool]:
        return queryset.with_key_prefix(search_term) if search_term else queryset, False

    @admin.display(description="item")
    def item(self, attempt: TransmissionAttempt) -> str:
        return stacked(attempt.transmission.content_key, attempt.transmission.content_title)

    @admin.display(description="configuration")
    def where(self, attempt: TransmissionAttempt) -> str:
        configuration = self._configuration(attempt)
        return stacked(configuration, configuration.get_channel_code_display())

    @admin.display(description="transmission")
    def transmission_link(self, attempt: TransmissionAttempt) -> str:
        return link_to(attempt.transmission)

    @admin.display(description="configuration")
    def configuration(self, attempt: TransmissionAttempt) -> str:
        return link_to(self._configuration(attempt))

    @admin.display(description="outcome")
    def outcome_label(self, attempt: TransmissionAttempt) -> str:
        return outcome_badge(attempt)

    @admin.display(description="answer")
    def answer(self, attempt: TransmissionAttempt) -> str:
        return lines(part for part in (attempt.status_code, attempt.vendor_code) if part)

    @admin.display(description="message")
    def said(self, attempt: TransmissionAttempt) -> str:
        return shortened(attempt.message)

    @admin.display(description="run")
    def in_run(self, attempt: TransmissionAttempt) -> str:
        return link_to(attempt.run)

    @admin.display(description="took")
    def duration(self, attempt: TransmissionAttempt) -> str:
        return str(attempt.finished_at - attempt.started_at) if attempt.finished_at else EMPTY

    def _configuration(self, attempt: TransmissionAttempt) -> ChannelConfiguration:
        return attempt.run.configuration
