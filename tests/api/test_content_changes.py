"""``GET …/content-changes/``: created, changed and removed content since a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.catalog.models import CatalogQuery, CatalogVersion, ContentChange
from enterprise_catalog.catalog.versions import log
from enterprise_catalog.db.timestamps import format_time
from tests.api.endpoints import address
from tests.catalog.queries import version_of
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, allow_restricted, import_into, run_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=["a", "b", "c"])


def ask(client: APIClient, catalog: EnterpriseCatalog, since: str, **parameters: object) -> Any:
    further = "".join(f"&{name}={value}" for name, value in parameters.items())
    return client.get(f"{address(catalog.pk, 'content-changes/')}?since={quote(since)}{further}")


def pages(client: APIClient, catalog: EnterpriseCatalog, since: str, **parameters: object) -> Iterator[dict[str, Any]]:
    """Yield all pages."""
    response = ask(client, catalog, since, **parameters)
    while True:
        assert response.status_code == 200, response.content
        page: dict[str, Any] = response.json()
        yield page
        if page["next"] is None:
            return
        response = client.get(page["next"])


def changed(key: str) -> dict[str, Any]:
    return CourseFactory.build(key=key, title="Changed")


def test_it_returns_what_was_created_changed_and_removed(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["a", changed("b"), "d"], replace=True, now=DAY_TWO)

    response = ask(operator, catalog, since)

    assert response.json() == {
        "catalog_uuid": str(catalog.pk),
        "created": [{"content_key": "d", "updated_at": format_time(DAY_TWO)}],
        "changed": [{"content_key": "b", "updated_at": format_time(DAY_TWO)}],
        "removed": ["c"],
        "next": None,
        "catalog_version": version_of(catalog),
    }
    assert response["Cache-Control"] == "private, no-cache"


def test_nothing_changed_since_the_current_version(
    operator: APIClient, catalog: EnterpriseCatalog, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    since = version_of(catalog)
    ask(operator, catalog, since)

    with django_assert_num_queries(2):  # user, catalog
        page = ask(operator, catalog, since).json()

    assert (page["created"], page["changed"], page["removed"]) == ([], [], [])
    assert (page["next"], page["catalog_version"]) == (None, since)


def test_only_the_last_page_has_the_version(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["a", changed("b"), "d"], replace=True)

    found = [*pages(operator, catalog, since, page_size=1)]

    assert ["catalog_version" in page for page in found] == [False, False, True]
    assert found[-1]["catalog_version"] == version_of(catalog)
    assert [len(page["created"]) + len(page["changed"]) + len(page["removed"]) for page in found] == [1, 1, 1]


def test_a_page_takes_one_statement_after_the_access_check(
    operator: APIClient, catalog: EnterpriseCatalog, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    since = version_of(catalog)
    import_into(catalog, [changed("b")])
    ask(operator, catalog, since)

    with django_assert_num_queries(3):  # user, catalog, changes with their version
        ask(operator, catalog, since)


def test_an_item_that_came_and_went_is_no_change(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["d"])
    import_into(catalog, ["a", "b", "c"], replace=True)

    [page] = pages(operator, catalog, since)

    assert (page["created"], page["changed"], page["removed"]) == ([], [], [])


def test_an_item_that_went_and_came_back_has_changed(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["a", "b"], replace=True)
    import_into(catalog, ["c"])

    [page] = pages(operator, catalog, since)

    assert [item["content_key"] for item in page["changed"]] == ["c"]
    assert (page["created"], page["removed"]) == ([], [])


def test_an_item_that_joins_with_a_changed_document_is_created(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    CatalogFactory.create(content=["d"])
    since = version_of(catalog)
    import_into(catalog, [changed("d")])

    [page] = pages(operator, catalog, since)

    assert [item["content_key"] for item in page["created"]] == ["d"]
    assert page["changed"] == []


def test_changes_that_come_through_another_catalog_are_returned(
    operator: APIClient, catalog: EnterpriseCatalog
) -> None:
    since = version_of(catalog)
    CatalogFactory.create(content=[changed("b")])

    [page] = pages(operator, catalog, since)

    assert [item["content_key"] for item in page["changed"]] == ["b"]


def test_a_new_version_without_changes_of_members_is_returned(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    allow_restricted(catalog, [run_document("run", "a")])

    [page] = pages(operator, catalog, since)

    assert (page["created"], page["changed"], page["removed"]) == ([], [], [])
    assert page["catalog_version"] == version_of(catalog) != since


def rename(catalog: EnterpriseCatalog) -> None:
    catalog.title = f"Not {catalog.title}"
    save_catalog(catalog, now=DAY_TWO)


def switch_query_and_back(catalog: EnterpriseCatalog) -> None:
    query = catalog.catalog_query
    for each in (CatalogQuery.objects.create(title="Another"), query):
        catalog.catalog_query = each
        save_catalog(catalog, now=DAY_TWO)


def delete_and_restore(catalog: EnterpriseCatalog) -> None:
    delete_catalog(catalog.pk, now=DAY_TWO)
    save_catalog(catalog, now=DAY_TWO)


@pytest.mark.parametrize("act", [rename, switch_query_and_back, delete_and_restore])
def test_an_edit_that_leaves_the_items_as_they_are_loses_no_changes(
    operator: APIClient, catalog: EnterpriseCatalog, act: Any
) -> None:
    since = version_of(catalog)
    act(catalog)
    import_into(catalog, ["d"])
    act(catalog)
    import_into(catalog, [changed("b")])

    [page] = pages(operator, catalog, since)

    assert [item["content_key"] for item in page["created"] + page["changed"]] == ["d", "b"]
    assert page["catalog_version"] == version_of(catalog)


def test_a_new_title_changes_the_version_only(
    operator: APIClient, catalog: EnterpriseCatalog, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    since = version_of(catalog)
    ask(operator, catalog, since)
    rename(catalog)

    with django_assert_num_queries(2):  # user, catalog
        page = ask(operator, catalog, since).json()

    assert (page["created"], page["changed"], page["removed"]) == ([], [], [])
    assert page["catalog_version"] == version_of(catalog) != since


def test_a_version_is_known_after_a_change_of_the_enrollment_urls(
    operator: APIClient, catalog: EnterpriseCatalog
) -> None:
    refuse_by_other_slug(catalog)
    since = version_of(catalog)
    import_into(catalog, ["d"])

    [page] = pages(operator, catalog, since)

    assert [item["content_key"] for item in page["created"]] == ["d"]
    assert page["catalog_version"] == version_of(catalog)


def refuse_by_other_slug(catalog: EnterpriseCatalog) -> None:
    customer = catalog.enterprise_customer
    customer.slug = "another"
    save_customer(customer, now=DAY_TWO)


def refuse_by_other_query(catalog: EnterpriseCatalog) -> None:
    catalog.catalog_query = CatalogFactory.create(content=["a"]).catalog_query
    save_catalog(catalog, now=DAY_TWO)


def refuse_by_lost_version(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["d"])
    CatalogVersion.objects.all().delete()


def refuse_by_change_of_old_code(catalog: EnterpriseCatalog) -> None:
    query = catalog.catalog_query
    assert query is not None
    query.refresh_from_db()
    query.version += 1
    query.save(update_fields=["version"])
    import_into(catalog, ["d"])


def refuse_by_large_change(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["b"], replace=True)


@pytest.mark.parametrize(
    "act",
    [
        refuse_by_other_slug,
        refuse_by_other_query,
        refuse_by_lost_version,
        refuse_by_change_of_old_code,
        refuse_by_large_change,
    ],
)
def test_it_is_gone_after(
    operator: APIClient, catalog: EnterpriseCatalog, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    monkeypatch.setattr(log, "RESET_ITEMS", 1)
    since = version_of(catalog)
    act(catalog)

    response = ask(operator, catalog, since)

    assert response.status_code == 410
    assert response.json() == {
        "detail": "The changes since this version are not known. Compare the whole catalog.",
        "code": "version_gone",
    }


def test_an_item_that_joins_with_another_document_is_one_change(
    operator: APIClient, catalog: EnterpriseCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    CatalogFactory.create(content=["d"])
    since = version_of(catalog)
    monkeypatch.setattr(log, "RESET_ITEMS", 1)  # One change is logged; two of four items are too many.

    import_into(catalog, [changed("d")])

    response = ask(operator, catalog, since)
    assert response.status_code == 200, response.content
    assert [item["content_key"] for item in response.json()["created"]] == ["d"]


def test_a_further_page_is_gone_once_its_version_is(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["d", "e"])
    first = ask(operator, catalog, since, page_size=1).json()
    CatalogVersion.objects.all().delete()
    ContentChange.objects.all().delete()

    assert operator.get(first["next"]).status_code == 410


@pytest.mark.parametrize(
    ("parameters", "name", "code"),
    [
        ("", "since", "required"),
        ("?since=", "since", "blank"),
        ("?since=yesterday", "since", "bad_version"),
        ("?since=1-1", "since", "bad_version"),
        ("?since=1-1-1-", "since", "bad_version"),
        ("?since=1-1-1-1-1", "since", "bad_version"),
        ("?since=1-1-1ffffffffffffffff", "since", "bad_version"),
        ("?since=1-1-1&cursor=!", "cursor", "bad_cursor"),
        ("?since=1-1-1&cursor=YQ", "cursor", "bad_cursor"),
        ("?since=1-1-1&page_size=0", "page_size", "min_value"),
        ("?since=1-1-1&page_size=10001", "page_size", "max_value"),
    ],
)
def test_bad_parameters_are_rejected(
    operator: APIClient, catalog: EnterpriseCatalog, parameters: str, name: str, code: str
) -> None:
    response = operator.get(address(catalog.pk, f"content-changes/{parameters}"))

    assert response.status_code == 400
    assert response.json().keys() == {name, "code"}
    assert response.json()["code"] == code


def test_it_returns_304_to_a_caller_who_has_the_page(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    since = version_of(catalog)
    import_into(catalog, ["d"])
    first = ask(operator, catalog, since)

    url = f"{address(catalog.pk, 'content-changes/')}?since={since}"

    assert operator.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    import_into(catalog, ["e"])
    assert operator.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200
