"""Admin pages of operations: the progress and the results of long actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.actions.object_actions import buttons
from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import moment_field, moment_text
from enterprise_catalog.admin_pages.pages import ReadOnlyPage
from enterprise_catalog.admin_pages.rendering import EMPTY, badge, exactly, link_to_list, shortened, stacked
from enterprise_catalog.db.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.admin.configuration_actions import decides, send_again
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    DecisionAction,
    Operation,
    OperationItem,
    OperationKind,
    OperationState,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.admin_pages.actions.declaration import Result
    from enterprise_catalog.admin_pages.admin_site import AdminSite
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

_TONES: Final = {
    OperationState.WAITING: "info",
    OperationState.RUNNING: "info",
    OperationState.DONE: "success",
    OperationState.FAILED: "danger",
}

#: Kind of item -> label for users.
ITEM_LABELS: Final[Mapping[str, StrOrPromise]] = {
    "create": _("to create"),
    "update": _("to update"),
    "delete": _("to delete"),
    "held": _("held for approval"),
    "matched": _("already up to date"),
    "waiting": _("waiting for a retry"),
    "dead": _("dead letters"),
    "kept": _("kept"),
    "missing": _("missing in the LMS"),
    "changed": _("changed in the LMS"),
    "left": _("still offered by the LMS"),
    "duplicate": _("several times in the LMS"),
    "adopted": _("adopted"),
    "queued": _("queued for the next sync"),
}

#: Kind of operation -> actions of its configuration that are useful after it.
_NEXT_ACTIONS: Final = {
    OperationKind.PREVIEW: ("sync_now",),
    OperationKind.CHECK_DRIFT: ("adopt_items", "resend_all"),
    OperationKind.ADOPT: ("sync_now",),
    OperationKind.RESEND_ALL: ("sync_now",),
}


@admin.register(Operation)
class OperationPage(ReadOnlyPage):
    list_display = ("created", "kind", "where", "state_badge", "started_by", "progress")
    list_filter = (
        ("configuration", AutocompleteSelectFilter),
        ("kind", ChoicesCheckboxFilter),
        ("state", ChoicesCheckboxFilter),
        ("created_at", DayRangeFilter),
    )
    list_prefetch_related = ("configuration",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("configuration", "kind"),
                    ("started_by", "created"),
                    "full_reason",
                    ("started", "finished"),
                )
            },
        ),
    )
    change_form_outer_before_template = "integrated_channels/operation.html"

    created = moment_field("created_at", _("created"))
    started = moment_field("started_at", _("started"))
    finished = moment_field("finished_at", _("finished"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        if "configuration" in filters or not filters:
            return rows
        first = next((name for name in ("state", "kind") if name in filters), None)
        return rows.order_by(*([f"-{first}"] if first else []), "-created_at", "-id")

    def form_context(self, request: HttpRequest, obj: Operation) -> dict[str, object]:
        return super().form_context(request, obj) | {
            "operation": obj,
            "title": gettext("%(action)s: %(configuration)s")
            % {"action": obj.get_kind_display().capitalize(), "configuration": obj.configuration},
            "state": self.state_badge(obj),
            "explanation": _explanation(obj),
            "is_live": obj.is_unfinished and not obj.is_stopped(timezone.now()),
            "percent": _percent(obj),
            "counts": list(_counts(obj)),
            "items_link": link_to_list(OperationItem, gettext("Show these items"), operation__id__exact=obj.pk),
            "next_actions": list(buttons(request, obj.configuration, _NEXT_ACTIONS[OperationKind(obj.kind)])),
        }

    @admin.display(description=_("configuration"))
    def where(self, operation: Operation) -> str:
        return stacked(operation.configuration, operation.configuration.get_channel_code_display())

    @admin.display(description=_("state"))
    def state_badge(self, operation: Operation) -> str:
        if operation.is_stopped(timezone.now()):
            return badge(gettext("stopped"), "danger")
        return badge(operation.get_state_display(), _TONES[OperationState(operation.state)])

    @admin.display(description=_("items"))
    def progress(self, operation: Operation) -> str:
        if operation.total is None:
            return f"{operation.done:,}" if operation.done else EMPTY
        return gettext("%(done)s of %(total)s") % {"done": f"{operation.done:,}", "total": f"{operation.total:,}"}

    @admin.display(description=_("reason"))
    def full_reason(self, operation: Operation) -> str:
        return operation.reason or EMPTY


def show_operation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an operation's page at a short URL. Refuses users without permission, like the page."""
    page = admin.site.get_model_admin(Operation)
    return page.changeform_view(request, str(pk))


cast("AdminSite", admin.site).register_view("operations/<int:pk>/", show_operation, name="operation")


def _explanation(operation: Operation) -> str:
    """Return the sentence about the operation's state: what is the case, and what to do."""
    if operation.is_stopped(timezone.now()):
        return gettext(
            "The last sign of life was at %(time)s: the worker stopped, or no worker is running. Start the action"
            " again; this is safe."
        ) % {"time": moment_text(operation.seen_at)}
    match OperationState(operation.state):
        case OperationState.WAITING:
            return gettext("Waiting for a worker.")
        case OperationState.RUNNING:
            return gettext("Running. You can leave this page; the action continues.")
        case OperationState.FAILED:
            return operation.message
        case OperationState.DONE if not operation.counts:
            return " ".join(filter(None, (_nothing_found(operation), operation.message)))
        case OperationState.DONE:
            return operation.message


def _nothing_found(operation: Operation) -> str:
    match OperationKind(operation.kind):
        case OperationKind.PREVIEW:
            return gettext("The next sync has nothing to do.")
        case OperationKind.CHECK_DRIFT:
            return gettext("No differences: the LMS has what it was sent.")
        case OperationKind.ADOPT | OperationKind.RESEND_ALL:
            return gettext("There was nothing to do.")


def _percent(operation: Operation) -> int | None:
    """Return the progress in percent; ``None`` if the total is unknown."""
    if operation.state == OperationState.DONE:
        return 100
    return min(100, operation.done * 100 // operation.total) if operation.total else None


def _counts(operation: Operation) -> Iterator[tuple[StrOrPromise, str]]:
    """Yield a label and a number for each kind of item."""
    for kind, number in operation.counts.items():
        yield ITEM_LABELS.get(kind, kind), f"{number:,}"


def _transmissions(_: OperationItemPage, found: QuerySet[OperationItem]) -> TransmissionQuerySet:
    """Return the transmissions of the items that an operation found."""
    first = found.order_by().select_related("operation").first()
    rows = ContentMetadataItemTransmission.objects.order_by("content_key", "id")
    if first is None:
        return rows.none()
    keys = found.filter(operation=first.operation).order_by().values("content_key")
    return rows.filter(configuration=first.operation.configuration_id, content_key__in=keys)


@admin.register(OperationItem)
class OperationItemPage(ReadOnlyPage):
    list_display = ("item", "kind_label", "why", "transmission")
    list_prefetch_related = ("operation",)
    list_filter = (("kind", ChoicesCheckboxFilter),)
    linked_by = ("operation",)
    ordering = ("operation", "content_key", "id")
    search_fields = ("content_key",)
    search_help_text = _("Content key or its beginning")
    nothing_found = _("Keys are compared exactly, including case, accents and spaces.")
    fieldsets = ((None, {"fields": ("operation", "item", "kind_label", "details")}),)
    actions = ("queue_again",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may send items again."""
        return request.user.has_perm("integrated_channels.retry_items")

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters: of one operation, by default the newest.

        No index serves a search in the items of all operations.
        """
        if "operation" not in filters:
            rows = rows.filter(operation=Operation.objects.order_by("-pk").values_list("pk", flat=True).first())
        return rows.order_by("operation_id", "kind", "content_key", "id") if "kind" in filters else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        is_of_newest = "operation__id__exact" not in request.GET
        note = gettext("Only items of the newest operation. Open another operation to see its items.")
        return super().changelist_view(request, {"search_note": note if is_of_newest else "", **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        return queryset.filter(key_starts_with(search_term)) if search_term else queryset, False

    @decides(targets=_transmissions)
    @admin.action(description=_("Send again with the next sync"), permissions=["retry"])
    def queue_again(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return send_again(request, queryset, DecisionAction.SEND_AGAIN)

    @admin.display(description=_("item"))
    def item(self, found: OperationItem) -> str:
        return exactly(found.content_key)

    @admin.display(description=_("transmission"))
    def transmission(self, found: OperationItem) -> str:
        """Return a link to the item in the list of transmissions. Items that no run has planned are not in it."""
        narrowed = {"configuration__id__exact": found.operation.configuration_id, "q": found.content_key}
        return link_to_list(ContentMetadataItemTransmission, gettext("Show"), **narrowed)

    @admin.display(description=_("kind"))
    def kind_label(self, found: OperationItem) -> str:
        return str(ITEM_LABELS.get(found.kind, found.kind))

    @admin.display(description=_("details"))
    def why(self, found: OperationItem) -> str:
        return shortened(found.details)
