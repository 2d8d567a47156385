"""The audit pages in a real browser (Debian's chromium)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import expect

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.admin_pages.browser import admin_page
from tests.factories.channels import SECRET, ConfigurationFactory, TransmissionFactory

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
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Invalid parameter value detected.")
    rows(page).get_by_role("link", name="Org+B").click()
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


class Entered(NamedTuple):
    """Input for the form of a new configuration."""

    settings: dict[str, object]
    credentials: dict[str, str]


@pytest.mark.parametrize(
    ("code", "offered", "wrong", "expected", "right"),
    [
        pytest.param(
            "MOODLE",
            "category_id, integer from 1 (default: 1)",
            Entered({"category": 1}, {"token": SECRET}),
            "category: Extra inputs are not permitted",
            Entered({"category_id": 1}, {"token": SECRET}),
            id="Moodle",
        ),
        pytest.param(
            "BLACKBOARD",
            'course_view, "Ultra" or "Classic" (default: "Ultra")',
            Entered({"course_view": "Modern"}, {"client_id": "acme", "client_secret": SECRET}),
            "course_view: Input should be 'Ultra' or 'Classic'",
            Entered({"course_view": "Classic"}, {"client_id": "acme", "client_secret": SECRET}),
            id="Blackboard",
        ),
        pytest.param(
            "SAP",
            "company_id, string (required)",
            Entered({"company_id": "acme", "user_id": "us"}, {"client_id": "acme", "assertion": SECRET}),
            "The token kind 'token_server' requires client_secret.",
            Entered({"company_id": "acme", "user_id": "us"}, {"client_id": "acme", "client_secret": SECRET}),
            id="SAP",
        ),
    ],
)
def test_an_administrator_corrects_a_wrong_field_and_sees_no_credentials_again(
    page: Page, *, code: str, offered: str, wrong: Entered, expected: str, right: Entered
) -> None:
    page.goto("/admin/integrated_channels/channelconfiguration/add/")
    page.locator("[name=channel_code]").select_option(code, force=True)
    page.locator("[name=enterprise_customer_uuid]").fill("22222222-2222-4222-8222-222222222222")
    page.locator("[name=base_url]").fill("https://lms.example.org")
    page.get_by_label("Skip the customer check").check()
    page.locator(".field-settings summary", has_text=CHANNELS[code].label).click()
    expect(page.get_by_text(offered)).to_be_visible()
    enter(page, wrong)
    expect(page.get_by_text(expected)).to_be_visible()
    expect_no_secret(page)

    enter(page, right)
    page.wait_for_url("**/change/")

    expect_no_secret(page)
    configuration = ChannelConfiguration.objects.get()
    assert (configuration.channel_code, configuration.settings) == (code, right.settings)
    assert decrypt(configuration.credentials) == right.credentials


def enter(page: Page, entered: Entered) -> None:
    """Fill in settings and credentials, and save."""
    page.locator("[name=settings]").fill(json.dumps(entered.settings))
    page.locator("[name=new_credentials]").fill(json.dumps(entered.credentials))
    page.get_by_role("button", name="Save and continue editing").click()


def expect_no_secret(page: Page) -> None:
    """Check that the page that came back contains no credentials."""
    expect(page.locator("[name=new_credentials]")).to_have_value("")
    assert SECRET not in page.content()
