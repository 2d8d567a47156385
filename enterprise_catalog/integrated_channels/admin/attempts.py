"""Admin page of attempts: each call, or feed entry, for an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.lists.filters import (
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import duration_text, moment_field
from enterprise_catalog.admin_pages.rendering import EMPTY, badge, exactly, lines, link_to, shortened, stacked
from enterprise_catalog.integrated_channels.admin.lists import (
    ChannelOfRunFilter,
    ConfigurationOfRunFilter,
    ExportedPage,
    search_of,
)
from enterprise_catalog.integrated_channels.domain import Action, Outcome
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, TransmissionAttempt

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.integrated_channels.reporting.search import Search

#: Outcome -> name of its label's color.
OUTCOME_TONES: Final = {
    Outcome.DONE: "success",
    Outcome.UNCHANGED: "success",
    Outcome.WITHDRAWN: "",
    Outcome.RETRY: "warning",
    Outcome.REJECTED: "danger",
    Outcome.GONE: "warning",
    Outcome.SKIPPED: "",
    Outcome.THROTTLED: "warning",
    Outcome.STAGED: "info",
    Outcome.IN_DOUBT: "warning",
}


#: Maximum number of items whose attempts a search shows. With 1,000, MariaDB would use a join that no index orders.
MAX_ITEMS: Final = 999


def outcome_badge(attempt: TransmissionAttempt) -> str:
    """Return the attempt's outcome as a colored label; ``in flight`` without an outcome."""
    if not attempt.outcome:
        return badge(gettext("in flight"), "info")
    return badge(attempt.get_outcome_display(), OUTCOME_TONES[Outcome(attempt.outcome)])


def response_text(attempt: TransmissionAttempt) -> str:
    """Return the HTTP status and the vendor's error code, and the message on the next line."""
    code = " ".join(str(part) for part in (attempt.status_code, attempt.vendor_code) if part)
    return lines(part for part in (code, attempt.message and shortened(attempt.message)) if part)


@admin.register(TransmissionAttempt)
class AttemptPage(ExportedPage):
    list_display = ("started", "item", "where", "outcome_and_action", "said", "in_run")
    list_filter = (
        ("run__configuration", ConfigurationOfRunFilter),
        ("run__configuration__channel_code", ChannelOfRunFilter),
        ("action", ChoicesCheckboxFilter),
        ("outcome", ChoicesCheckboxFilter),
        ("started_at", DayRangeFilter),
    )
    linked_by = ("transmission", "run")
    list_prefetch_related = ("transmission", "run__configuration")
    ordering = ("-started_at", "-id")
    finds_items = True
    search_fields = ("transmission__content_key",)
    search_help_text = _("Beginning of a content key, title or reason; an LMS's id; a customer's UUID")
    nothing_found = _("Keys are compared exactly, including case, accents and spaces.")
    fieldsets = (
        (None, {"fields": (("item_link", "action"), ("configuration", "in_run"))}),
        (
            _("Outcome"),
            {
                "fields": (
                    ("outcome_badge", "took"),
                    ("status_code", "vendor_code"),
                    "full_message",
                    ("started", "finished"),
                )
            },
        ),
        (_("Payload"), {"fields": (("version", "payload"),)}),
    )

    started = moment_field("started_at", _("started"))
    finished = moment_field("finished_at", _("finished"))
    version = moment_field("content_updated_at", _("version"))

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters.

        The index of outcomes starts with the outcome and the action. With all outcomes and all actions, it also serves
        the filters by its next columns.
        """
        if filters & {"transmission", SEARCH_VAR}:
            return rows.order_by("-transmission_id", "-id")
        if any(name.startswith("run") for name in filters):
            return rows.order_by("-run_id", "-outcome", "-id")
        if filters & {"outcome", "action"}:
            rows = rows.filter(outcome__in=["", *Outcome])
            rows = rows.filter(action__in=list(Action)) if "started_at" in filters else rows
            return rows.order_by("-outcome", "-action", "-started_at", "-id")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        search = search_of(request, search_term)
        return queryset.filter(transmission_id__in=_items(request, search)) if search else queryset, False

    @admin.display(description=_("item"))
    def item(self, attempt: TransmissionAttempt) -> str:
        return stacked(exactly(attempt.transmission.content_key), attempt.transmission.content_title)

    @admin.display(description=_("configuration"))
    def where(self, attempt: TransmissionAttempt) -> str:
        configuration = attempt.run.configuration
        return stacked(configuration, configuration.get_channel_code_display())

    @admin.display(description=_("item"))
    def item_link(self, attempt: TransmissionAttempt) -> str:
        return link_to(attempt.transmission)

    @admin.display(description=_("configuration"))
    def configuration(self, attempt: TransmissionAttempt) -> str:
        return link_to(attempt.run.configuration)

    @admin.display(description=_("outcome"))
    def outcome_badge(self, attempt: TransmissionAttempt) -> str:
        return outcome_badge(attempt)

    @admin.display(description=_("outcome, action"))
    def outcome_and_action(self, attempt: TransmissionAttempt) -> str:
        return stacked(outcome_badge(attempt), attempt.get_action_display())

    @admin.display(description=_("response"))
    def said(self, attempt: TransmissionAttempt) -> str:
        return response_text(attempt)

    @admin.display(description=_("run"))
    def in_run(self, attempt: TransmissionAttempt) -> str:
        return link_to(attempt.run, attempt.run_id)

    @admin.display(description=_("message"))
    def full_message(self, attempt: TransmissionAttempt) -> str:
        return attempt.message or EMPTY

    @admin.display(description=_("payload's SHA-256"))
    def payload(self, attempt: TransmissionAttempt) -> str:
        return exactly(attempt.payload_hash)

    @admin.display(description=_("took"))
    def took(self, attempt: TransmissionAttempt) -> str:
        return duration_text(attempt.started_at, attempt.finished_at)


def _items(request: HttpRequest, search: Search) -> list[int]:
    """Return the ids of the first transmissions that the search finds; warn the user if there are more.

    Looked up before the attempts. In a join with the many times larger table of attempts, the database would look them
    up for each attempt.
    """
    found = search.rows(ContentMetadataItemTransmission.objects.all())
    ids = list(found.values_list("pk", flat=True)[: MAX_ITEMS + 1])
    if len(ids) > MAX_ITEMS:
        text = gettext(
            "More than %(number)s items match; only attempts for the first ones are listed. Enter more of the term."
        )
        messages.warning(request, text % {"number": f"{MAX_ITEMS:,}"})
    return ids[:MAX_ITEMS]
