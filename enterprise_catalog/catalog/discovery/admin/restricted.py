"""Read-only pages of restricted content: the runs that a query allows, and the documents of their courses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import orjson
from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.moments import moment_field
from enterprise_catalog.admin_pages.pages import ReadOnlyPage
from enterprise_catalog.admin_pages.rendering import code_block, exactly, lines, link_to, link_to_list, stacked
from enterprise_catalog.catalog.models import ContentMetadata, RestrictedCourse, RestrictedRun

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.catalog.models import CatalogQuery

    RestrictedContent = RestrictedRun | RestrictedCourse


class _RestrictedPage(ReadOnlyPage):
    """A table of content items that belong to a query."""

    list_display: tuple[str, ...] = ("name", "query")
    list_prefetch_related = ("content", "catalog_query")
    linked_by = ("catalog_query",)
    search_fields = ("content__content_key",)
    search_help_text = _("Full content key")
    nothing_found = _("Keys are compared exactly, including case, accents and spaces.")
    fields: ClassVar[tuple[str, ...]] = ("item", "query")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filter."""
        return rows.order_by("catalog_query_id", "content_id") if "catalog_query" in filters else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        found = ContentMetadata.objects.with_keys([search_term]).values("pk")
        return queryset.filter(content__in=found) if search_term else queryset, False

    @admin.display(description=_("item"))
    def name(self, row: RestrictedContent) -> str:
        """Return the item's key and title without a link: the list links its first column to the row's page."""
        return stacked(exactly(row.content.content_key), row.content.title)

    @admin.display(description=_("item"))
    def item(self, row: RestrictedContent) -> str:
        return link_to(row.content, self.name(row))

    @admin.display(description=_("query"))
    def query(self, row: RestrictedContent) -> str:
        return link_to(row.catalog_query)


@admin.register(RestrictedRun)
class RestrictedRunPage(_RestrictedPage):
    pass


@admin.register(RestrictedCourse)
class RestrictedCoursePage(_RestrictedPage):
    list_display = ("name", "query", "changed")
    fields = ("item", "query", "is_active", "changed", "document")

    changed = moment_field("updated_at", _("last changed"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Return the rows without their documents, which only the page of one row reads."""
        return super().get_queryset(request).defer("json")

    @admin.display(description=_("document"))
    def document(self, row: RestrictedCourse) -> str:
        return code_block(orjson.dumps(orjson.loads(bytes(row.json)), option=orjson.OPT_INDENT_2).decode())


def restricted_content_of(query: CatalogQuery) -> str:
    """Return links to the restricted runs that a query allows, and to the documents of their courses."""
    runs = link_to_list(RestrictedRun, gettext("Allowed restricted runs"), catalog_query__id__exact=query.pk)
    courses = link_to_list(RestrictedCourse, gettext("Documents of their courses"), catalog_query__id__exact=query.pk)
    return lines((runs, courses))
