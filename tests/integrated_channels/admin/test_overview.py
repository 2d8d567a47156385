"""The front page's overview: what it shows to whom, its cost, and its look in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from playwright.sync_api import expect

from enterprise_catalog.admin_pages.rendering import EMPTY
from enterprise_catalog.integrated_channels.admin.sections.charts import duration
from enterprise_catalog.integrated_channels.audit import figures
from enterprise_catalog.integrated_channels.models import ConfigurationStatus, Status
from enterprise_catalog.integrated_channels.tasks import record_backlog
from tests.admin_pages.accessibility import NAVIGATION, problems
from tests.admin_pages.browser import admin_page
from tests.admin_pages.crawler import MAX_BYTES
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.live_server_helper import LiveServer

MAX_STATEMENTS = 30


def make(number: int, state: Status, **columns: object) -> None:
    """Create configurations with this status."""
    for each in range(number):
        configuration = ConfigurationFactory.create(display_name=f"{state} {each}")
        rows = ConfigurationStatus.objects.filter(pk=configuration.pk)
        rows.update(state=state, rank=state.rank, run_state="complete", matched=99, **columns)


def make_some() -> None:
    """Create configurations in several states, and figures of some days."""
    today = timezone.now().date()
    make(2, Status.FAILING, reason="The LMS returned 401: the token is not valid.", customer_name="Northwind Institute")
    ConfigurationStatus.objects.update(run_state="stopped")
    make(1, Status.NEEDS_DECISION, held=30, failing=8, customer_name="Acme")
    make(2, Status.BEHIND, behind=1_200)
    make(3, Status.UP_TO_DATE)
    make(1, Status.UP_TO_DATE_EXCEPT, rejected=6)
    for days in range(12):
        outcomes = [{"done": 400 - 20 * days, "rejected": 30, "retry": 12 + days, "skipped": 5}]
        fresh = {"fresh_300": 200, "fresh_3600": 90 + 10 * days, "fresh_14400": 20}
        figures.add_run("MOODLE", outcomes, fresh, day=today - timedelta(days=days))
    record_backlog()


@pytest.mark.django_db
def test_the_front_page_shows_what_needs_attention_instead_of_the_applications(admin_client: Client) -> None:
    make_some()

    page = admin_client.get("/admin/").content.decode()

    assert "Configurations that need attention" in page
    assert "The LMS returned 401: the token is not valid." in page
    assert "30 deletes wait for approval." in page
    assert "up_to_date 0" not in page
    assert "Recent actions" not in page
    assert len(page.encode()) < MAX_BYTES


@pytest.mark.django_db
def test_a_tile_filters_the_list(admin_client: Client) -> None:
    make_some()

    page = admin_client.get("/admin/", {"state": "up_to_date"}).content.decode()

    assert "up_to_date 2" in page
    assert "up_to_date_except 0" in page
    assert "failing 0" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["state=nothing", "page=0", "page=99999999999", "page=%00", "state=paused&page=7"])
def test_any_filter_and_page_is_answered(admin_client: Client, query: str) -> None:
    make(1, Status.FAILING)

    assert admin_client.get(f"/admin/?{query}").status_code == 200


@pytest.mark.django_db
def test_without_configurations_the_page_says_what_to_do(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()

    assert "There is no configuration yet." in page
    assert "/admin/integrated_channels/channelconfiguration/add/" in page
    assert "No figures yet." in page


@pytest.mark.django_db
def test_a_user_who_may_not_see_configurations_sees_no_overview(client: Client) -> None:
    make_some()
    client.force_login(get_user_model().objects.create_user("clerk", is_staff=True))

    page = client.get("/admin/").content.decode()

    assert "need attention" not in page
    assert "Northwind Institute" not in page


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow(admin_client: Client) -> None:
    admin_client.get("/admin/")  # Fills the caches.
    counts = []
    for _ in range(2):
        make(15, Status.FAILING)
        make(15, Status.UP_TO_DATE)
        with CaptureQueriesContext(connection) as captured:
            admin_client.get("/admin/")
        counts.append(len(captured))
        assert not [each["sql"] for each in captured if "itemtransmission" in each["sql"]]

    assert counts[1] <= counts[0] < MAX_STATEMENTS


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (750, "12.5 min"), (12_600, "3.5 h"), (172_800, "2 d"), (None, EMPTY)]
)
def test_a_duration_has_three_digits(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_an_operator_finds_what_fails_in_light_and_dark_on_phone_and_desktop(
    live_server: LiveServer,
) -> None:
    make_some()
    with admin_page(live_server.url) as page:
        page.goto("/admin/")
        assert problems(page, without=NAVIGATION) == []

        page.get_by_role("link", name="2 Failing").click()
        expect(page.locator(".ec-overview tbody tr")).to_have_count(2)
        expect(page.locator(".ec-overview")).to_contain_text("The LMS returned 401")
        page.get_by_text("Show as a table").first.click()
        expect(page.locator(".ec-values").first).to_be_visible()
        page.locator(".ec-overview").get_by_role("link", name="failing 0").click()
        expect(page).to_have_title("failing 0 | Change channel configuration | Enterprise Catalog", timeout=5_000)
