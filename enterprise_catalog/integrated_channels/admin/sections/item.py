"""The payloads and the timeline of an item, for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.html import format_html
from django.utils.translation import gettext

from enterprise_catalog.admin_pages.moments import moment
from enterprise_catalog.admin_pages.rendering import link_to, link_to_list
from enterprise_catalog.integrated_channels.models import TransmissionAttempt
from enterprise_catalog.integrated_channels.reporting.pages.comparison import compare
from enterprise_catalog.integrated_channels.reporting.pages.payloads import current_payload, stored_payloads
from enterprise_catalog.integrated_channels.reporting.pages.timeline import timeline_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from enterprise_catalog.integrated_channels.domain import Payload
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
    from enterprise_catalog.integrated_channels.reporting.pages.payloads import CurrentPayload, StoredPayloads
    from enterprise_catalog.integrated_channels.reporting.pages.timeline import TimelineEntry

#: GET parameter that asks for the payload that would be sent now.
NOW: Final = "payload"


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    when: str  #: HTML.
    payload: Payload


def item_sections(row: ContentMetadataItemTransmission, request: HttpRequest) -> dict[str, object]:
    """Return the context of ``item_sections.html``. Fetches the current content only if the request asks for it."""
    current = current_payload(row) if request.GET.get(NOW) == "now" else None
    columns = list(_columns(stored_payloads(row), current))
    comparison = compare([column.payload for column in columns]) if columns else None
    timeline = timeline_of(row)
    return {
        "columns": columns,
        "comparison": comparison,
        "differences": [
            (field.name, list(zip(columns, field.cells, strict=True)))
            for field in (comparison.changed if comparison else ())
        ],
        "asked": current is not None,
        "problem_now": current.problem if current else "",
        "timeline": [(entry, moment(entry.at), link) for entry in timeline.entries for link in [_source_link(entry)]],
        "has_more": timeline.has_more,
        "all_attempts": link_to_list(TransmissionAttempt, gettext("All attempts"), transmission__id__exact=row.pk),
    }


def _columns(stored: StoredPayloads, current: CurrentPayload | None) -> Iterator[_Column]:
    """Yield a column per version, the oldest first."""
    if stored.accepted is not None:
        is_last = stored.accepted is stored.sent
        title = gettext("Last sent, and accepted") if is_last else gettext("Last accepted by the LMS")
        yield _Column(title, moment(stored.accepted.sent_at), stored.accepted.payload)
    if stored.sent is not None and stored.sent is not stored.accepted:
        yield _Column(gettext("Last sent, not accepted"), moment(stored.sent.sent_at), stored.sent.payload)
    if current is not None and current.payload is not None:
        yield _Column(gettext("Would be sent now"), "", current.payload)


def _source_link(entry: TimelineEntry) -> str:
    if isinstance(entry.source, TransmissionAttempt):
        text = gettext("Run %(number)d") % {"number": entry.source.run_id}
        return format_html("{} · {}", link_to(entry.source, gettext("Attempt")), link_to(entry.source.run, text))
    return link_to(entry.source, gettext("Decision"))
