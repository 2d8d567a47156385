"""Each cause on the page "Why is a course missing?", in a real browser, with its sentence and its button."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.models import RunState
from tests.admin_pages.browser import admin_page
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.conftest import Clock
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

KEY: Final = "edX+DemoX"
TOO_LONG: Final = f"edX+{'D' * 100}"
_SOON: Final = {"next_attempt_at": timezone.now() + timedelta(hours=1)}
_OLD: Final = {"content_updated_at": DAY_ONE - timedelta(days=1), "attempted_updated_at": DAY_ONE - timedelta(days=1)}

#: Name of the configuration -> columns of its row; trait and columns of its last run.
ROWS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "in the LMS": ({"transmitted": True}, {}),
    "update": ({"transmitted": True, **_OLD}, {}),
    "credentials": ({}, {"state": RunState.STOPPED, "stop_cause": "credentials", "reason": "Token expired."}),
    "throttled": ({}, {"state": RunState.STOPPED, "stop_cause": "throttled", "reason": "429."}),
    "out of calls": ({}, {"state": RunState.INCOMPLETE, "stop_cause": "budget"}),
    "left over": ({}, {"state": RunState.INCOMPLETE, "backlog": 7}),
    "rejected": ({"rejected": True, **_SOON}, {}),
    "retrying": ({"retrying": True, **_SOON}, {}),
    "dead letter": ({"dead_letter": True}, {}),
    "in doubt": ({"in_doubt": True}, {}),
}
#: The same, for configurations whose catalog does not contain the course.
LEFT: Final[dict[str, dict[str, Any]]] = {
    "held": {"held": True},
    "kept": {"kept": True},
    "approved": {"held": True, "state": "pending", "reason": "Left the catalogs; its delete was approved by admin."},
}

#: Name of the configuration -> part of the sentence, part of the remedy, button; empty without one.
EXPECTED: Final = {
    "in the LMS": ("The LMS has the newest version", "Nothing to do", ""),
    "update": ("The LMS has the version of 2026-02-28 12:00 UTC", "updates it", "Sync now"),
    "credentials": (
        "the LMS rejects the credentials: Token expired.",
        "Replace the credentials",
        "Replace credentials",
    ),
    "throttled": ("the LMS accepted no more calls: 429.", "Nothing to do", ""),
    "out of calls": ("made as many calls as the LMS allows", "Nothing to do", ""),
    "left over": ("reached its limit before the turn of this item; 7 items were left over", "continues", "Sync now"),
    "rejected": (
        "The LMS rejected it: Invalid parameter value detected.",
        "send it again",
        "Send again with the next sync",
    ),
    "retrying": (
        "It could not be created: Invalid parameter value detected.",
        "Next attempt on",
        "Send again with the next sync",
    ),
    "dead letter": ("given up after 10 attempts", "queue it again", "Send again with the next sync"),
    "in doubt": ("the run ended before the LMS responded", "checks the LMS", "Sync now"),
    "held": ("its delete waits for approval", "Approve the delete", "Approve held deletes"),
    "kept": ("a user decided to keep it", "Nothing to do", "Delete kept items"),
    "approved": ("It is still in the LMS.", "deletes it", "Sync now"),
    "never synced": ("this configuration has never been synced", "The first sync", "Sync now"),
    "running": ("A sync has been running since", "reload this page", ""),
    "inactive": ("Nothing is sent, because the configuration is inactive.", "Resume syncing", "Resume"),
    "other catalog": ("this configuration sends only “Empty”", "Add the catalog", "Edit configuration"),
    "feed": ("It has been in the feed since", "polls the feed", ""),
}


@pytest.fixture
def page(catalog_service: LiveServer) -> Iterator[Page]:
    """A browser page that is logged in to the admin."""
    with admin_page(catalog_service.url) as page:
        yield page


@pytest.fixture
def every_cause(customer: EnterpriseCustomer) -> None:
    """One configuration for each cause; its name is the cause."""
    full = CatalogFactory.create(customer=customer, title="Full", content=[KEY, TOO_LONG])
    empty = CatalogFactory.create(customer=customer, title="Empty")

    def configure(name: str, **columns: Any) -> ChannelConfiguration:
        return ConfigurationFactory.create(enterprise_customer_uuid=customer.pk, display_name=name, **columns)

    for name, (row, run) in ROWS.items():
        made = configure(name)
        TransmissionFactory.create(configuration=made, content_key=KEY, catalog_uuid=full.pk, **row)
        RunFactory.create(configuration=made, started_at=DAY_ONE + timedelta(minutes=1), **run)
    for name, row in LEFT.items():
        TransmissionFactory.create(configuration=configure(name, catalog_uuids=[empty.pk]), content_key=KEY, **row)
    configure("never synced")
    configure("inactive", active=False)
    configure("other catalog", catalog_uuids=[empty.pk])
    feed = configure("feed", channel_code="CSOD")
    TransmissionFactory.create(configuration=feed, content_key=KEY, catalog_uuid=full.pk, staged=True)
    leases.acquire(configure("running").pk, now=timezone.now())


def look_up(page: Page, customer: EnterpriseCustomer, key: str) -> None:
    """Fill in the page's form."""
    page.goto("/admin/diagnosis/")
    page.get_by_label("Customer", exact=True).fill(str(customer.pk))
    page.get_by_label("Course", exact=True).fill(key)
    page.keyboard.press("Enter")
    page.locator("main, #main").get_by_text(key.strip()).first.wait_for()


def finding(page: Page, name: str) -> Locator:
    """Return the section about the configuration with this name."""
    return page.locator("section", has=page.get_by_role("heading", name=f"{name} ·"))


@pytest.mark.usefixtures("every_cause")
def test_each_cause_has_its_sentence_and_its_button(page: Page, customer: EnterpriseCustomer) -> None:
    look_up(page, customer, KEY)

    for name, (sentence, remedy, button) in EXPECTED.items():
        status = finding(page, name).get_by_role("status")
        expect(status).to_contain_text(sentence)
        expect(status).to_contain_text(remedy)
        buttons = finding(page, name).get_by_role("link", name=button)
        assert not button or buttons.count(), f"{name} has no button “{button}”"
    assert len(page.content()) < 120_000

    finding(page, "rejected").get_by_role("link", name="Send again with the next sync").click()
    expect(page.locator("#row-count")).to_have_text("1 transmission")
    look_up(page, customer, TOO_LONG)
    expect(finding(page, "never synced").get_by_role("status")).to_contain_text("Moodle cannot hold it:")


def test_a_similar_key_leads_to_the_course(
    page: Page, customer: EnterpriseCustomer, configure: Callable[..., ChannelConfiguration]
) -> None:
    configure(display_name="Moodle")
    CatalogFactory.create(customer=customer, content=[KEY])

    look_up(page, customer, "edx+demox ")
    expect(page.get_by_role("status")).to_contain_text("No content has exactly this key.")
    look_up(page, customer, "course-v1:edX+DemoX+2026")
    expect(page.get_by_role("status")).to_contain_text("This is the key of a course run.")
    look_up(page, customer, "edX+Other")
    expect(page.get_by_role("status")).to_contain_text("The catalog service has no content with this key.")
    look_up(page, customer, "Course edX")
    page.locator("#suggestions").get_by_role("link", name=KEY).click()

    expect(page.get_by_role("status")).to_contain_text("this configuration has never been synced")


def test_the_lms_is_asked_on_request(
    page: Page, customer: EnterpriseCustomer, configuration: ChannelConfiguration, moodle: MoodleSandbox
) -> None:
    CatalogFactory.create(customer=customer, content=[KEY])
    run_of(configuration, Clock(timezone.now()))
    [course] = moodle.table.with_idnumber(KEY)

    look_up(page, customer, KEY)
    page.get_by_role("button", name="Look it up in the LMS now").click()
    expect(page.get_by_role("status")).to_contain_text("Checked now: learners see it.")
    moodle.table.change(replace(course, visible=0))
    page.get_by_role("button", name="Look it up in the LMS now").click()
    expect(page.get_by_role("status")).to_contain_text("the LMS hides it from learners")
    moodle.table.remove(course.id)
    page.get_by_role("button", name="Look it up in the LMS now").click()
    expect(page.get_by_role("status")).to_contain_text("the LMS no longer has it: it was deleted there.")

    page.get_by_role("link", name="Send again with the next sync").click()
    expect(page.locator("#row-count")).to_have_text("1 transmission")
