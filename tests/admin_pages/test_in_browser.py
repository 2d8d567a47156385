"""The admin in a real browser: the Content-Security-Policy, and actions on many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import expect

from enterprise_catalog.admin_pages.lists import paginator
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from tests.admin_pages.browser import admin_page
from tests.admin_pages.rows import a_row_of_everything
from tests.factories.channels import TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Route
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def page(live_server: LiveServer) -> Iterator[Page]:
    """A browser page that is logged in to the admin."""
    with admin_page(live_server.url) as page:
        yield page


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Console errors and page errors of the browser, collected from now on."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_no_page_breaks_its_own_policy(page: Page, complaints: list[str]) -> None:
    a_row_of_everything()
    row, task = ContentMetadataItemTransmission.objects.first(), PeriodicTask.objects.first()
    configuration = ChannelConfiguration.objects.first()
    assert row
    assert task
    assert configuration
    addresses = [
        "/admin/",
        TRANSMISSIONS,
        f"{TRANSMISSIONS}{row.pk}/change/",
        f"{CONFIGURATIONS}{configuration.pk}/change/",
        f"{CONFIGURATIONS}add/",
        f"/admin/django_celery_beat/periodictask/{task.pk}/change/",
        "/admin/auth/user/1/change/",
        "/admin/catalog/enterprisecatalog/add/",
        "/admin/oauth2_provider/application/",
        "/admin/password_change/",
    ]

    for address in addresses:
        response = page.goto(address, wait_until="networkidle")
        assert response is not None
        assert response.status == 200, address
        expect(page.locator("#page")).to_be_visible()

    assert complaints == []


def test_the_api_s_documentation_works_under_the_policy(page: Page, complaints: list[str]) -> None:
    page.goto("/api-docs/")

    expect(page.get_by_text("Enterprise Catalog").first).to_be_visible()
    page.locator(".opblock-summary").first.click()
    expect(page.get_by_role("button", name="Try it out").first).to_be_visible()
    assert complaints == []


def test_a_script_that_was_injected_into_a_page_does_not_run(page: Page, complaints: list[str]) -> None:
    page.route("**/admin/auth/group/", lambda route: _inject(route))  # noqa: PLW0108  (the stubs want one argument)

    page.goto("/admin/auth/group/", wait_until="networkidle")

    assert page.evaluate("document.body.dataset.injected") is None
    assert len([text for text in complaints if "Content Security Policy" in text]) >= 3


def _inject(route: Route) -> None:
    """Fulfill the request with the site's own page plus scripts, injected in each of the usual ways."""
    response = route.fetch()
    scripts = (
        "<script>document.body.dataset.injected = 'inline'</script>"
        "<img src='/static/none.png' onerror=\"document.body.dataset.injected = 'attribute'\">"
        "<script src='data:text/javascript,document.body.dataset.injected=1'></script>"
    )
    body = response.text().replace("</body>", f"{scripts}</body>")
    route.fulfill(response=response, body=body)


def test_all_rows_of_a_long_list_are_selected_counted_and_confirmed(
    page: Page, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "MAX_ROWS", 60)
    TransmissionFactory.create_for_keys([f"Org+{number:03}" for number in range(75)], rejected=True)

    page.goto(TRANSMISSIONS)
    page.locator("#action-toggle").check()
    page.get_by_role("link", name="Select all of the more than 60 transmissions").click()
    page.locator("select[name=action]").select_option("queue_again")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#row-count")).to_have_text("75 transmissions")
    page.get_by_role("button", name="Run on 75 transmissions").click()

    expect(page.get_by_text("75 transmissions queued for the next sync.")).to_be_visible()
    assert not ContentMetadataItemTransmission.objects.exclude(state="pending").exists()
    assert complaints == []


def test_a_throttled_login_shows_how_long_to_wait(page: Page) -> None:
    for _ in range(5):
        Client().post("/admin/login/", {"username": "unknown", "password": "wrong"})
    page.context.clear_cookies()

    page.goto("/admin/login/")
    page.get_by_label("Username").fill("unknown")
    page.get_by_label("Password").fill("right")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_have_text(
        "Too many failed logins for this user name. Try again in 15 minutes."
    )
