"""The base classes of all pages: a page's cost does not grow with its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol
from urllib.parse import parse_qsl

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import ngettext
from typing_extensions import override

from enterprise_catalog.admin_pages.actions.confirmed_actions import ConfirmedActions
from enterprise_catalog.admin_pages.actions.object_actions import ObjectActions, buttons
from enterprise_catalog.admin_pages.lists.cells import checkbox
from enterprise_catalog.admin_pages.lists.paginator import CappedPaginator
from enterprise_catalog.admin_pages.moments import moment
from enterprise_catalog.admin_pages.rendering import EMPTY, link_to
from enterprise_catalog.db.time_limit import TimeLimitError, time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # unfold has no types; its class is Django's with other templates.
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.forms import BaseForm
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString
    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin as ModelAdmin

    #: Returns the value of a column of a list for a row.
    Column = Callable[[Any], str | bool]

    class SubmitButton(Protocol):
        """One of unfold's buttons next to "Save"."""

        action_name: str

else:
    from unfold.admin import ModelAdmin
    from unfold.views import ChangeList

#: Time limit for each of a list's statements, in seconds.
LIST_SECONDS: Final = 10
#: The lookups allowed after a column's name in a list's URL: those of all filters and of links to the list.
_LOOKUPS: Final = frozenset(
    {"", "__exact", "__id__exact", "__uuid__exact", "__isnull", "__gte", "__lt", "_from", "_to"}
)


class _List(ChangeList):
    """A list whose slow statements are stopped; it is then empty and shows the reason."""

    @override
    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[models.Model]:
        rows = super().get_queryset(request, exclude_parameters)
        page = self.model_admin
        return page.in_index_order(rows, filtered_by(request, page)) if isinstance(page, Page) else rows

    def get_results(self, request: HttpRequest) -> None:
        try:
            with time_limit(LIST_SECONDS):
                super().get_results(request)
                self.result_list = list(self.result_list)
        except TimeLimitError:
            messages.error(request, too_slow())
            self.queryset = self.queryset.none()
            super().get_results(request)
        # unfold would show the count next to the title, as if it were not capped.
        self.full_result_count = self.result_count


class Page(ObjectActions, ConfirmedActions, ModelAdmin):
    """The list and the form of one table.

    An action runs after a confirmation (``confirmed_actions.py``). A list shows one page, counts up to a limit, and
    allows only the conditions of its filters. A form writes only the columns that were changed in it: it never
    overwrites concurrent changes by a sync or an import.
    """

    if TYPE_CHECKING:
        # unfold's.
        def get_actions_submit_line(self, request: HttpRequest, object_id: str | None) -> list[SubmitButton]: ...

    paginator = CappedPaginator
    list_per_page = 25  # With 50 rows, a list would have more than 120 KB of HTML.
    list_max_show_all = 0
    list_select_related = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # Facets would count the table once per choice of each filter.
    empty_value_display = EMPTY
    view_on_site = False  # There is no public site to link to.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    # Options of unfold.
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin_pages/above_list.html"
    #: Subclasses with a template of their own include this one.
    change_form_outer_before_template: str = "admin_pages/object_actions.html"

    #: Foreign keys that the list shows. Their rows are read by separate statements. With a join, MariaDB would start
    #: with the small table and sort the whole large one for one page.
    list_prefetch_related: ClassVar[tuple[str, ...]] = ()
    #: Foreign keys by which other pages link to this list, to show the rows that belong to one of their rows.
    linked_by: ClassVar[tuple[str, ...]] = ()
    #: Titles and queries of links to the list with some filters.
    saved_filters: ClassVar[tuple[tuple[StrOrPromise, str], ...]] = ()
    #: The message after a search without results.
    nothing_found: ClassVar[StrOrPromise] = ""
    #: What to do instead of deleting rows to which protected rows refer.
    deletion_advice: ClassVar[StrOrPromise] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch_related)

    def in_index_order(self, rows: QuerySet[models.Model], filters: frozenset[str]) -> QuerySet[models.Model]:
        """Return the list's rows in an order that an index has under these filters; a page is then read from the index.

        Args:
            rows: filtered by the list's filters and search, in the order of ``get_ordering``.
            filters: columns of the active filters, as in ``list_filter`` and ``linked_by``; and ``q`` for a search.
        """
        del filters
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the lookups of the list's filters; Django would allow any lookup on the table's own columns."""
        columns = [*map(_column_of, self.list_filter), *self.linked_by]
        return any(lookup.startswith(column) and lookup.removeprefix(column) in _LOOKUPS for column in columns)

    @admin.display(description=ModelAdmin.action_checkbox.short_description)  # type: ignore[attr-defined]  # set by display
    def action_checkbox(self, obj: models.Model) -> SafeString:
        return checkbox(obj)

    @override
    def get_list_display(self, request: HttpRequest) -> list[str | Column]:
        """Return the columns; a column of times shows them like every other time in the admin."""
        return [self._times.get(column, column) for column in super().get_list_display(request)]

    @cached_property
    def _times(self) -> dict[object, Column]:
        """Name of a time -> a column that shows it."""
        fields = self.model._meta.concrete_fields
        return {field.name: _time_column(field) for field in fields if isinstance(field, models.DateTimeField)}

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return _List

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        context = {"owners": list(self._owners(request)), "saved_filters": list(self._saved_filters(request))}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        context = context | self.form_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, object]:
        """Return the values that the form's template needs besides Django's; ``obj`` is ``None`` for a new row."""
        return {"object_actions": list(buttons(request, obj)) if obj else []}

    @override
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.save(update_fields=changed_columns(obj, form) if change else None)

    def _saved_filters(self, request: HttpRequest) -> Iterator[dict[str, object]]:
        """Yield the title and the URL of each saved filter; it is current if nothing else filters the list."""
        current = sorted(parse_qsl(request.GET.urlencode()))
        for title, query in self.saved_filters:
            yield {"title": title, "url": f"?{query}", "is_current": sorted(parse_qsl(query)) == current}

    def _owners(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        """Yield the kind and the link of each row of another table that the list is filtered by."""
        for name in self.linked_by:
            if value := request.GET.get(f"{name}__id__exact"):
                model = self.model._meta.get_field(name).related_model
                assert isinstance(model, type)
                if owner := self.admin_site.get_model_admin(model).get_object(request, value):
                    yield str(owner._meta.verbose_name), link_to(owner)


class ReadOnlyPage(Page):
    """The list and the details of a table that only programs write."""

    #: Sorting by a column without an index would sort the whole table.
    sortable_by = ()
    actions: Sequence[str] | None = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, object]:
        # These rows are never edited in the admin, and so they have no history.
        return super().form_context(request, obj) | {"show_history": False}


def too_slow() -> str:
    """Return the message after a list's statement was stopped."""
    return ngettext(
        "The search was stopped after %(seconds)d second. Choose one configuration, or enter more of the content key.",
        "The search was stopped after %(seconds)d seconds. Choose one configuration, or enter more of the content key.",
        LIST_SECONDS,
    ) % {"seconds": LIST_SECONDS}


def filtered_by(request: HttpRequest, page: Page) -> frozenset[str]:
    """Return the columns of the list's filters that have a value in the request, and ``q`` for a search."""
    columns = {*map(_column_of, page.list_filter), *page.linked_by}
    names = {name for name, value in request.GET.items() if value}
    found = {column for column in columns for lookup in _LOOKUPS if f"{column}{lookup}" in names}
    return frozenset(found | (names & {SEARCH_VAR}))


def _time_column(field: models.DateTimeField[object, object]) -> Callable[[models.Model], str]:
    """Return a column that shows the time as relative, and sorts by it."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def show(obj: models.Model) -> str:
        return moment(getattr(obj, field.name))

    return show


def _column_of(list_filter: object) -> str:
    """Return the column of a filter, or its parameter if it has no column."""
    if isinstance(list_filter, tuple):
        return str(list_filter[0])
    if isinstance(list_filter, str):
        return list_filter
    assert isinstance(list_filter, type)
    assert issubclass(list_filter, admin.SimpleListFilter)
    return str(list_filter.parameter_name)


def changed_columns(obj: models.Model, form: BaseForm) -> list[str]:
    """Return the names of the object's columns that were changed in the form."""
    columns = {field.name for field in obj._meta.concrete_fields}
    return [name for name in form.changed_data if name in columns]
