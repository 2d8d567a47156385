"""The preview of a configuration's next sync, and the activation."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.pages.preview import preview_sync

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from enterprise_catalog.admin_pages.pages import Page
    from enterprise_catalog.integrated_channels.reporting.pages.preview import SyncPreview

URL_NAME: Final = "integrated_channels_channelconfiguration_first_sync"
#: As for the action "Resume".
OPERATE: Final = "integrated_channels.operate_configurations"
#: Items that cannot be sent: the page lists the first ones, and counts all by reason.
LISTED_ITEMS: Final = 50


def view(page: Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the preview to users who may view the configuration; activate it on POST, as the action "Resume" does."""
    configuration = page.get_object(request, object_id)
    if not page.has_view_permission(request, configuration):
        raise PermissionDenied
    if not isinstance(configuration, ChannelConfiguration):
        raise Http404
    may_activate = request.user.has_perm(OPERATE)
    if request.method != "POST":
        title = gettext("Preview of the next sync")
        context = {**page.admin_site.each_context(request), "title": title, "opts": page.opts}
        context |= {"configuration": configuration, "may_activate": may_activate and not configuration.active}
        return TemplateResponse(request, "integrated_channels/first_sync.html", context | _preview(configuration))
    if not may_activate:
        raise PermissionDenied
    decisions.resume(configuration, by=request.user.get_username(), now=timezone.now())
    messages.success(request, gettext("The configuration is active. Its sync starts within minutes."))
    return HttpResponseRedirect(reverse("admin:integrated_channels_channelconfiguration_change", args=[object_id]))


def _preview(configuration: ChannelConfiguration) -> dict[str, object]:
    try:
        preview = preview_sync(configuration, now=timezone.now())
    except StopSyncError as error:
        return {"problem": error.message}
    return {"preview": preview, "figures": _figures(preview), **_refusals(preview)}


def _figures(preview: SyncPreview) -> list[tuple[str, str]]:
    plan = preview.plan
    return [
        (gettext("To create"), f"{len(plan.creates):,}"),
        (gettext("To update"), f"{len(plan.updates):,}"),
        (gettext("To delete"), f"{len(plan.deletes):,}"),
        (gettext("Deletes held for approval"), f"{len(plan.held):,}"),
        (gettext("Up to date"), f"{plan.matched:,}"),
    ]


def _refusals(preview: SyncPreview) -> dict[str, object]:
    reasons = Counter(refusal.reason for refusal in preview.refusals)
    return {
        "reasons": [(f"{number:,}", reason) for reason, number in reasons.most_common(LISTED_ITEMS)],
        "refusals": preview.refusals[:LISTED_ITEMS],
        "others": max(0, len(preview.refusals) - LISTED_ITEMS),
    }
