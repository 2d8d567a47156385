"""A walk in a real browser: from a customer to the difference of a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.admin_pages.accessibility import NAVIGATION, problems
from tests.admin_pages.browser import admin_page
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_support_walks_from_the_customer_to_the_difference_of_a_payload(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    live_server: LiveServer,
) -> None:
    catalog = CatalogFactory.create(customer=customer)
    import_into(catalog, [CourseFactory.build(key="Org+A", title="First title")], now=clock.now)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="Org+A", title="Second title")], now=clock.now)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_update_courses", times=None))
    run_of(configuration, clock)

    with admin_page(live_server.url) as page:
        page.goto(f"/admin/customers/{customer.pk}/")
        assert problems(page, without=NAVIGATION) == []
        page.get_by_role("link", name="MOODLE of").click()
        expect(page.get_by_role("status").first).to_contain_text("1 item is failing.")
        assert problems(page, without=NAVIGATION) == []
        page.locator(".ec-strip a").last.click()
        expect(page.get_by_role("status").first).to_contain_text("1 item was not updated.")
        assert problems(page, without=NAVIGATION) == []
        page.locator("#summary").get_by_role("link", name="Org+A").click()
        expect(page.locator("#timeline")).to_contain_text("Could not be updated; it is tried again later.")
        page.get_by_role("link", name="Compare with what would be sent now").click()
        differences = page.locator("#payloads table")
        expect(differences.locator("del").first).to_have_text("First")
        expect(differences.locator("ins").first).to_have_text("Second")
        expect(differences).to_contain_text("Would be sent now")
        assert problems(page, without=NAVIGATION) == []
