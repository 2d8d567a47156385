"""Lists of rows that belong to configurations: their search, their filters, and their export.

MariaDB would answer a join by collecting and sorting all rows of a channel for one page. These filters look up the
configurations first, and the lists sort by configuration: an index has this order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.lists.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, TextFilter
from enterprise_catalog.admin_pages.pages import ReadOnlyPage, too_slow
from enterprise_catalog.db.time_limit import TimeLimitError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
from enterprise_catalog.integrated_channels.reporting.export import start_export, table_of
from enterprise_catalog.integrated_channels.reporting.formats import BYTE_ORDER_MARK, to_csv, to_json_lines
from enterprise_catalog.integrated_channels.reporting.search import configurations_of, recognize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

    from enterprise_catalog.integrated_channels.reporting.export import Record
    from enterprise_catalog.integrated_channels.reporting.search import Search

    Page = list[Record]

#: Maximum number of values in a condition. With 1,000, MariaDB converts it to a join that no index orders.
MAX_VALUES: Final = 999
#: Number of the newest runs in which the attempts of a channel are looked up.
RUNS_OF_CHANNEL: Final = 4_000
#: End of the file's name -> title of its button, and content type.
_FORMATS: Final = {
    "csv": (_("Export as CSV"), "text/csv; charset=utf-8"),
    "jsonl": (_("Export as JSON lines"), "application/jsonl; charset=utf-8"),
}


class ChannelFilter(ChoicesDropdownFilter):
    """Only rows of one channel's configurations. The field's path ends with ``configuration__channel_code``.

    Of a channel with more than 999 configurations, the first ones are listed.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        codes = [code for code in self.lookup_val or () if code]  # The form sends an empty value for all channels.
        if not codes:
            return queryset
        configurations = ChannelConfiguration.objects.filter(channel_code__in=codes)
        return self.rows_of(queryset, configurations)

    def rows_of(self, rows: QuerySet[Model], configurations: QuerySet[ChannelConfiguration]) -> QuerySet[Model]:
        """Return the rows of the configurations."""
        column = f"{self.field_path.removesuffix('__channel_code')}_id"
        return rows.filter((f"{column}__in", _ids(configurations.order_by("pk"))))


class ChannelOfRunFilter(ChannelFilter):
    """Only attempts of one channel's configurations, in the newest runs of all channels."""

    def rows_of(self, rows: QuerySet[Model], configurations: QuerySet[ChannelConfiguration]) -> QuerySet[Model]:
        wanted = set(configurations.values_list("pk", flat=True))
        newest = SyncRun.objects.order_by("-pk").values_list("pk", "configuration_id")[:RUNS_OF_CHANNEL]
        return rows.filter(run_id__in=[run for run, configuration in newest if configuration in wanted][:MAX_VALUES])


class ConfigurationOfRunFilter(AutocompleteSelectFilter):
    """Only attempts of one configuration, in its newest runs."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        configuration = (self.lookup_val or [""])[-1]
        if not configuration:
            return queryset
        try:
            newest = SyncRun.objects.filter(configuration=int(configuration)).order_by("-started_at", "-pk")
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error
        return queryset.filter(run_id__in=_ids(newest))


class CustomerFilter(TextFilter):
    """Only rows of one customer's configurations."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if not self.text():
            return queryset
        ids = configurations_of(self.text())
        if not ids:
            messages.warning(request, gettext("No configuration belongs to this customer. Enter the complete UUID."))
        return queryset.filter(configuration_id__in=ids)


class ProblemFilter(TextFilter):
    """Only items whose reason starts with a text, in any case; items without a problem have none."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(problem__istartswith=self.text()) if self.text() else queryset


def search_of(request: HttpRequest, term: str) -> Search | None:
    """Return the search that the term means; ``None`` without a term. A list asks several times."""
    searches: dict[str, Search | None] = request.__dict__.setdefault("recognized_searches", {})
    if term not in searches:
        searches[term] = recognize(term)
    return searches[term]


def _ids(rows: QuerySet[ChannelConfiguration] | QuerySet[SyncRun]) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:MAX_VALUES])


class ExportedPage(ReadOnlyPage):
    """A list with buttons that export all rows that the list's search and filters find."""

    #: The list's search recognizes the term as ``reporting/search.py`` does; the list then shows what it recognized.
    finds_items: ClassVar[bool] = False

    def get_urls(self) -> list[URLPattern]:
        views = [
            path(f"export.{ending}", self.admin_site.admin_view(partial(self.export_view, ending=ending)), name=name)
            for ending in _FORMATS
            for name in [self._name_of(ending)]
        ]
        return [*views, *super().get_urls()]

    def export_view(self, request: HttpRequest, *, ending: str) -> HttpResponseBase:
        """Stream the rows; the same parameters as the list's. If the first ones take too long, return to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
            pages = start_export(rows)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"./?{ERROR_FLAG}=1")
        except TimeLimitError:
            messages.error(request, too_slow())
            return HttpResponseRedirect(f"./?{request.GET.urlencode()}")
        name = f"{table_of(self.model).name}-{timezone.now():%Y-%m-%d}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(
            _stream(pages, self.model, ending), content_type=_FORMATS[ending][1], headers=headers
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        query = request.GET.copy()
        search = search_of(request, request.GET.get(SEARCH_VAR, "")) if self.finds_items else None
        query.pop(PAGE_VAR, None)
        exports = [
            {"title": title, "url": f"{reverse(f'admin:{self._name_of(ending)}')}?{query.urlencode()}"}
            for ending, (title, _type) in _FORMATS.items()
        ]
        return super().changelist_view(
            request, {"exports": exports, "search_note": str(search or ""), **(extra_context or {})}
        )

    def _name_of(self, ending: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export_{ending}"


def _stream(pages: Iterator[Page], model: type[Model], ending: str) -> Iterator[str]:
    if ending == "jsonl":
        yield from to_json_lines(pages)
        return
    yield BYTE_ORDER_MARK
    yield from to_csv(pages, table_of(model).columns)
