"""A first-time user finds the three causes of ``plant_causes``, each within three clicks of the front page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import lxml.html
import pytest
from django.core.management import CommandError, call_command
from playwright.sync_api import expect

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.admin_pages.browser import admin_page
from tests.integrated_channels.pages import text_of
from tests.services import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)

MAX_CLICKS: Final = 3
#: A page of the documentation must load quickly.
MAX_PICTURE_BYTES: Final = 65_000


def plant(moodle_url: str) -> str:
    """Plant the causes, and return the output of the command."""
    output = io.StringIO()
    call_command("plant_causes", "--moodle-url", moodle_url, stdout=output)
    return output.getvalue()


@dataclass
class Visitor:
    """A user of the admin who starts at the front page."""

    client: Client
    address: str = "/admin/"
    clicks: int = 0

    def __post_init__(self) -> None:
        self.page: Any = lxml.html.fromstring(text_of(self.client.get(self.address)))

    def click(self, text: str, *, at: str = "") -> None:
        """Follow the first link with this text; with ``at``, the first one in a row or an entry with that text."""
        scope = f"//*[self::tr or self::li or self::div[dt]][contains(., '{at}')]" if at else ""
        [link, *_] = self.page.xpath(f"{scope}//a[contains(normalize-space(.), '{text}')]")
        self._open(urljoin(self.address, link.get("href")))

    def submit(self, **values: str) -> None:
        """Fill in the form that has these fields, and press its button."""
        [form] = [form for form in self.page.forms if values.keys() <= {*form.fields}]
        self._open(form.get("action") or self.address, values)

    def shows(self, text: str) -> bool:
        """Return True if the page shows the text, within the clicks that are allowed."""
        return self.clicks <= MAX_CLICKS and text in " ".join(self.page.text_content().split())

    def _open(self, address: str, query: dict[str, str] | None = None) -> None:
        self.clicks += 1
        self.address = address
        self.page = lxml.html.fromstring(text_of(self.client.get(address, query)))


@pytest.mark.usefixtures("catalog_service")
def test_a_user_finds_each_planted_cause_within_three_clicks(moodle_url: str, admin_client: Client) -> None:
    assert plant(moodle_url).count(" our LMS.") == 3

    harbor = Visitor(admin_client)
    harbor.submit(content_key="CARE+101")
    harbor.submit(enterprise_customer="Harbor", content_key="CARE+101")
    assert harbor.shows("this configuration sends only “Courses for everyone”. Add the catalog to the configuration")
    assert harbor.shows("Edit configuration")

    summit = Visitor(admin_client)
    summit.click("Moodle", at="Summit Bank")
    summit.click("Show them", at="held for approval")
    summit.click("BANK+112")
    assert summit.shows("It left the catalogs and is still in the LMS; its delete waits for approval.")
    assert summit.shows("Approve held deletes")

    riverbend = Visitor(admin_client)
    riverbend.click("1 with exceptions")
    riverbend.click("Moodle", at="Riverbend College")
    assert riverbend.shows("1 item: The item has no title; Moodle needs one.")
    riverbend.click("Show them", at="The item has no title")
    assert riverbend.shows("ARTS+103")


@pytest.mark.usefixtures("catalog_service")
def test_without_a_moodle_the_command_names_the_remedy_and_plants_nothing() -> None:
    with pytest.raises(CommandError, match="Start a sandbox Moodle with: python manage"):
        plant(f"http://127.0.0.1:{free_port()}")

    assert not ChannelConfiguration.objects.exists()


@pytest.mark.processes
def test_the_tutorial_shows_the_pages_as_they_are(catalog_service: LiveServer, moodle_url: str, pictures: Path) -> None:
    plant(moodle_url)

    with admin_page(catalog_service.url) as page:
        page.set_viewport_size({"width": 1100, "height": 600})
        page.reload()
        expect(page.locator(".ec-overview")).to_contain_text("Summit Bank")
        page.screenshot(path=pictures / "tutorial_overview.png")
        page.locator(".ec-overview").get_by_role("link", name="Moodle").click()
        expect(page.get_by_role("status").first).to_contain_text("10 deletes wait for approval.")
        page.locator("#summary").screenshot(path=pictures / "tutorial_configuration.png")
        page.goto("/admin/diagnosis/?enterprise_customer=Harbor&content_key=CARE%2B101")
        expect(page.get_by_role("status")).to_contain_text("It is in catalog “Courses for nurses”")
        page.screenshot(path=pictures / "tutorial_diagnosis.png")

    assert [each.name for each in pictures.glob("*.png") if each.stat().st_size > MAX_PICTURE_BYTES] == []
