"""The navigation and the front page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import lxml.html
import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.test import RequestFactory

from enterprise_catalog.admin_pages.frame import front_page, navigation
from enterprise_catalog.integrated_channels.models import SyncRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.fixture
def request_of() -> Callable[..., HttpRequest]:
    """Return a function that makes a request by a staff user with the given permissions, such as ``view_user``."""

    def make(*permissions: str) -> HttpRequest:
        request = RequestFactory().get("/admin/")
        request.user = get_user_model().objects.create_user("staff", is_staff=True)
        request.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return request

    return make


def titles(request: HttpRequest) -> list[str]:
    return [str(item["title"]) for group in navigation(request) for item in group["items"]]


def test_the_navigation_has_what_the_user_may_see(request_of: Callable[..., HttpRequest]) -> None:
    assert titles(request_of("view_syncrun", "view_enterprisecatalog")) == ["Runs", "Catalogs"]


def test_a_deployment_without_a_program_has_none_of_its_pages(
    request_of: Callable[..., HttpRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = admin.site.is_registered
    monkeypatch.setattr(admin.site, "is_registered", lambda model: model is not SyncRun and registered(model))

    assert titles(request_of("view_syncrun", "view_enterprisecatalog")) == ["Catalogs"]


def test_the_front_page_searches_what_the_user_may_see(request_of: Callable[..., HttpRequest]) -> None:
    context = front_page(request_of("view_contentmetadataitemtransmission"), {"title": "Front"})

    searches = context["key_searches"]
    assert isinstance(searches, list)
    assert context["title"] == "Front"
    assert [(search["url"], search["parameter"]) for search in searches] == [("/admin/diagnosis/", "content_key")]


def test_the_front_page_has_a_search_field_for_a_key(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()

    assert "Why is a course missing from an LMS?" in page
    assert "Which catalogs contain a course?" in page
    assert "/static/admin_pages/pages.css" in page


def test_the_keyboard_reaches_content_search_and_navigation(admin_client: Client) -> None:
    page = lxml.html.fromstring(admin_client.get("/admin/").content)

    first = next(page.iterfind(".//body//a[@href]"))
    assert first.get("href") == "#main-content"
    assert [main.get("id") for main in page.iterfind(".//main")] == ["main-content"]
    assert page.findall(".//main//*[@role='search']//input")
    assert "/static/admin_pages/accessibility.js" in [script.get("src") for script in page.iterfind(".//script")]
    buttons = page.findall(".//button[@aria-label='Show or hide the navigation']")
    assert len(buttons) == 2  # Phones have one of their own.


def test_the_style_sheet_closes_each_block() -> None:
    path = finders.find("admin_pages/pages.css")
    assert isinstance(path, str)
    text = Path(path).read_text(encoding="utf-8")

    for block in text.split("}")[:-1]:
        assert block.count("{") <= 2, block
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "address",
    [
        "auth/user/",
        "auth/user/add/",
        "auth/group/",
        "django_celery_beat/periodictask/",
        "django_celery_beat/periodictask/add/",
        "django_celery_beat/crontabschedule/add/",
        "django_celery_beat/intervalschedule/",
        "django_celery_beat/solarschedule/add/",
        "django_celery_beat/clockedschedule/add/",
        "oauth2_provider/application/",
    ],
)
def test_pages_of_other_packages_open(admin_client: Client, address: str) -> None:
    assert admin_client.get(f"/admin/{address}").status_code == 200
