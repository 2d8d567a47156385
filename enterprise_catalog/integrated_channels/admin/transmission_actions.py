"""Actions on items: send again, and decide on held and kept items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.admin.configuration_actions import (
    decide_deletes,
    decides,
    delete_kept_items,
    send_again,
)
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, DecisionAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin, Result
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
else:
    AnyAdmin = object

_FAILED = (State.RETRYING, State.REJECTED, State.DEAD_LETTER)


def _held(_: AnyAdmin, chosen: TransmissionQuerySet) -> TransmissionQuerySet:
    return chosen.held()


def _kept(_: AnyAdmin, chosen: TransmissionQuerySet) -> TransmissionQuerySet:
    return chosen.kept()


def _same_failures(_: AnyAdmin, chosen: TransmissionQuerySet) -> TransmissionQuerySet:
    """Return all items that fail for the same reason, in the same configuration, as one of the chosen items."""
    failed = chosen.filter(state__in=_FAILED).order_by()
    same = Q(pk__in=())
    for configuration_id, reason in failed.values_list("configuration_id", "reason").distinct()[:100]:
        same |= Q(configuration=configuration_id, reason=reason)
    return _all_failures().filter(same)


def _all_failures() -> TransmissionQuerySet:
    return ContentMetadataItemTransmission.objects.filter(state__in=_FAILED).order_by("content_key", "id")


class TransmissionActions(AnyAdmin):
    """Mixin for the page of transmissions."""

    actions: Sequence[str] | None = (
        "queue_again",
        "queue_same_failures",
        "approve_chosen",
        "keep_chosen",
        "delete_kept",
    )

    def object_actions(self, request: HttpRequest, obj: ContentMetadataItemTransmission) -> Sequence[str]:
        """Return the actions that have something to do for an item."""
        match State(obj.state):
            case State.HELD:
                return ("approve_chosen", "keep_chosen")
            case State.KEPT:
                return ("delete_kept",)
            case State.RETRYING | State.REJECTED | State.DEAD_LETTER:
                return ("queue_again", "queue_same_failures")
            case State.TRANSMITTED if obj.action != Action.DELETE:
                return ("queue_again",)
            case _:
                return ()

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may decide on held deletes."""
        return request.user.has_perm("integrated_channels.approve_deletes")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may send items again."""
        return request.user.has_perm("integrated_channels.retry_items")

    @decides()
    @admin.action(description=_("Send again with the next sync"), permissions=["retry"])
    def queue_again(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return send_again(request, queryset, DecisionAction.SEND_AGAIN)

    @decides(targets=_same_failures, recheck=_all_failures)
    @admin.action(description=_("Send again all that fail for the same reason"), permissions=["retry"])
    def queue_same_failures(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return send_again(request, queryset, DecisionAction.SEND_AGAIN)

    @decides(targets=_held)
    @admin.action(description=_("Approve held deletes"), permissions=["approve"])
    def approve_chosen(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return decide_deletes(request, queryset, approved=True)

    @decides(targets=_held)
    @admin.action(description=_("Keep held items"), permissions=["approve"])
    def keep_chosen(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return decide_deletes(request, queryset, approved=False)

    @decides(targets=_kept)
    @admin.action(description=_("Delete kept items"), permissions=["approve"])
    def delete_kept(self, request: HttpRequest, queryset: TransmissionQuerySet) -> Result:
        return delete_kept_items(request, queryset)
