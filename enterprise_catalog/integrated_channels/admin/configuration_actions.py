"""Actions on configurations: sync, preview, pause, check, and decide on the items of a configuration."""

from __future__ import annotations

from collections import Counter
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from django.contrib import admin, messages
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError
from typing_extensions import override

from enterprise_catalog.admin_pages.actions.declaration import Effects, Reason, Result, reason_of, runs
from enterprise_catalog.integrated_channels.access.connections import MAX_SECONDS, check_connection
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.audit.status import refreshed_once
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    DecisionAction,
    OperationKind,
)
from enterprise_catalog.integrated_channels.models.decisions import SAMPLE_KEYS
from enterprise_catalog.integrated_channels.tasks import queue_sync, start_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.confirmation import Key
    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin
    from enterprise_catalog.integrated_channels.admin.setup.form import ConfigurationForm
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

    _Targets = Callable[["AnyAdmin", QuerySet[ChannelConfiguration]], TransmissionQuerySet]
else:
    AnyAdmin = object

#: Maximum number of connections to check in one request.
MAX_CONNECTIONS: Final = 20
_UNCHECKED: Final = _("Not checked, because the other checks took too long. Check it again.")
#: Like ``runs``, for actions that decide on items.
decides: Final = partial(runs, reason=Reason.OPTIONAL, around=partial(refreshed_once, timezone.now))
#: Maximum number of configurations for which one request starts a long action.
MAX_OPERATIONS: Final = 20


def _items(state: State) -> _Targets:
    """Return the function that returns the items in ``state`` of configurations, for :func:`runs`."""

    def find(_: AnyAdmin, configurations: QuerySet[ChannelConfiguration]) -> TransmissionQuerySet:
        ids = list(configurations.order_by().values_list("pk", flat=True))
        rows = ContentMetadataItemTransmission.objects.filter(configuration__in=ids, state=state)
        return rows.order_by("content_key", "id")

    return find


def _resend_effects(_: AnyAdmin, __: HttpRequest, keys: Sequence[Key]) -> Effects:
    """Return the number of items that "Resend all" sends, and the first ones."""
    ids = cast("Sequence[int]", keys)
    rows = ContentMetadataItemTransmission.objects.filter(configuration__in=ids).sendable_again(also_transmitted=True)
    number = rows.count()
    if not number:
        return Effects(obstacles=(gettext("There are no items to send again."),))
    text = ngettext(
        "%(number)s item is sent to the LMS again: %(keys)s",
        "%(number)s items are sent to the LMS again: %(keys)s",
        number,
    )
    first = list(rows.order_by("content_key").values_list("content_key", flat=True)[:SAMPLE_KEYS])
    names = ", ".join(first) + (", …" if number > len(first) else "")
    return Effects((text % {"number": f"{number:,}", "keys": names},))


class ConfigurationActions(AnyAdmin):
    """Mixin for the page of configurations."""

    actions = (
        "sync_now",
        "compare_everything",
        "preview",
        "approve_deletes",
        "keep_held",
        "delete_kept",
        "requeue_dead_letters",
        "resend_all",
        "pause",
        "resume",
        "check_connections",
        "check_drift",
        "adopt_items",
    )

    def object_actions(self, request: HttpRequest, obj: ChannelConfiguration) -> Sequence[str]:
        """Return the actions that have something to do for a configuration."""
        return tuple(_useful_actions(obj))

    @override
    def save_form(self, request: HttpRequest, form: ConfigurationForm, change: bool) -> ChannelConfiguration:
        """Remember the stored credentials, before the form replaces them."""
        stored = ChannelConfiguration.objects.filter(pk=form.instance.pk)
        form.credentials_before = stored.values_list("credentials", flat=True).first()  # Read by save_related.
        saved: ChannelConfiguration = super().save_form(request, form, change)
        return saved

    @override
    def save_related(
        self, request: HttpRequest, form: ConfigurationForm, formsets: Sequence[object], change: bool
    ) -> None:
        """Record that the credentials were replaced in the form."""
        super().save_related(request, form, formsets, change)
        stored, saved = form.credentials_before, form.instance
        if stored is not None and stored != saved.credentials:
            by, now = request.user.get_username(), timezone.now()
            decisions.record(saved, DecisionAction.REPLACE_CREDENTIALS, by=by, now=now)

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True if the user may sync, pause and check configurations; ``obj`` is unfold's, and is not used."""
        return request.user.has_perm("integrated_channels.operate_configurations")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may decide on held deletes."""
        return request.user.has_perm("integrated_channels.approve_deletes")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may send items again."""
        return request.user.has_perm("integrated_channels.retry_items")

    @runs(reason=Reason.OPTIONAL)
    @admin.action(description=_("Sync now"), permissions=["operate"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> None:
        self.sync_after_commit(request, queryset)

    @runs(reason=Reason.OPTIONAL)
    @admin.action(description=_("Sync now, compare everything"), permissions=["operate"])
    def compare_everything(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> None:
        self.sync_after_commit(request, queryset, compare_all=True)

    @runs(max_rows=MAX_OPERATIONS)
    @admin.action(description=_("Preview the next sync"), permissions=["view"])
    def preview(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _start(request, queryset, OperationKind.PREVIEW)

    @decides(targets=_items(State.HELD))
    @admin.action(description=_("Approve held deletes"), permissions=["approve"])
    def approve_deletes(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return decide_deletes(request, queryset, approved=True)

    @decides(targets=_items(State.HELD))
    @admin.action(description=_("Keep held items"), permissions=["approve"])
    def keep_held(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return decide_deletes(request, queryset, approved=False)

    @decides(targets=_items(State.KEPT))
    @admin.action(description=_("Delete kept items"), permissions=["approve"])
    def delete_kept(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return delete_kept_items(request, queryset)

    @decides(targets=_items(State.DEAD_LETTER))
    @admin.action(description=_("Requeue dead letters"), permissions=["retry"])
    def requeue_dead_letters(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return send_again(request, queryset, DecisionAction.REQUEUE)

    @runs(max_rows=MAX_OPERATIONS, effects=_resend_effects, reason=Reason.REQUIRED)
    @admin.action(description=_("Resend all items"), permissions=["operate"])
    def resend_all(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _start(request, queryset, OperationKind.RESEND_ALL)

    @runs(reason=Reason.REQUIRED)
    @admin.action(description=_("Pause"), permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _switch(request, queryset, decisions.pause, done=gettext("paused"), skipped=gettext("already inactive"))

    @runs(reason=Reason.OPTIONAL)
    @admin.action(description=_("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _switch(request, queryset, decisions.resume, done=gettext("resumed"), skipped=gettext("already active"))

    @runs(max_rows=MAX_CONNECTIONS, in_transaction=False)
    @admin.action(description=_("Check connection"), permissions=["operate"])
    def check_connections(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> None:
        ends_at = monotonic() + MAX_SECONDS
        for configuration in queryset:
            is_late = monotonic() > ends_at
            problems = [_UNCHECKED] if is_late else check_connection(configuration, clock=timezone.now)
            result = " ".join(map(str, problems)) or gettext("The connection works.")
            text = gettext("“%(configuration)s”: %(result)s") % {"configuration": configuration, "result": result}
            self.message_user(request, text, messages.ERROR if problems else messages.SUCCESS)

    @runs(max_rows=MAX_OPERATIONS)
    @admin.action(description=_("Check drift"), permissions=["operate"])
    def check_drift(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _start(request, queryset, OperationKind.CHECK_DRIFT)

    @runs(max_rows=MAX_OPERATIONS, reason=Reason.OPTIONAL)
    @admin.action(description=_("Adopt items of the LMS"), permissions=["operate"])
    def adopt_items(self, request: HttpRequest, queryset: QuerySet[ChannelConfiguration]) -> Result:
        return _start(request, queryset, OperationKind.ADOPT)

    def sync_after_commit(
        self, request: HttpRequest, configurations: Iterable[ChannelConfiguration], *, compare_all: bool = False
    ) -> None:
        """Queue a sync of each active configuration, and warn the user of the inactive ones."""
        queue = []
        by, reason, now = request.user.get_username(), reason_of(request), timezone.now()
        for configuration in configurations:
            if decisions.sync_now(configuration, by=by, reason=reason, now=now, compare_all=compare_all):
                queue.append(configuration.pk)
            else:
                message = gettext("“%(configuration)s” is inactive and was not queued. Activate it to sync it.")
                self.message_user(request, message % {"configuration": configuration}, messages.WARNING)
        transaction.on_commit(partial(self._queue, request, queue))

    def _queue(self, request: HttpRequest, configuration_ids: Sequence[int]) -> None:
        try:
            for configuration_id in configuration_ids:
                queue_sync(configuration_id)
        except OperationalError:
            message = gettext(
                "Not all syncs were queued: the message broker is unreachable. Each sync will run when it is due."
            )
            self.message_user(request, message, messages.ERROR)
            return
        if configuration_ids:
            number = len(configuration_ids)
            text = ngettext("%(number)s sync queued.", "%(number)s syncs queued.", number)
            self.message_user(request, text % {"number": f"{number:,}"})


def _useful_actions(configuration: ChannelConfiguration) -> Iterator[str]:
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    if rows.held().exists():
        yield from ("approve_deletes", "keep_held")
    if rows.filter(state=State.DEAD_LETTER).exists():
        yield "requeue_dead_letters"
    if configuration.active:
        yield from ("sync_now", "preview", "pause")
    else:
        yield from ("resume", "preview")
    yield "check_connections"
    if configuration.active:
        yield "compare_everything"
    channel = CHANNELS.get(configuration.channel_code)
    if channel is not None and channel.can_list:
        yield from ("check_drift", "adopt_items")
    if rows.kept().exists():
        yield "delete_kept"
    if rows.sendable_again(also_transmitted=True).exists():
        yield "resend_all"


def _start(request: HttpRequest, configurations: QuerySet[ChannelConfiguration], kind: OperationKind) -> Result:
    """Start a long action for each configuration; show its page, or the list if there are several."""
    by, reason, now = request.user.get_username(), reason_of(request), timezone.now()
    started = [start_operation(each, kind, by=by, reason=reason, now=now) for each in configurations]
    if len(started) == 1:
        return Result(url=reverse("admin:operation", args=[started[0].pk]))
    done = gettext("started: %(action)s") % {"action": kind.label}
    return Result(Counter({done: len(started)}), url=reverse("admin:integrated_channels_operation_changelist"))


def _switch(
    request: HttpRequest,
    configurations: QuerySet[ChannelConfiguration],
    switch: Callable[..., bool],
    *,
    done: str,
    skipped: str,
) -> Result:
    by, reason, now = request.user.get_username(), reason_of(request), timezone.now()
    changed = sum(switch(configuration, by=by, reason=reason, now=now) for configuration in configurations)
    return Result(Counter({done: changed}), Counter({skipped: len(configurations) - changed}))


def send_again(request: HttpRequest, transmissions: TransmissionQuerySet, action: DecisionAction) -> Result:
    """Queue items, also items that the LMS already has, for the next sync."""
    by, chosen, now = request.user.get_username(), transmissions.count(), timezone.now()
    number = decisions.queue_again(
        transmissions, by=by, reason=reason_of(request), now=now, also_transmitted=True, action=action
    )
    return Result(
        Counter({gettext("queued for the next sync"): number}),
        Counter({gettext("already queued, or nothing to send"): chosen - number}),
    )


def decide_deletes(request: HttpRequest, transmissions: TransmissionQuerySet, *, approved: bool) -> Result:
    """Approve the held deletes among the items, or keep the items."""
    by, chosen, now = request.user.get_username(), transmissions.count(), timezone.now()
    number = decisions.decide_deletes(transmissions, approved=approved, by=by, reason=reason_of(request), now=now)
    done = gettext("approved for deletion in the next sync") if approved else gettext("kept")
    return Result(Counter({done: number}), Counter({gettext("not held"): chosen - number}))


def delete_kept_items(request: HttpRequest, transmissions: TransmissionQuerySet) -> Result:
    """Approve the deletes of the kept items among the items."""
    by, chosen, now = request.user.get_username(), transmissions.count(), timezone.now()
    number = decisions.delete_kept(transmissions, by=by, reason=reason_of(request), now=now)
    done = gettext("approved for deletion in the next sync")
    return Result(Counter({done: number}), Counter({gettext("not kept"): chosen - number}))
