"""The state, counts, reasons and latest runs of a configuration, for its page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from enterprise_catalog.admin_pages.moments import moment, moment_text
from enterprise_catalog.admin_pages.rendering import link_to, link_to_list
from enterprise_catalog.admin_pages.viewer import may_view
from enterprise_catalog.integrated_channels.admin.sections.links import link_to_catalog, link_to_customer
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState, SyncRun
from enterprise_catalog.integrated_channels.reporting.notifications.messages import text_of_event
from enterprise_catalog.integrated_channels.reporting.pages.configuration_summary import (
    in_words,
    summarize_configuration,
)
from enterprise_catalog.integrated_channels.reporting.pages.counts import FAILING, reason_groups
from enterprise_catalog.integrated_channels.reporting.pages.run_summary import failed_items, sent_items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enterprise_catalog.integrated_channels.domain import State
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Notification
    from enterprise_catalog.integrated_channels.reporting.pages.counts import ReasonGroup

#: State of a run -> sign in the strip. The name of the state is in the bar's label.
_SIGNS: Final = {
    RunState.RUNNING: "…",
    RunState.COMPLETE: "✓",
    RunState.COMPLETE_EXCEPT: "✓",
    RunState.INCOMPLETE: "!",
    RunState.STOPPED: "✕",
    RunState.ABANDONED: "✕",
}
_BAR_HEIGHT: Final = 40
_LEAST_HEIGHT: Final = 3


@dataclass(frozen=True, slots=True)
class _Bar:
    """One run in the strip."""

    url: str  #: Empty without permission to view runs.
    label: str
    sign: str
    height: int
    top: int


def configuration_section(configuration: ChannelConfiguration) -> dict[str, object]:
    """Return the context of ``configuration_summary.html``."""
    summary = summarize_configuration(configuration, now=timezone.now())
    failing = any(count.items for count in summary.counts if set(FAILING).intersection(count.states))
    return {
        "summary": summary,
        "counts": [
            (count.label, in_words(count.items), _list_link(configuration, count.states) if count.items else "")
            for count in summary.counts
        ],
        "events": [_event(event) for event in configuration.notifications.filter(is_open=True).order_by("pk")],
        "reasons": [_reason(configuration, group) for group in (reason_groups(configuration) if failing else ())],
        "bars": [_bar(run) for run in summary.runs],
        "all_runs": link_to_list(SyncRun, gettext("All runs"), configuration__id__exact=configuration.pk),
        "customer_link": link_to_customer(configuration.enterprise_customer_uuid),
        "catalog_links": [link_to_catalog(each) for each in configuration.catalog_uuids],
    }


def _event(event: Notification) -> tuple[str, str, str]:
    """Return the link to an open event, since when it is open, and its next step."""
    text = text_of_event(event, now=timezone.now())
    return link_to(event, event.get_kind_display().capitalize()), moment(event.opened_at), text.what_to_do


def _list_link(configuration: ChannelConfiguration, states: Iterable[State], **conditions: str) -> str:
    """Return a link to the configuration's items in these states."""
    return link_to_list(
        ContentMetadataItemTransmission,
        gettext("Show them"),
        configuration__id__exact=configuration.pk,
        state__exact=[state.value for state in states],
        **conditions,
    )


def _reason(configuration: ChannelConfiguration, group: ReasonGroup) -> tuple[str, str, str]:
    items = ngettext("%(n)s item", "%(n)s items", group.items.value) % {"n": in_words(group.items)}
    conditions = {"problem": group.prefix} if group.prefix else {}
    return items, group.reason, _list_link(configuration, group.states, **conditions)


def _bar(run: SyncRun) -> _Bar:
    sent, failed = sent_items(run), failed_items(run)
    height = min(_BAR_HEIGHT, _LEAST_HEIGHT + round(8 * math.log10(1 + sent + failed)))
    label = gettext("Run %(run)d on %(time)s: %(state)s, %(sent)s sent, %(failed)s failed") % {
        "run": run.pk,
        "time": moment_text(run.started_at),
        "state": run.get_state_display(),
        "sent": f"{sent:,}",
        "failed": f"{failed:,}",
    }
    url = reverse("admin:integrated_channels_syncrun_change", args=[run.pk]) if may_view(SyncRun) else ""
    return _Bar(url, label, _SIGNS[RunState(run.state)], height, _BAR_HEIGHT - height)
