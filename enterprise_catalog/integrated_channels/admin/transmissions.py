"""Admin page of transmissions: the state of each item in each LMS, and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import moment, moment_field
from enterprise_catalog.admin_pages.rendering import EMPTY, badge, exactly, shortened, stacked
from enterprise_catalog.integrated_channels.admin.diagnosis import diagnosis_of_row
from enterprise_catalog.integrated_channels.admin.lists import (
    ChannelFilter,
    CustomerFilter,
    ExportedPage,
    ProblemFilter,
    search_of,
)
from enterprise_catalog.integrated_channels.admin.sections.item import item_sections
from enterprise_catalog.integrated_channels.admin.sections.links import link_to_catalog, link_to_customer
from enterprise_catalog.integrated_channels.admin.transmission_actions import TransmissionActions
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
from enterprise_catalog.integrated_channels.models.transmissions import PROBLEM_STATES

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


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
#: Filters that may choose several configurations.
_OF_SEVERAL: Final = frozenset({"configuration__channel_code", "configuration__enterprise_customer_uuid"})
#: Filters that choose configurations.
_OF_CONFIGURATIONS: Final = _OF_SEVERAL | {"configuration"}


@admin.register(ContentMetadataItemTransmission)
class TransmissionPage(TransmissionActions, ExportedPage):
    list_display = ("item", "where", "state_and_action", "why", "times", "known_there_as")
    list_filter = (
        ("configuration", AutocompleteSelectFilter),
        ("configuration__enterprise_customer_uuid", CustomerFilter),
        ("configuration__channel_code", ChannelFilter),
        ("state", ChoicesCheckboxFilter),
        ("problem", ProblemFilter),
        ("action", ChoicesCheckboxFilter),
        ("last_attempt_at", DayRangeFilter),
    )
    list_prefetch_related = ("configuration",)
    finds_items = True
    search_fields = ("content_key",)
    search_help_text = _("Beginning of a content key, title or reason; an LMS's id; a customer's UUID")
    saved_filters = (
        (_("Failing"), "state__exact=retrying&state__exact=rejected&state__exact=dead_letter"),
        (_("Rejected"), "state__exact=rejected"),
        (_("Dead letters"), "state__exact=dead_letter"),
        (_("Held deletes, waiting for approval"), "state__exact=held"),
        (_("Kept by an operator"), "state__exact=kept"),
    )
    nothing_found = _(
        "Keys are compared exactly, including case, accents and spaces. An item appears here after the first sync of a "
        "configuration whose catalogs contain it. Open “Why is a course missing?” to find out why it is not here."
    )
    fieldsets = (
        (
            _("Item"),
            {
                "fields": (
                    ("exact_key", "content_title"),
                    ("configuration", "channel"),
                    ("customer", "catalog"),
                    ("created", "deleted"),
                )
            },
        ),
        (
            _("State"),
            {
                "fields": (
                    ("state_badge", "action"),
                    "full_reason",
                    ("attempts", "last_attempt"),
                    "next_attempt",
                )
            },
        ),
        (
            _("In the LMS"),
            {
                "fields": (
                    ("presence", "remote_id"),
                    ("created_there", "updated_there"),
                    ("deleted_there", "version_there"),
                    ("version_tried", "payload"),
                )
            },
        ),
    )
    change_form_outer_before_template = "integrated_channels/item_finding.html"
    change_form_outer_after_template = "integrated_channels/item_sections.html"

    last_attempt = moment_field("last_attempt_at", _("last attempt"))
    next_attempt = moment_field("next_attempt_at", _("next attempt"))
    created_there = moment_field("remote_created_at", _("created in the LMS"))
    updated_there = moment_field("remote_updated_at", _("updated in the LMS"))
    deleted_there = moment_field("remote_deleted_at", _("deleted from the LMS"))
    version_there = moment_field("content_updated_at", _("version in the LMS"))
    version_tried = moment_field("attempted_updated_at", _("last attempted version"))
    created = moment_field("created_at", _("first seen"))
    deleted = moment_field("deleted_at", _("left the catalogs"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("content_key", "id")

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters; its columns all ascend, or all descend.

        The index of attempts starts with the state and the action. With all states and all actions, it also serves the
        filters by its next columns.
        """
        if SEARCH_VAR in filters:
            return rows  # In the order of the search.
        if "problem" in filters:
            # Of some configurations, an index finds the items in these states, among many that are up to date.
            rows = rows.filter(state__in=PROBLEM_STATES) if filters & _OF_CONFIGURATIONS else rows
            return rows.order_by("problem", "configuration_id", "id")
        if filters & _OF_CONFIGURATIONS:
            by_state = ("configuration_id", "state", "due_since", "content_key")
            # MariaDB would rather sort all items of many configurations than read the index of keys.
            is_by_state = filters & (_OF_SEVERAL | {"state"})
            return rows.order_by(*by_state if is_by_state else ("configuration_id", "content_key"))
        if filters:
            rows = rows.filter(state__in=list(State))
            rows = rows.filter(action__in=list(Action)) if "last_attempt_at" in filters else rows
            return rows.order_by("-state", "-action", "-last_attempt_at", "-id")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        assert isinstance(queryset, TransmissionQuerySet)
        search = search_of(request, search_term)
        return search.rows(queryset) if search else queryset, False

    def form_context(self, request: HttpRequest, obj: ContentMetadataItemTransmission) -> dict[str, object]:
        return super().form_context(request, obj) | diagnosis_of_row(obj, request) | item_sections(obj, request)

    @admin.display(description=_("item"))
    def item(self, row: ContentMetadataItemTransmission) -> str:
        return stacked(exactly(row.content_key), row.content_title)

    @admin.display(description=_("content key"))
    def exact_key(self, row: ContentMetadataItemTransmission) -> str:
        return exactly(row.content_key)

    @admin.display(description=_("configuration"))
    def where(self, row: ContentMetadataItemTransmission) -> str:
        return stacked(row.configuration, self.channel(row))

    @admin.display(description=_("channel"))
    def channel(self, row: ContentMetadataItemTransmission) -> str:
        return row.configuration.get_channel_code_display()

    @admin.display(description=_("state"))
    def state_badge(self, row: ContentMetadataItemTransmission) -> str:
        return badge(row.get_state_display(), STATE_TONES[State(row.state)])

    @admin.display(description=_("state, last action"))
    def state_and_action(self, row: ContentMetadataItemTransmission) -> str:
        return stacked(self.state_badge(row), row.get_action_display())

    @admin.display(description=_("reason"))
    def full_reason(self, row: ContentMetadataItemTransmission) -> str:
        return row.reason or EMPTY

    @admin.display(description=_("catalog"))
    def catalog(self, row: ContentMetadataItemTransmission) -> str:
        return link_to_catalog(row.catalog_uuid)

    @admin.display(description=_("customer"))
    def customer(self, row: ContentMetadataItemTransmission) -> str:
        return link_to_customer(row.configuration.enterprise_customer_uuid)

    @admin.display(description=_("payload's SHA-256"))
    def payload(self, row: ContentMetadataItemTransmission) -> str:
        return exactly(row.payload_hash)

    @admin.display(description=_("reason"))
    def why(self, row: ContentMetadataItemTransmission) -> str:
        return shortened(row.reason)

    @admin.display(description=_("last and next attempt"))
    def times(self, row: ContentMetadataItemTransmission) -> str:
        return stacked(moment(row.last_attempt_at), moment(row.next_attempt_at) if row.next_attempt_at else "")

    @admin.display(description=_("remote id"))
    def known_there_as(self, row: ContentMetadataItemTransmission) -> str:
        return row.remote_id or EMPTY
