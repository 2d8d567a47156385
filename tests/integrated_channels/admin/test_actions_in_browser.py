"""Deciding in the browser: a held mass delete is previewed and partly approved; a dead letter; a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, Decision
from enterprise_catalog.integrated_channels.tasks import run_operation
from tests.admin_pages.browser import admin_page
from tests.factories.catalog import CatalogFactory, import_into
from tests.factories.channels import TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def page(live_server: LiveServer) -> Iterator[Page]:
    """A browser page that is logged in to the admin."""
    with admin_page(live_server.url) as page:
        yield page


def confirm(page: Page, button: str, *, reason: str = "") -> None:
    """Use a button of a page, enter the reason, and confirm."""
    page.locator("#object-actions").get_by_role("link", name=button, exact=True).click()
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Run on").click()


def test_a_mass_delete_is_previewed_and_partly_approved_and_the_rest_is_kept(
    page: Page,
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_operation, "delay", lambda _: None)
    configuration = configure(delete_limit_items=2, delete_limit_percent=20)
    catalog = CatalogFactory.create(content=["A", "B", "C", "D"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["A"], now=clock.now, replace=True)
    run_of(configuration, clock)

    page.goto(f"{CONFIGURATIONS}{configuration.pk}/change/")
    confirm(page, "Preview the next sync")
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    run_operation(int(page.url.rstrip("/").rsplit("/", 1)[1]))
    expect(page.locator("#operation dl")).to_contain_text("Held for approval")  # Without a reload.
    page.get_by_role("link", name="Show these items").click()
    expect(page.locator("#result_list tbody tr, table tbody tr").filter(has_text="held for approval")).to_have_count(3)

    held = ContentMetadataItemTransmission.objects.get(content_key="B")
    page.goto(f"{TRANSMISSIONS}{held.pk}/change/")
    confirm(page, "Approve held deletes", reason="Retired.")
    page.goto(f"{CONFIGURATIONS}{configuration.pk}/change/")
    confirm(page, "Keep held items")
    expect(page.get_by_text("2 transmissions kept.")).to_be_visible()
    run_of(configuration, clock)

    assert set(moodle.offered()) == {"A", "C", "D"}
    assert [*Decision.objects.order_by("pk").values_list("action", "items", "reason")] == [
        ("approve_deletes", 1, "Retired."),
        ("keep_items", 2, ""),
    ]


def test_a_dead_letter_is_requeued_and_a_configuration_is_paused_with_a_reason(
    page: Page, configuration: ChannelConfiguration
) -> None:
    TransmissionFactory.create_for_keys(["A"], configuration=configuration, dead_letter=True)

    page.goto(f"{CONFIGURATIONS}{configuration.pk}/change/")
    confirm(page, "Requeue dead letters", reason="Fixed in the LMS.")
    expect(page.get_by_text("1 transmission queued for the next sync.")).to_be_visible()
    confirm(page, "Pause", reason="LMS migration until Friday.")
    expect(page.get_by_text("1 channel configuration paused.")).to_be_visible()

    expect(page.get_by_text("LMS migration until Friday.")).to_be_visible()
    expect(page.get_by_role("link", name="Resume", exact=True)).to_be_visible()
    configuration.refresh_from_db()
    assert not configuration.active
