"""Admin page of configurations: the customers' channels, the results of their last syncs, and actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from enterprise_catalog.admin_pages.lists.filters import BooleanRadioFilter, ChoicesDropdownFilter
from enterprise_catalog.admin_pages.lists.search import uuid_or_text
from enterprise_catalog.admin_pages.moments import moment_field, moment_text, with_moments
from enterprise_catalog.admin_pages.pages import Page
from enterprise_catalog.admin_pages.rendering import EMPTY, link_to, link_to_list, stacked
from enterprise_catalog.admin_pages.viewer import has_permission
from enterprise_catalog.integrated_channels.admin.configuration_actions import ConfigurationActions
from enterprise_catalog.integrated_channels.admin.runs import run_badge
from enterprise_catalog.integrated_channels.admin.sections.configuration import configuration_section
from enterprise_catalog.integrated_channels.admin.setup.page import SetupPages
from enterprise_catalog.integrated_channels.channels.base import ConsentingChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SyncLease,
    SyncRun,
    TransmissionAttempt,
)

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest
    from django_stubs_ext import WithAnnotations

    from enterprise_catalog.integrated_channels.admin.setup.form import ConfigurationForm
    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

    class _LastRun(TypedDict):
        """The columns that ``get_queryset`` adds."""

        last_run_id: int | None
        last_run_state: str

    _WithLastRun = WithAnnotations[ChannelConfiguration, _LastRun]


_SYNCS = (
    "paused",
    ("last_run", "running"),
    ("last_full_sync", "next_sync"),
    "batches",
    "records",
)
_HOW = (
    ("sync_interval_minutes", "freshness_goal_minutes"),
    "chunk_size",
    ("max_chunks_per_run", "max_seconds_per_run"),
    ("delete_limit_items", "delete_limit_percent"),
)


@admin.register(ChannelConfiguration)
class ConfigurationPage(ConfigurationActions, SetupPages, Page):
    list_display = ("name", "channel_code", "active", "last_run", "last_full_sync", "next_sync")
    list_filter = (("channel_code", ChoicesDropdownFilter), ("active", BooleanRadioFilter))
    ordering = ("id",)
    sortable_by = ()
    search_fields = ("display_name", "enterprise_customer_uuid")
    search_help_text = _("Name or customer UUID")
    nothing_found = _("Search by part of the configuration's name, or by the customer's full UUID.")

    change_form_outer_before_template = "integrated_channels/configuration_summary.html"

    last_full_sync = moment_field("last_full_sync_at", _("last full sync"))
    next_sync = moment_field("next_sync_at", _("next sync"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelConfiguration]:
        newest = SyncRun.objects.filter(configuration=OuterRef("pk")).order_by("-started_at", "-id")
        last_run = {f"last_run_{name}": Subquery(newest.values(name)[:1]) for name in ("id", "state")}
        rows = cast("ConfigurationQuerySet", super().get_queryset(request))
        return rows.not_deleted().annotate(**last_run)

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        return rows.order_by("active", "next_sync_at", "id") if "active" in filters else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration], search_term: str
    ) -> tuple[QuerySet[ChannelConfiguration], bool]:
        columns = {"uuid_columns": ("enterprise_customer_uuid",), "text_columns": ("display_name",)}
        return queryset.filter(uuid_or_text(search_term, **columns)) if search_term.strip() else queryset, False

    def get_fieldsets(self, request: HttpRequest, obj: ChannelConfiguration | None = None) -> _FieldsetSpec:
        of_setup = (*super().get_fieldsets(request, obj), (_("Schedule and limits"), {"fields": _HOW}))
        return of_setup if obj is None else ((_("Syncs"), {"fields": _SYNCS}), *of_setup)

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelConfiguration | None = None) -> tuple[str, ...]:
        of_setup = super().get_readonly_fields(request, obj)
        return of_setup if obj is None else (*of_setup, *flatten(_SYNCS))

    def form_context(self, request: HttpRequest, obj: ChannelConfiguration | None) -> dict[str, object]:
        return super().form_context(request, obj) | (configuration_section(obj) if obj else {})

    @override
    def save_model(
        self, request: HttpRequest, obj: ChannelConfiguration, form: ConfigurationForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        # unfold's name for the button.
        is_wanted = f"{self.opts.app_label}_{self.opts.model_name}_save_and_sync" in request.POST
        if is_wanted and self.has_operate_permission(request):
            self.save_and_sync(request, obj)

    @admin.action(description=_("Save and sync now"), permissions=["change", "operate"])
    def save_and_sync(self, request: HttpRequest, obj: ChannelConfiguration) -> None:
        self.sync_after_commit(request, [obj])

    @admin.display(description=_("configuration"))
    def name(self, configuration: ChannelConfiguration) -> str:
        return stacked(configuration, configuration.base_url)

    @admin.display(description=_("paused"))
    def paused(self, configuration: ChannelConfiguration) -> str:
        if configuration.active:
            return gettext("No")
        reason = configuration.pause_reason or gettext("no reason was entered")
        since = {"time": moment_text(configuration.paused_at), "reason": reason}
        return with_moments(gettext("Since %(time)s. Reason: %(reason)s") % since)

    @admin.display(description=_("last run"))
    def last_run(self, configuration: _WithLastRun) -> str:
        pk, state = configuration.last_run_id, configuration.last_run_state  # Annotated by get_queryset.
        return link_to(SyncRun(pk=pk), run_badge(state)) if pk else EMPTY

    @admin.display(description=_("running now"))
    def running(self, configuration: _WithLastRun) -> str:
        lease = SyncLease.objects.filter(configuration=configuration, expires_at__gt=timezone.now()).first()
        if lease:
            expiry = {"time": moment_text(lease.expires_at)}
            return with_moments(gettext("Yes (lease expires %(time)s)") % expiry)
        is_lost = configuration.last_run_state == RunState.RUNNING
        return gettext("No (the worker stopped responding)") if is_lost else gettext("No")

    @admin.display(description=_("items per call"))
    def batches(self, configuration: ChannelConfiguration) -> str:
        sizes = SyncLease.objects.filter(configuration=configuration).values_list("batch_sizes", flat=True).first()
        return ", ".join(f"{kind}: {size:,}" for kind, size in sorted((sizes or {}).items())) or EMPTY

    @admin.display(description=_("consent"))
    def consent(self, configuration: ChannelConfiguration) -> str:
        channel = CHANNELS.get(configuration.channel_code)
        if channel is None or not issubclass(channel, ConsentingChannel):
            return gettext("Not required for this channel")
        if not has_permission("integrated_channels.change_channelconfiguration"):
            return gettext("Only users who may change this configuration can authorize it")
        url = reverse("channel-consent", args=[configuration.pk])
        text = gettext("Authorize: log in to the LMS and grant access")
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description=_("history"))
    def records(self, configuration: ChannelConfiguration) -> str:
        pk = configuration.pk
        return format_html(
            "{} · {} · {}",
            link_to_list(ContentMetadataItemTransmission, gettext("transmissions"), configuration__id__exact=pk),
            link_to_list(SyncRun, gettext("runs"), configuration__id__exact=pk),
            link_to_list(TransmissionAttempt, gettext("attempts"), run__configuration__id__exact=pk),
        )
