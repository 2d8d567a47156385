"""The catalog's admin pages: customers, catalogs and queries, and read-only pages of their content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from enterprise_catalog.admin_pages import schedules
from enterprise_catalog.admin_pages.lists.filters import AutocompleteSelectFilter, BooleanRadioFilter
from enterprise_catalog.admin_pages.lists.paginator import CappedPaginator
from enterprise_catalog.admin_pages.lists.search import uuid_or_text
from enterprise_catalog.admin_pages.moments import moment_field
from enterprise_catalog.admin_pages.pages import Page, ReadOnlyPage, changed_columns
from enterprise_catalog.admin_pages.rendering import EMPTY, code_block, exactly, lines, link_to, link_to_list, stacked
from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.discovery.admin.filter_form import QueryForm, effect_of
from enterprise_catalog.catalog.discovery.admin.refreshes import RefreshNow, age_of
from enterprise_catalog.catalog.discovery.admin.restricted import restricted_content_of
from enterprise_catalog.catalog.discovery.filters import edit_filter, filter_warnings
from enterprise_catalog.catalog.discovery.restricted_runs import allowed_runs
from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.catalog.lms.client import is_configured
from enterprise_catalog.catalog.models import (
    CatalogQuery,
    CatalogRole,
    CatalogRoleAssignment,
    ContentDocument,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
    NestedContent,
    QuerySource,
    RefreshTrigger,
)
from enterprise_catalog.catalog.tasks import request_refresh
from enterprise_catalog.db.content_keys import key_starts_with
from enterprise_catalog.db.contention import REQUEST_SECONDS, ContentionError, retry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model, QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest, HttpResponse

__all__ = ["schedules"]

#: The maximum number of queries, and of other items, listed on the page of a content item.
LISTED_QUERIES: Final = 20


class _UUIDPage(Page):
    """A table whose rows have names for users, and UUIDs that never change for other systems."""

    #: Read-only fields.
    shown: tuple[str, ...] = ()
    text_column: str

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        columns = {"uuid_columns": ("uuid",), "text_columns": (self.text_column,)}
        return queryset.filter(uuid_or_text(search_term, **columns)) if search_term.strip() else queryset, False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.shown if obj is None else ("uuid", *self.shown)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Save in a transaction that is retried: imports lock the same rows."""
        try:
            save = super().changeform_view
            return retry(lambda: save(request, object_id, form_url, extra_context), seconds=REQUEST_SECONDS)
        except ContentionError as error:
            message = gettext("%(problem)s Nothing was saved. Please try again.") % {"problem": error}
            self.message_user(request, message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


@admin.register(EnterpriseCustomer)
class CustomerPage(_UUIDPage):
    list_display = ("name", "slug", "uuid", "learner_portal_url")
    ordering = ("search_name", "uuid")  # As in an index. Django would add the key in descending order.
    search_fields = ("name", "uuid")
    search_help_text = _("Name or UUID")
    text_column = "name"
    fields = (
        *("name", "uuid", "slug", "learner_portal_enabled", "learner_portal_url", "its_catalogs"),
        *("read_from_lms", "created"),
    )
    shown = ("its_catalogs", "read_from_lms", "created")
    deletion_advice = _(
        "A customer with catalogs cannot be deleted, because its LMSs would keep the courses. Delete its catalogs: the "
        "channels then remove the courses. The customer and its empty catalogs remain."
    )

    created = moment_field("created_at", _("created"))
    read_from_lms = moment_field("lms_read_at", _("read from the Open edX LMS"))

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Protect the fields that the next update from the LMS would overwrite."""
        fields = super().get_readonly_fields(request, obj)
        is_copy = isinstance(obj, EnterpriseCustomer) and obj.lms_read_at is not None and is_configured()
        return (*fields, "name", "slug", "learner_portal_enabled") if is_copy else fields

    @override
    def save_model(self, request: HttpRequest, obj: EnterpriseCustomer, form: object, change: bool) -> None:
        save_customer(obj, now=timezone.now())

    @override
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Advise if the customer has catalogs, which are protected. Channels also read the rows of deleted ones."""
        customer = self.get_object(request, unquote(object_id))
        if customer is not None and customer.catalogs.exists():
            self.message_user(request, str(self.deletion_advice), messages.ERROR)
        return super().delete_view(request, object_id, extra_context)

    @admin.display(description=_("catalogs"))
    def its_catalogs(self, customer: EnterpriseCustomer) -> str:
        return link_to_list(EnterpriseCatalog, gettext("Its catalogs"), enterprise_customer__uuid__exact=customer.pk)


@admin.register(EnterpriseCatalog)
class CatalogPage(RefreshNow, _UUIDPage):
    list_display = ("title", "enterprise_customer", "catalog_query", "uuid", "deleted")
    list_filter = (("enterprise_customer", AutocompleteSelectFilter), ("catalog_query", AutocompleteSelectFilter))
    list_prefetch_related = ("enterprise_customer", "catalog_query")
    ordering = ("title", "uuid")
    search_fields = ("title", "uuid")
    search_help_text = _("Title or UUID")
    text_column = "title"
    autocomplete_fields = ("enterprise_customer", "catalog_query")
    fields = (
        *("title", "uuid", "enterprise_customer", "catalog_query", "content_refreshed"),
        *("publish_audit_enrollment_urls", "enabled_course_modes", "revision", "documents_changed"),
        *("created", "modified", "deleted"),
    )
    shown = ("content_refreshed", "revision", "documents_changed", "created", "modified", "deleted")

    documents_changed = moment_field("documents_changed_at", _("enrollment URLs changed"))
    created = moment_field("created_at", _("created"))
    modified = moment_field("modified_at", _("modified"))
    deleted = moment_field("deleted_at", _("deleted"))

    @override
    def get_form(
        self, request: HttpRequest, obj: EnterpriseCatalog | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[EnterpriseCatalog]]:
        if obj is not None and obj.deleted_at is not None:
            kwargs["help_texts"] = {"catalog_query": _("A query restores this deleted catalog.")}
        return super().get_form(request, obj, change, **kwargs)

    @override
    def save_model(self, request: HttpRequest, obj: EnterpriseCatalog, form: object, change: bool) -> None:
        if obj.catalog_query is not None:
            obj.deleted_at = None
        save_catalog(obj, now=timezone.now())

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_deleted = isinstance(obj, EnterpriseCatalog) and obj.deleted_at is not None
        return not is_deleted and super().has_delete_permission(request, obj)

    @override
    def delete_model(self, request: HttpRequest, obj: EnterpriseCatalog) -> None:
        """Keep the row: the channels have yet to remove the catalog's courses."""
        delete_catalog(obj.pk, now=timezone.now())

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EnterpriseCatalog]) -> None:
        for catalog in queryset:
            delete_catalog(catalog.pk, now=timezone.now())

    @override
    def queries_of(self, rows: Iterable[Model]) -> Iterator[CatalogQuery | None]:
        return (row.catalog_query for row in rows if isinstance(row, EnterpriseCatalog))

    @admin.display(description=_("content refreshed"))
    def content_refreshed(self, catalog: EnterpriseCatalog) -> str:
        return age_of(catalog.catalog_query)


@admin.register(CatalogQuery)
class QueryPage(RefreshNow, _UUIDPage):
    form = QueryForm
    list_display = ("title", "uuid", "source", "content_changed")
    ordering = ("title", "id")
    search_fields = ("title", "uuid")
    search_help_text = _("Title or UUID")
    text_column = "title"
    shown = (
        *("uuid", "content_filter_hash", "items", "restricted_content", "its_catalogs"),
        *("content_refreshed", "content_changed"),
    )

    content_changed = moment_field("content_changed_at", _("content changed"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        confirmation = ("confirm", "shown_filter_hash") if _asks(request) else ()
        return (*confirmation, "title", "source", "content_filter", *self.shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.shown if obj is None else ("source", *self.shown)

    @override
    def get_form(
        self, request: HttpRequest, obj: CatalogQuery | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[CatalogQuery]]:
        form = super().get_form(request, obj, change, **kwargs)
        assert issubclass(form, QueryForm)
        form.effect = getattr(request, "filter_effect", None)
        return form

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Search for the effect of an edited filter first: a transaction must not wait for course-discovery."""
        query = self.get_object(request, unquote(object_id)) if object_id and request.method == "POST" else None
        if query is not None and self.has_change_permission(request, query):
            request.filter_effect = effect_of(query, request.POST)  # type: ignore[attr-defined]  # read by get_form
        return super().changeform_view(request, object_id, form_url, extra_context)

    @override
    def save_model(self, request: HttpRequest, obj: CatalogQuery, form: Any, change: bool) -> None:
        if obj.source != QuerySource.DISCOVERY:
            super().save_model(request, obj, form, change)
            return
        is_edited = edit_filter(obj, obj.content_filter, now=timezone.now())
        columns = [*changed_columns(obj, form), "content_filter", "content_filter_hash", "filter_edited_at"]
        obj.save(update_fields=columns if change else None)
        for warning in filter_warnings(obj.content_filter) if is_edited else ():
            self.message_user(request, warning, messages.WARNING)
        if is_edited and change:
            request_refresh(obj, trigger=RefreshTrigger.FILTER_EDIT, user=request.user.get_username())

    @override
    def queries_of(self, rows: Iterable[Model]) -> Iterator[CatalogQuery]:
        return (row for row in rows if isinstance(row, CatalogQuery))

    @admin.display(description=_("content refreshed"))
    def content_refreshed(self, query: CatalogQuery) -> str:
        return age_of(query)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # Its memberships, up to a hundred thousand, belong to the importer.

    @admin.display(description=_("items"))
    def items(self, query: CatalogQuery) -> str:
        return CappedPaginator(query.memberships.in_key_order(), 1).count_text

    @admin.display(description=_("restricted content"))
    def restricted_content(self, query: CatalogQuery) -> str:
        return restricted_content_of(query) if allowed_runs(query.content_filter) else EMPTY

    @admin.display(description=_("catalogs"))
    def its_catalogs(self, query: CatalogQuery) -> str:
        return _catalogs_of(query)


@admin.register(ContentMetadata)
class ContentPage(ReadOnlyPage):
    list_display = ("item", "content_type", "parent_content_key", "changed")
    ordering = ("content_key",)
    search_fields = ("content_key",)
    search_help_text = _("Content key or its beginning")
    nothing_found = _(
        "Keys are compared exactly, including case, accents and spaces. No such item has been imported yet."
    )
    fieldsets = (
        (None, {"fields": ("exact_key", "title", "content_type", "parent_content_key", "queries")}),
        (_("In other content"), {"fields": ("containers", "nested")}),
        (_("Versions"), {"fields": ("changed", "created", "content_hash")}),
        (_("Document"), {"fields": ("stored_document",)}),
    )

    changed = moment_field("updated_at", _("last changed"))
    created = moment_field("created_at", _("first imported"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ContentMetadata], search_term: str
    ) -> tuple[QuerySet[ContentMetadata], bool]:
        return queryset.filter(key_starts_with(search_term)) if search_term else queryset, False

    @admin.display(description=_("item"))
    def item(self, content: ContentMetadata) -> str:
        return stacked(exactly(content.content_key), content.title)

    @admin.display(description=_("content key"))
    def exact_key(self, content: ContentMetadata) -> str:
        return exactly(content.content_key)

    @admin.display(description=_("queries"))
    def queries(self, content: ContentMetadata) -> str:
        return lines(_queries_of(content))

    @admin.display(description=_("contained in"))
    def containers(self, content: ContentMetadata) -> str:
        rows = NestedContent.objects.filter(content_type=content.content_type, content_key=content.content_key)
        return lines(_listed(_named(row.container) for row in _first(rows.select_related("container"))))

    @admin.display(description=_("contains"))
    def nested(self, content: ContentMetadata) -> str:
        keys = [row.content_key for row in _first(content.nested_content.order_by("content_type", "content_key"))]
        known = {item.content_key: item for item in ContentMetadata.objects.with_keys(keys)}
        return lines(_listed(_named(known[key]) if key in known else exactly(key) for key in keys))

    @admin.display(description=_("document"))
    def stored_document(self, content: ContentMetadata) -> str:
        stored = ContentDocument.objects.filter(content=content).first()
        if stored is None:
            return EMPTY
        document = orjson.loads(stored.json)
        return code_block(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@admin.register(CatalogRole)
class RolePage(Page):
    list_display = ("name", "description")
    fields = ("name", "description")
    search_fields = ("name",)


@admin.register(CatalogRoleAssignment)
class RoleAssignmentPage(Page):
    list_display = ("user", "role", "enterprise_customer_uuid", "applies_to_all_contexts")
    list_filter = (("role", AutocompleteSelectFilter), ("applies_to_all_contexts", BooleanRadioFilter))
    list_prefetch_related = ("user", "role")
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("=user__username", "=user__email")
    search_help_text = _("Full user name or email address")
    autocomplete_fields = ("user", "role")
    fields = ("user", "role", "enterprise_customer_uuid", "applies_to_all_contexts")


def _asks(request: HttpRequest) -> bool:
    """Return True if the form of a query shows the effect of an edited filter, or returns with its confirmation."""
    return getattr(request, "filter_effect", None) is not None or "shown_filter_hash" in request.POST


def _queries_of(content: ContentMetadata) -> Iterator[str]:
    """Yield one line per query that contains the content."""
    memberships = content.memberships.select_related("catalog_query").order_by("id")[: LISTED_QUERIES + 1]
    queries = (membership.catalog_query for membership in memberships)
    return _listed(format_html("{} · {}", link_to(query), _catalogs_of(query)) for query in queries)


def _named(content: ContentMetadata) -> str:
    """Return a link with the key, and the title: the key of a program or a pathway is a UUID."""
    return stacked(link_to(content), content.title)


def _first(rows: QuerySet[NestedContent]) -> QuerySet[NestedContent]:
    return rows[: LISTED_QUERIES + 1]


def _listed(items: Iterable[str]) -> Iterator[str]:
    """Yield at most :data:`LISTED_QUERIES` items and a final note."""
    for number, item in enumerate(items):
        if number == LISTED_QUERIES:
            yield gettext("and more; only the first %(number)d are listed") % {"number": LISTED_QUERIES}
        else:
            yield item


def _catalogs_of(query: CatalogQuery) -> str:
    return link_to_list(EnterpriseCatalog, gettext("Its catalogs"), catalog_query__id__exact=query.pk)
