"""Times and durations: relative, with the exact time in a tooltip, in the browser's time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import lxml.html
import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from playwright.sync_api import expect

from enterprise_catalog.admin_pages.moments import duration_text, moment, moment_text, relative_text, with_moments
from enterprise_catalog.admin_pages.rendering import EMPTY
from tests.admin_pages.browser import admin_page
from tests.admin_pages.crawler import DJANGO_TIME
from tests.admin_pages.rows import a_row_of_everything
from tests.factories import DAY_ONE
from tests.factories.channels import TransmissionFactory
from tests.integrated_channels.pages import ATTEMPTS, CONFIGURATIONS, TRANSMISSIONS, text_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.live_server_helper import LiveServer


def test_a_time_in_a_sentence_has_its_zone() -> None:
    assert moment_text(DAY_ONE) == "2026-03-01 12:00 UTC"


def test_a_time_is_relative_with_the_exact_time_in_its_tooltip() -> None:
    [time] = lxml.html.fragments_fromstring(moment(DAY_ONE))

    assert str(time.text).endswith(" ago")
    assert time.get("datetime") == "2026-03-01T12:00:00.123456Z"
    assert time.get("title") == "2026-03-01 12:00:00 UTC"


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        ({"seconds": 0}, "0 seconds ago"),
        ({"seconds": -59}, "59 seconds ago"),
        ({"seconds": -60}, "1 minute ago"),
        ({"minutes": 119}, "in 1 hour"),
        ({"hours": -23, "minutes": -59}, "23 hours ago"),
        ({"days": 2}, "in 2 days"),
        ({"days": -29}, "29 days ago"),
        ({"days": -30}, "1 month ago"),
        ({"days": 364}, "in 12 months"),
        ({"days": -800}, "2 years ago"),
    ],
)
def test_a_relative_time_has_the_largest_unit_that_fits(distance: dict[str, int], text: str) -> None:
    assert relative_text(DAY_ONE + timedelta(**distance), DAY_ONE) == text


@pytest.mark.django_db
def test_the_history_of_a_row_shows_times_like_all_other_pages(admin_client: Client, admin_user: User) -> None:
    configuration = TransmissionFactory.create().configuration
    for _ in range(3):
        LogEntry.objects.create(
            user=admin_user,
            content_type=ContentType.objects.get_for_model(configuration),
            object_id=str(configuration.pk),
            action_flag=CHANGE,
            action_time=DAY_ONE,
        )

    page = text_of(admin_client.get(f"{CONFIGURATIONS}{configuration.pk}/history/"))

    assert page.count(moment(DAY_ONE)) == 3
    assert "3 entries" in page
    assert DJANGO_TIME.search(page.encode()) is None


def test_each_time_in_a_text_has_a_tooltip() -> None:
    html = with_moments("<b> Waits until 2026-03-01 12:00 UTC, then until 2026-03-02 12:00 UTC.")

    assert html.startswith("&lt;b&gt; Waits until <time ")
    assert html.count('title="2026-03-01 12:00:00 UTC">2026-03-01 12:00 UTC</time>') == 1
    assert html.count("<time ") == 2


def test_a_time_that_does_not_exist_stays_text() -> None:
    assert with_moments("2026-02-31 25:00 UTC") == "2026-02-31 25:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.85, "850 ms"), (12.4, "12 s"), (59.9, "1 min 0 s"), (250, "4 min 10 s"), (7_500, "2 h 5 min")],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(DAY_ONE, DAY_ONE + timedelta(seconds=seconds)) == text


def test_a_missing_time_is_a_dash() -> None:
    assert {moment_text(None), moment(None), duration_text(DAY_ONE, None)} == {EMPTY}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        ATTEMPTS,
        "/admin/axes/accessattempt/",
        "/admin/axes/accessattempt/{}/change/",
        "/admin/django_celery_beat/clockedschedule/",
    ],
)
def test_pages_of_every_package_show_relative_times(admin_client: Client, address: str) -> None:
    a_row_of_everything()

    page: Any = lxml.html.fromstring(admin_client.get(address.format(AccessAttempt.objects.latest("pk").pk)).content)

    assert page.findall(".//main//time[@datetime]")


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_the_tooltip_has_the_time_in_the_browser_s_time_zone(live_server: LiveServer) -> None:
    due = datetime.fromisoformat("2100-01-01T20:30:00Z")
    row = TransmissionFactory.create(content_key="Org+A", retrying=True, next_attempt_at=due)

    with admin_page(live_server.url, timezone_id="Asia/Kolkata", locale="en-GB") as page:
        page.goto(TRANSMISSIONS)
        tried = page.locator("main time").first
        tried.hover()
        expect(tried).to_have_attribute("title", "1 Mar 2026, 17:30:00 GMT+5:30\n2026-03-01 12:00:00 UTC")
        page.goto(f"{TRANSMISSIONS}{row.pk}/change/")
        in_sentence = page.locator("#finding time").first
        expect(in_sentence).to_have_text("2100-01-01 20:30 UTC")
        in_sentence.hover()
        expect(in_sentence).to_have_attribute("title", "2 Jan 2100, 02:00:00 GMT+5:30\n2100-01-01 20:30:00 UTC")


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_a_relative_time_stays_correct_while_the_page_is_open(live_server: LiveServer) -> None:
    TransmissionFactory.create(content_key="Org+A", rejected=True)

    with admin_page(live_server.url) as page:
        page.clock.install(time=DAY_ONE + timedelta(hours=3))
        page.goto(TRANSMISSIONS)
        page.clock.run_for("01:00")

        expect(page.locator("main time").first).to_have_text("3 hours ago")
