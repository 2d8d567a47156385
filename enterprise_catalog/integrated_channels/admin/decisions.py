"""Admin page of decisions: the append-only log of what users and commands decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import moment_field
from enterprise_catalog.admin_pages.rendering import EMPTY, exactly, lines, link_to, shortened, stacked
from enterprise_catalog.integrated_channels.admin.lists import ExportedPage
from enterprise_catalog.integrated_channels.models import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

#: Number of items on the page of one decision.
FIRST_ITEMS: Final = 100


@admin.register(Decision)
class DecisionPage(ExportedPage):
    list_display = ("made", "action", "where", "made_by", "number", "why")
    list_filter = (
        ("action", ChoicesCheckboxFilter),
        ("configuration", AutocompleteSelectFilter),
        ("made_at", DayRangeFilter),
    )
    list_prefetch_related = ("configuration",)
    search_fields = ("=made_by",)
    search_help_text = _("Full user name")
    nothing_found = _("Enter the full name of a user. Decisions of commands are made by “a command”.")
    fieldsets = (
        (None, {"fields": (("action", "made"), ("configuration", "made_by"), "full_reason")}),
        (_("Items"), {"fields": ("number", "first_items")}),
    )

    made = moment_field("made_at", _("made"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        if "configuration" in filters or not filters:
            return rows
        return rows.order_by("-action" if "action" in filters else "-made_at", "-id")

    @admin.display(description=_("configuration"))
    def where(self, decision: Decision) -> str:
        return stacked(decision.configuration, decision.configuration.get_channel_code_display())

    @admin.display(description=_("items"))
    def number(self, decision: Decision) -> str:
        return f"{decision.items:,}" if decision.items else EMPTY

    @admin.display(description=_("reason"))
    def why(self, decision: Decision) -> str:
        return shortened(decision.reason)

    @admin.display(description=_("reason"))
    def full_reason(self, decision: Decision) -> str:
        return decision.reason or EMPTY

    @admin.display(description=_("first items"))
    def first_items(self, decision: Decision) -> str:
        return lines(_item_links(decision))


def _item_links(decision: Decision) -> Iterator[str]:
    """Yield a link to each item, at most :data:`FIRST_ITEMS`, and then the number of the others."""
    for item in decision.decided_items.order_by("pk").select_related("transmission")[:FIRST_ITEMS]:
        yield link_to(item.transmission, exactly(item.transmission.content_key))
    if (others := decision.items - FIRST_ITEMS) > 0:
        text = ngettext("and %(number)s more item", "and %(number)s more items", others)
        yield text % {"number": f"{others:,}"}
