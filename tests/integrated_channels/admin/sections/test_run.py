"""The page of a run: what it did, why it stopped, and its items."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import SyncRun
from enterprise_catalog.integrated_channels.reporting.pages.run_summary import summarize
from tests.factories import DAY_ONE
from tests.factories.channels import RunFactory, TransmissionFactory
from tests.integrated_channels.pages import RUNS, text_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def page_of(client: Client, run: SyncRun) -> str:
    """Return the run's page."""
    return text_of(client.get(f"{RUNS}{run.pk}/change/"))


def test_a_run_says_what_it_did_and_why_it_stopped(admin_client: Client) -> None:
    counts = {"create": {"done": 3, "rejected": 1}, "update": {"unchanged": 1}, "delete": {"skipped": 2}}
    run = RunFactory.create(stopped=True, counts=counts, backlog=2, held=1, matched=7)

    page = page_of(admin_client, run)

    assert "The run could not continue. The LMS rejected the credentials." in page
    assert "Created 3 items. 1 item was not created." in page
    assert "2 items were not deleted." in page
    assert "2 items are left for the next run." in page
    assert "1 delete waits for approval." in page


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({}, "The run went to its end. The LMS equals the catalogs."),
        ({"state": "complete_except"}, "The LMS equals the catalogs, except for rejected and kept items."),
        ({"state": "incomplete"}, "The run went to its end, but some items are not up to date."),
        ({"running": True}, "Results appear when the run ends."),
        ({"state": "abandoned"}, "The run was abandoned; a later run continued."),
    ],
)
def test_each_end_has_its_sentence(admin_client: Client, columns: dict[str, object], sentence: str) -> None:
    assert sentence in page_of(admin_client, RunFactory.create(**columns))


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"comparison": "changes", "changes_since": DAY_ONE}, "changes since <"),
        ({"comparison": "unchanged"}, "nothing had changed"),
        ({"comparison": "daily"}, "full comparison: the last one was too long ago"),
    ],
)
def test_a_run_shows_how_it_compared(admin_client: Client, columns: dict[str, object], text: str) -> None:
    assert text in page_of(admin_client, RunFactory.create(**columns))


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("cause", StopCause)
def test_each_cause_of_a_stop_has_a_sentence_and_a_remedy(cause: StopCause) -> None:
    run = RunFactory.create(stopped=True, stop_cause=cause)

    summary = summarize(run)

    assert summary.ended.endswith(". The LMS rejected the credentials.")
    assert summary.what_to_do


def test_the_remedy_is_left_out_after_a_later_run(admin_client: Client) -> None:
    run = RunFactory.create(stopped=True, stop_cause=StopCause.CREDENTIALS)
    assert "Replace the credentials in the configuration" in page_of(admin_client, run)

    RunFactory.create(configuration=run.configuration, started_at=run.started_at + timedelta(hours=1))

    assert "A later run has started." in page_of(admin_client, run)


def test_a_run_lists_its_failed_items_with_links_to_them_and_to_its_attempts(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)
    run = SyncRun.objects.get()
    SyncRun.objects.update(counts={"create": {"rejected": 1}})

    page = page_of(admin_client, run)

    assert f"/contentmetadataitemtransmission/{row.pk}/change/" in page
    assert "Could not be created: rejected. Invalid parameter value detected." in page
    assert f"run__id__exact={run.pk}&amp;outcome__exact=rejected" in page
