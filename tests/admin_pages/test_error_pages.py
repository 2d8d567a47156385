"""Refused and missing pages look like the other pages of the admin, and lead back to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import lxml.html
import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client

from enterprise_catalog.catalog.models import CatalogQuery
from enterprise_catalog.integrated_channels.models import SyncRun
from tests.admin_pages.crawler import AdminCrawler, all_models, base_of, custom_pages, pages_of
from tests.admin_pages.rows import a_row_of_everything
from tests.integrated_channels.pages import RUNS

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

ERRORS: Final = (403, 404)
MISSING: Final = ("/admin/no-such-page/", "/admin/no_such_app/", "/admin/no-such-page")


def links_of(response: Any) -> list[str | None]:
    """Return the targets of the links on the page, without the navigation; none if it is not a page of the admin."""
    main = lxml.html.fromstring(response.content).find(".//main")
    if main is None or b"Traceback" in response.content:
        return []
    return [link.get("href") for link in main.iterfind(".//a")]


def test_each_refused_page_has_the_look_of_the_admin() -> None:
    a_row_of_everything()
    client = AdminCrawler("staff").client
    addresses = [page for model in all_models() for page in pages_of(model, model._default_manager.first())]

    refused = {page: client.get(page) for page in (*addresses, *custom_pages())}
    refused = {page: response for page, response in refused.items() if response.status_code in ERRORS}

    assert len(refused) > 100
    assert {page: links_of(response) for page, response in refused.items() if links_of(response) != ["/admin/"]} == {}


def test_each_missing_page_has_the_look_of_the_admin_and_a_link_to_its_list() -> None:
    crawler = AdminCrawler("root", is_superuser=True)
    own = {
        f"{base_of(model)}999999999/action/{name}/": base_of(model)
        for model in all_models()
        for name in admin.site.get_model_admin(model).get_actions(crawler.request)
    }

    missing = {page: crawler.client.get(page) for page in (*own, *MISSING)}

    assert len(own) > 10
    assert {response.status_code for response in missing.values()} == {404}
    expected = {page: [of_list, "/admin/"] for page, of_list in own.items()} | {page: ["/admin/"] for page in MISSING}
    assert {page: links_of(response) for page, response in missing.items()} == expected


@pytest.mark.parametrize("address", [MISSING[0], RUNS])
def test_no_traceback_is_shown_in_a_debugged_site(address: str, settings: Settings) -> None:
    settings.DEBUG = True
    client = AdminCrawler("staff").client

    response = client.get(address)

    assert response.status_code in ERRORS
    assert links_of(response) == ["/admin/"]


def test_a_refused_page_links_to_its_list_if_the_user_may_open_the_list() -> None:
    client = AdminCrawler("viewer", "view_").client

    assert links_of(client.get(f"{base_of(CatalogQuery)}add/")) == [base_of(CatalogQuery), "/admin/"]


@pytest.mark.parametrize("debug", [False, True])
def test_a_form_without_a_token_has_the_look_of_the_admin(settings: Settings, *, debug: bool) -> None:
    settings.DEBUG = debug
    client = Client(enforce_csrf_checks=True)
    client.force_login(AdminCrawler("root", is_superuser=True).user)

    response: Any = client.post(f"{base_of(CatalogQuery)}add/", {"title": "Forged"})

    assert (response.status_code, links_of(response)) == (403, ["/admin/"])
    assert b"security token is missing or has expired" in response.content
    assert not CatalogQuery.objects.filter(title="Forged").exists()


def test_a_login_form_without_a_token_leads_back_to_the_login_page() -> None:
    get_user_model().objects.create_superuser("root", password="root")

    response: Any = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "root", "password": "root"})

    assert (response.status_code, response.wsgi_request.user.is_authenticated) == (403, False)
    links = lxml.html.fromstring(response.content).iterfind(".//a")
    assert "/admin/login/" in [link.get("href") for link in links]


def test_without_a_login_only_the_login_page_is_shown(client: Client) -> None:
    for address in (*MISSING, base_of(SyncRun)):
        response: Any = client.get(address)
        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")
