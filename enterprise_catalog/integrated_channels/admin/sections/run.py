"""The results and the end of a run in words, for its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from enterprise_catalog.admin_pages.rendering import exactly, link_to, link_to_list
from enterprise_catalog.integrated_channels.admin.sections.links import link_to_customer
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.models import LABELS, TransmissionAttempt
from enterprise_catalog.integrated_channels.reporting.pages.run_summary import failed_attempts, summarize
from enterprise_catalog.integrated_channels.reporting.pages.timeline import attempt_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enterprise_catalog.integrated_channels.models import SyncRun


def run_section(run: SyncRun) -> dict[str, object]:
    """Return the context of ``run_summary.html``."""
    return {
        "run_summary": summarize(run),
        "failed": [
            (link_to(attempt.transmission, exactly(attempt.transmission.content_key)), attempt, sentence)
            for attempt in failed_attempts(run)
            for sentence in [attempt_in_words(attempt)]
        ],
        "attempt_lists": list(_lists(run)),
        "customer_link": link_to_customer(run.configuration.enterprise_customer_uuid),
        "configuration_link": link_to(run.configuration),
    }


def _lists(run: SyncRun) -> Iterator[str]:
    """Yield a link to all attempts of the run, and one per outcome."""
    yield link_to_list(TransmissionAttempt, gettext("All items of this run"), run__id__exact=run.pk)
    numbers: dict[str, int] = {}
    for outcomes in run.counts.values():
        for outcome, number in outcomes.items():
            numbers[outcome] = numbers.get(outcome, 0) + number
    for outcome in Outcome:
        if number := numbers.get(outcome):
            text = f"{number:,} {LABELS[outcome]}"
            yield link_to_list(TransmissionAttempt, text, run__id__exact=run.pk, outcome__exact=outcome.value)
