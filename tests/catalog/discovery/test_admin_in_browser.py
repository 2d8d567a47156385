"""A held refresh is approved, and a filter is edited, in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from enterprise_catalog.catalog import tasks
from enterprise_catalog.catalog.models import CatalogRefresh, RefreshState
from tests.admin_pages.browser import admin_page
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, states
from tests.factories.catalog import CatalogFactory
from tests.open_edx import course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def page(live_server: LiveServer) -> Iterator[Page]:
    """A browser page that is logged in to the admin."""
    with admin_page(live_server.url) as page:
        yield page


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of the refreshes that were queued."""
    accepted: list[int] = []
    monkeypatch.setattr(tasks.refresh_query, "apply_async", lambda arguments, **_: accepted.append(arguments[0]))
    return accepted


def test_a_shrink_by_60_percent_is_held_approved_and_then_applied(
    page: Page, open_edx: OpenEdxSandbox, queued: list[int]
) -> None:
    open_edx.documents.put([course(f"edX+C{number:04}") for number in range(50)])
    query = discovery_query()
    CatalogFactory.create(catalog_query=query)
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])
    held = refreshed(query)
    assert len(members(query)) == 50

    page.goto("/admin/catalog/catalogrefresh/")
    page.get_by_role("link", name="Held, waiting for a decision").click()
    page.locator("#result_list tbody tr, table tbody tr").get_by_role("link").first.click()
    expect(page.get_by_text("remove 30 of 50 items (60 %")).to_be_visible()
    page.locator("#object-actions").get_by_role("link", name="Approve", exact=True).click()
    expect(page.locator("#effects")).to_contain_text("items to add: 0; items to remove: 30")
    page.get_by_label("Reason").fill("A partner left.")
    page.get_by_role("button", name="Run on").click()
    expect(page.get_by_text("1 catalog refresh approved; a refresh is queued.")).to_be_visible()
    tasks.refresh_query(queued[-1])

    assert states([held]) == [RefreshState.APPROVED]
    assert CatalogRefresh.objects.latest("pk").state == RefreshState.COMPLETE
    assert len(members(query)) == 20


def test_an_edited_filter_shows_its_effect_before_it_is_saved(
    page: Page, open_edx: OpenEdxSandbox, queued: list[int]
) -> None:
    open_edx.documents.put([course(f"edX+C{number:04}") for number in range(3)])
    open_edx.documents.put([course("edX+A", level_type="Advanced")])
    query = discovery_query()
    refreshed(query)

    page.goto(f"/admin/catalog/catalogquery/{query.pk}/change/")
    page.get_by_label("Content filter").fill('{"content_type": "course", "level_type": "Advanced"}')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Items that this filter finds: 1. To be added: 0. To be removed: 3 of 4.")).to_be_visible()
    page.get_by_label("Save this filter").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    tasks.refresh_query(queued[-1])

    assert members(query) == ["edX+A"]
