"""The audit pages in a real browser (Debian's chromium)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.sandbox.moodle.settings import TOKEN
from tests.admin_pages.browser import admin_page
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def page(live_server: LiveServer) -> Iterator[Page]:
    """A browser page that is logged in to the admin."""
    with admin_page(live_server.url) as page:
        yield page


def rows(page: Page) -> Locator:
    """Return the rows of the list."""
    return page.locator("#result_list tr.data-row")


def test_support_finds_out_why_a_course_is_not_there(page: Page) -> None:
    TransmissionFactory.create_for_keys(
        ["Org+A", "Org+B"], configuration=ConfigurationFactory.create(display_name="Acme's Moodle"), rejected=True
    )

    page.get_by_label("Why is a course missing from an LMS").fill("Org+B")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Acme's Moodle")).to_be_visible()
    expect(page.get_by_text("Invalid parameter value detected.").first).to_be_visible()
    page.get_by_role("link", name="transmission", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The LMS rejected it: Invalid parameter value detected.")
    expect(page.get_by_role("status")).to_contain_text("Tried once")
    expect(page.locator("#timeline")).to_contain_text("invalidparameter")
    page.get_by_role("link", name="All attempts").click()

    expect(page.get_by_text("Showing only the rows of transmission Org+B")).to_be_visible()
    expect(rows(page)).to_have_count(1)


def test_support_narrows_the_list_down_to_a_state_and_a_configuration(page: Page) -> None:
    for name in ("Acme's Moodle", "Globex's Moodle"):
        configuration = ConfigurationFactory.create(display_name=name)
        for state in ("transmitted", "retrying", "rejected"):
            TransmissionFactory.create(content_key=f"Org+{state}", configuration=configuration, **{state: True})

    page.get_by_role("link", name="Transmissions").first.click()
    expect(rows(page)).to_have_count(6)
    page.locator("a", has_text="Filters").click()
    page.get_by_label("rejected", exact=True).check()
    page.get_by_label("retrying", exact=True).check()
    page.locator("#changelist-filter .select2-selection").first.click()
    page.locator(".select2-search__field").last.fill("globex")
    page.get_by_role("option", name="Globex's Moodle").click()
    page.get_by_role("button", name="Apply Filters").click()

    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("Org+rejected")
    expect(rows(page).last).to_contain_text("Org+retrying")
    expect(page.get_by_text("Acme's Moodle")).to_have_count(0)


@pytest.mark.usefixtures("catalog_service")
def test_an_administrator_sets_up_a_moodle_with_a_wrong_and_then_the_right_token(page: Page, moodle_url: str) -> None:
    CatalogFactory.create(customer__name="Acme University", title="Courses", content=["Org+A", "Org+" + "B" * 100])

    page.goto("/admin/integrated_channels/channelconfiguration/add/")
    page.get_by_label("Moodle").check()
    page.get_by_label("Which customer?").fill("acme")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This is the customer “Acme University”.")).to_be_visible()
    page.get_by_label("Courses").check()
    page.get_by_label("Base URL").fill(moodle_url)
    page.get_by_label("Token").fill("a-wrong-token")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("Invalid token")).to_be_visible()
    assert "a-wrong-token" not in page.content()
    assert not ChannelConfiguration.objects.exists()

    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("The connection works, and the configuration was saved.")).to_be_visible()
    assert not ChannelConfiguration.objects.get().active
    page.get_by_role("link", name="Preview", exact=True).click()
    expect(page.locator("#figures")).to_contain_text("To create2")
    expect(page.locator("#refusals")).to_contain_text("Moodle's ID number is limited to 100.")
    page.get_by_role("button", name="Activate").click()

    expect(page.get_by_text("The configuration is active.")).to_be_visible()
    assert ChannelConfiguration.objects.get().active
