"""Every admin page opens, and every link, button and filter on it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.contrib import admin

from tests.admin_pages.crawler import AdminCrawler, all_models, base_of, custom_pages, pages_of
from tests.admin_pages.rows import a_row_of_everything

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.django_db


def filtered_lists(crawler: AdminCrawler, model: type[Any]) -> Iterator[str]:
    """Yield the URL of the list with each choice of each filter."""
    response = crawler.look_at(base_of(model))
    for spec in response.context["cl"].filter_specs:
        for choice in spec.choices(response.context["cl"]):
            if query := choice.get("query_string"):
                yield f"{base_of(model)}{query}"


def open_all(crawler: AdminCrawler, models: Iterable[type[Any]]) -> None:
    """Open each page of each model for its first row. Expects 403 exactly where the admin denies the permission."""
    for model in models:
        page, row = admin.site.get_model_admin(model), model._default_manager.first()
        assert row is not None, f"a_row_of_everything() makes no {model._meta.label}"
        request = crawler.request
        forbidden = {
            "add/": not page.has_add_permission(request),
            "delete/": not page.has_delete_permission(request, row),
            "password/": not page.has_change_permission(request, row),
        }
        sees = page.has_view_permission(request, row)
        for address in pages_of(model, row):
            end = address.rsplit("/", 2)[1] + "/"
            crawler.open(address, 200 if sees and not forbidden.get(end) else 403)
        if sees and page.search_fields:
            crawler.look_at(f"{base_of(model)}?q=a")


@pytest.mark.parametrize(
    "follows",
    [
        pytest.param(True, marks=pytest.mark.only_on("sqlite")),
        # MariaDB affects only the pages themselves, not their links.
        pytest.param(False, marks=[pytest.mark.only_on("mariadb"), pytest.mark.slow]),
    ],
)
def test_a_superuser_opens_every_page_and_nothing_leads_astray(*, follows: bool) -> None:
    a_row_of_everything()
    crawler = AdminCrawler("root", is_superuser=True, follows=follows)

    open_all(crawler, all_models())
    for address in custom_pages():
        crawler.open(address, 200, 302, 403, 404, 405)  # Some need arguments; none may return 500.
    for model in all_models():
        for address in filtered_lists(crawler, model):
            crawler.look_at(address)

    assert not crawler.problems, "\n".join(crawler.problems)


@pytest.mark.only_on("sqlite")
@pytest.mark.slow
def test_a_user_who_may_only_view_sees_every_page_and_no_forbidden_link() -> None:
    a_row_of_everything()
    crawler = AdminCrawler("viewer", "view_")

    open_all(crawler, all_models())
    crawler.open("/admin/")

    assert not crawler.problems, "\n".join(crawler.problems)


@pytest.mark.only_on("sqlite")
@pytest.mark.slow
def test_a_user_who_may_view_one_table_sees_no_link_to_another() -> None:
    a_row_of_everything()
    problems = []

    for model in all_models():
        options = model._meta
        crawler = AdminCrawler(f"{options.label}", f"{options.app_label}.view_{options.model_name}")
        crawler.open(base_of(model))
        crawler.open(f"{base_of(model)}{quote(str(model._default_manager.first().pk))}/change/")
        problems += crawler.problems

    assert not problems, "\n".join(problems)


@pytest.mark.only_on("sqlite")
def test_staff_without_permissions_is_refused_and_sees_no_forbidden_link() -> None:
    a_row_of_everything()
    crawler = AdminCrawler("staff")

    open_all(crawler, all_models())
    crawler.open("/admin/")
    crawler.open("/admin/password_change/")

    assert not crawler.problems, "\n".join(crawler.problems)
