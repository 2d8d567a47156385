"""The front page's overview: tiles, the configurations that need attention, and charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from enterprise_catalog.admin_pages.frame import FRONT_PAGE
from enterprise_catalog.admin_pages.moments import moment
from enterprise_catalog.admin_pages.rendering import badge, link_to
from enterprise_catalog.admin_pages.viewer import may_view
from enterprise_catalog.integrated_channels.admin.sections.charts import FRAME, charts
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ConfigurationStatus, Status
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import last_days
from enterprise_catalog.integrated_channels.reporting.overview import ATTENTION, FILTERS, Overview, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

#: Status -> tone of its badge; see ``rendering.badge``.
TONES: Final = {
    Status.FAILING: "danger",
    Status.NEEDS_DECISION: "warning",
    Status.BEHIND: "info",
    Status.NEVER_SYNCED: "info",
    Status.UP_TO_DATE_EXCEPT: "success",
    Status.UP_TO_DATE: "success",
    Status.PAUSED: "default",
}
_TILES: Final = (Status.UP_TO_DATE, Status.BEHIND, Status.FAILING, Status.NEEDS_DECISION, Status.PAUSED)


def front_page(request: HttpRequest) -> dict[str, object] | None:
    """Return the overview's template and values; ``None`` if the user may not see configurations."""
    if not may_view(ChannelConfiguration):
        return None
    now = timezone.now()
    overview = Overview(ConfigurationStatus.objects.all(), now)
    counts = overview.counts()
    chosen = request.GET.get("state", "")
    states = FILTERS.get(chosen, ATTENTION)
    page = overview.page(counts, states, number=_page_number(request))
    return {
        "template": "integrated_channels/overview.html",
        "tiles": [_tile(state, counts, chosen) for state in _TILES],
        "title": _title(chosen),
        "is_filtered": chosen in FILTERS,
        "filter": chosen if chosen in FILTERS else "",
        "page": page,
        "rows": [_cells(row) for row in page.rows],
        "has_configurations": any(counts.values()),
        "add_url": reverse("admin:integrated_channels_channelconfiguration_add"),
        "may_add": request.user.has_perm("integrated_channels.add_channelconfiguration"),
        "charts": charts(last_days(now.date())),
        "frame": FRAME,
    }


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _tile(state: Status, counts: Mapping[Status, int], chosen: str) -> dict[str, object]:
    number, note = counts[state], ""
    if state is Status.UP_TO_DATE:
        exceptions = counts[Status.UP_TO_DATE_EXCEPT]
        number += exceptions
        note = (
            ngettext("%s with exceptions", "%s with exceptions", exceptions) % f"{exceptions:,}" if exceptions else ""
        )
    if state is Status.BEHIND and counts[Status.NEVER_SYNCED]:
        note = gettext("%s never synced") % f"{counts[Status.NEVER_SYNCED]:,}"
    return {
        "state": state.value,
        "label": state.label,
        "number": number,
        "note": note,
        "tone": TONES[state],
        "is_chosen": state.value == chosen,
    }


def _title(chosen: str) -> str:
    if chosen not in FILTERS:
        return gettext("Configurations that need attention")
    return gettext("Configurations: %(state)s") % {"state": Status(chosen).label}


def _cells(row: Row) -> dict[str, object]:
    status = row.status
    configuration = status.configuration
    return {
        "customer": row.customer,
        "name": link_to(configuration, configuration.display_name or row.channel),
        "channel": row.channel,
        "badge": badge(str(row.state.label), TONES[row.state]),
        "since": moment(configuration.next_sync_at if row.is_overdue else status.since),
        "failing": f"{status.failing + status.dead:,}",
        "held": f"{status.held:,}",
        "behind": f"{status.behind:,}",
        "last_full_sync": moment(configuration.last_full_sync_at),
        "next_sync": moment(configuration.next_sync_at if configuration.active else None),
        "reason": row.reason,
    }


FRONT_PAGE.append(front_page)
