"""Pages of refreshes: what each refresh changed, and decisions on held ones; and the action "Refresh now"."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.actions.declaration import Effects, Reason, Result, reason_of, runs
from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import duration_text, moment, moment_field
from enterprise_catalog.admin_pages.pages import ReadOnlyPage
from enterprise_catalog.admin_pages.rendering import (
    EMPTY,
    badge,
    exactly,
    lines,
    link_to,
    link_to_list,
    shortened,
    stacked,
)
from enterprise_catalog.catalog.models import (
    CatalogRefresh,
    ChangeKind,
    QuerySource,
    RefreshChange,
    RefreshState,
    RefreshTrigger,
)
from enterprise_catalog.catalog.tasks import decide_refresh, request_refresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.confirmation import Key
    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin
    from enterprise_catalog.catalog.models import CatalogQuery
else:
    AnyAdmin = object

#: State -> name of its label's color.
TONES: Final = {
    RefreshState.QUEUED: "info",
    RefreshState.RUNNING: "info",
    RefreshState.COMPLETE: "success",
    RefreshState.HELD: "warning",
    RefreshState.APPROVED: "success",
    RefreshState.REJECTED: "default",
    RefreshState.FAILED: "danger",
    RefreshState.SUPERSEDED: "default",
}
#: Maximum number of refreshes that one request decides or queues.
MAX_REFRESHES: Final = 100
#: Changes that the page of a refresh lists; its links lead to the others.
LISTED_CHANGES: Final = 20


def state_badge(state: str) -> str:
    """Return a refresh's state as a colored label."""
    return badge(str(RefreshState(state).label), TONES[RefreshState(state)])


def _effects(_: AnyAdmin, __: HttpRequest, keys: Sequence[Key]) -> Effects:
    """Return the changes of the refreshes, one sentence each."""
    rows = (
        CatalogRefresh.objects.filter(pk__in=[int(str(key)) for key in keys])
        .select_related("catalog_query")
        .order_by("pk")
    )
    sentence = gettext("“%(query)s”: items to add: %(added)s; items to remove: %(removed)s.")
    return Effects(
        tuple(
            sentence % {"query": row.catalog_query, "added": f"{row.added:,}", "removed": f"{row.removed:,}"}
            for row in rows
        )
    )


@admin.register(CatalogRefresh)
class RefreshPage(ReadOnlyPage):
    list_display = ("times", "query", "state_and_reason", "numbers", "asked_by")
    list_filter = (
        ("catalog_query", AutocompleteSelectFilter),
        ("state", ChoicesCheckboxFilter),
        ("requested_at", DayRangeFilter),
    )
    list_prefetch_related = ("catalog_query",)
    saved_filters = (
        (_("Held, waiting for a decision"), "state__exact=held"),
        (_("Failed"), "state__exact=failed"),
    )
    actions = ("approve", "reject")
    fieldsets = (
        (None, {"fields": (("query", "state_label"), "full_reason", ("started", "took"), ("trigger", "requested_by"))}),
        (_("Items"), {"fields": (("found", "changed"), ("left_out", "incomplete"), "added_items", "removed_items")}),
    )

    decision_fieldset = (_("Decision"), {"fields": (("decided_by", "decided"), "decision_reason")})

    started = moment_field("started_at", _("started"))
    decided = moment_field("decided_at", _("decided"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def get_fieldsets(self, request: HttpRequest, obj: CatalogRefresh | None = None) -> Any:
        """Return the sections of a refresh; an undecided one has no decision to show."""
        first, *others = self.fieldsets
        return (first, self.decision_fieldset, *others) if obj and obj.decided_at else self.fieldsets

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        if "catalog_query" in filters:
            return rows.order_by("-catalog_query_id", "-requested_at", "-id")
        if "state" in filters:
            return rows.order_by("-state", "-requested_at", "-id")
        return rows.order_by("-requested_at", "-id") if filters else rows

    def object_actions(self, request: HttpRequest, obj: CatalogRefresh) -> Sequence[str]:
        """Return the decisions that are possible: a rejected refresh may still be approved."""
        if obj.state == RefreshState.REJECTED and obj.decided_at:
            return ("approve",)
        return ("approve", "reject") if obj.state == RefreshState.HELD else ()

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may decide on held refreshes."""
        return request.user.has_perm("catalog.decide_refresh")

    @runs(reason=Reason.OPTIONAL, max_rows=MAX_REFRESHES, effects=_effects)
    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[CatalogRefresh]) -> Result:
        return _decide(request, queryset, approve=True)

    @runs(reason=Reason.OPTIONAL, max_rows=MAX_REFRESHES, effects=_effects)
    @admin.action(description=_("Reject"), permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[CatalogRefresh]) -> Result:
        return _decide(request, queryset, approve=False)

    @admin.display(description=_("requested, took"))
    def times(self, row: CatalogRefresh) -> str:
        return stacked(moment(row.requested_at), self.took(row))

    @admin.display(description=_("took"))
    def took(self, row: CatalogRefresh) -> str:
        return duration_text(row.started_at, row.finished_at) if row.started_at else EMPTY

    @admin.display(description=_("query"))
    def query(self, row: CatalogRefresh) -> str:
        return link_to(row.catalog_query)

    @admin.display(description=_("state"))
    def state_label(self, row: CatalogRefresh) -> str:
        return state_badge(row.state)

    @admin.display(description=_("state, reason"))
    def state_and_reason(self, row: CatalogRefresh) -> str:
        return stacked(state_badge(row.state), shortened(row.reason) if row.reason else "")

    @admin.display(description=_("reason"))
    def full_reason(self, row: CatalogRefresh) -> str:
        return row.reason or EMPTY

    @admin.display(description=_("items"))
    def numbers(self, row: CatalogRefresh) -> str:
        return lines(_numbers(row))

    @admin.display(description=_("requested by"))
    def asked_by(self, row: CatalogRefresh) -> str:
        return stacked(row.get_trigger_display(), row.requested_by)

    @admin.display(description=_("added"))
    def added_items(self, row: CatalogRefresh) -> str:
        return _changes(row, ChangeKind.ADDED, row.added)

    @admin.display(description=_("removed"))
    def removed_items(self, row: CatalogRefresh) -> str:
        return _changes(row, ChangeKind.REMOVED, row.removed)


@admin.register(RefreshChange)
class ChangePage(ReadOnlyPage):
    list_display = ("item", "kind", "its_refresh")
    list_filter = (("kind", ChoicesCheckboxFilter),)
    list_prefetch_related = ("refresh__catalog_query",)
    linked_by = ("refresh",)
    search_fields = ("content_key",)
    search_help_text = _("Full content key")
    nothing_found = _("Keys are compared exactly, including case, accents and spaces.")
    fields = ("item", "kind", "its_refresh")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        return rows.order_by("refresh_id", "kind", "content_key") if "refresh" in filters else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RefreshChange], search_term: str
    ) -> tuple[QuerySet[RefreshChange], bool]:
        return queryset.filter(content_key=search_term) if search_term else queryset, False

    @admin.display(description=_("item"))
    def item(self, change: RefreshChange) -> str:
        return exactly(change.content_key)

    @admin.display(description=_("refresh"))
    def its_refresh(self, change: RefreshChange) -> str:
        refresh = change.refresh
        shown = stacked(moment(refresh.requested_at), f"{refresh.catalog_query} · {refresh.get_state_display()}")
        return link_to(refresh, shown)


class RefreshNow(AnyAdmin):
    """Mixin for the pages of catalogs and queries: the action "Refresh now"."""

    actions = ("refresh_now",)

    def queries_of(self, rows: Iterable[Model]) -> Iterable[CatalogQuery | None]:
        """Return the queries of the rows."""
        raise NotImplementedError

    def object_actions(self, request: HttpRequest, obj: Model) -> Sequence[str]:
        """Return the action, if course-discovery fills the row's query."""
        return ("refresh_now",) if any(map(_is_refreshable, self.queries_of([obj]))) else ()

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may refresh catalogs."""
        return request.user.has_perm("catalog.request_refresh")

    @runs(max_rows=MAX_REFRESHES)
    @admin.action(description=_("Refresh now"), permissions=["refresh"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[Model]) -> Result:
        queries = dict.fromkeys(self.queries_of(queryset))
        wanted = [query for query in queries if query is not None and _is_refreshable(query)]
        user = request.user.get_username()
        refreshes = [request_refresh(query, trigger=RefreshTrigger.ADMIN, user=user, force=True) for query in wanted]
        others = Counter({gettext("filled from imported files"): len(queries) - len(wanted)})
        done = Counter({gettext("queued for a refresh"): len(refreshes)})
        return Result(done, others, url=_page_of(refreshes[0]) if len(refreshes) == 1 else "")


def age_of(query: CatalogQuery | None) -> str:
    """Return how old the content of a query is, with links to its refreshes."""
    if query is None:
        return EMPTY
    if query.source != QuerySource.DISCOVERY:
        return stacked(moment(query.content_changed_at), gettext("Last change by an import."))
    parts = [moment(query.refreshed_at) if query.refreshed_at else gettext("Not refreshed yet.")]
    latest = query.refreshes.order_by("-requested_at").first()
    if latest is not None and latest.state != RefreshState.COMPLETE:
        parts.append(link_to(latest, state_badge(latest.state)))
    parts.append(link_to_list(CatalogRefresh, gettext("Its refreshes"), catalog_query__id__exact=query.pk))
    return lines(parts)


def _is_refreshable(query: CatalogQuery | None) -> bool:
    return query is not None and query.source == QuerySource.DISCOVERY


def _decide(request: HttpRequest, rows: QuerySet[CatalogRefresh], *, approve: bool) -> Result:
    by, reason = request.user.get_username(), reason_of(request)
    number = sum(decide_refresh(row, approve=approve, by=by, reason=reason) for row in rows)
    done = gettext("approved; a refresh is queued") if approve else gettext("rejected")
    return Result(Counter({done: number}), Counter({gettext("not held"): len(rows) - number}))


def _numbers(row: CatalogRefresh) -> Iterator[str]:
    for number, what in (
        (row.found, gettext("found")),
        (row.added, gettext("added")),
        (row.removed, gettext("removed")),
        (row.changed, gettext("changed")),
    ):
        if number:
            yield f"{number:,} {what}"


def _changes(row: CatalogRefresh, kind: ChangeKind, number: int) -> str:
    """Return the number of items, the first ones, and a link to all."""
    if not number:
        return EMPTY
    keys = row.changes.filter(kind=kind).order_by("content_key").values_list("content_key", flat=True)
    text = ngettext("%(number)s item", "%(number)s items", number) % {"number": f"{number:,}"}
    everything = link_to_list(RefreshChange, text, refresh__id__exact=row.pk, kind__exact=kind.value)
    return lines([everything, *(exactly(key) for key in keys[:LISTED_CHANGES])])


def _page_of(row: CatalogRefresh) -> str:
    return reverse("admin:catalog_catalogrefresh_change", args=[row.pk])
