"""``GET …/content-metadata/``: all documents, paginated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.endpoints import address
from tests.catalog.queries import version_of
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def pages(client: APIClient, start: str) -> Iterator[dict[str, Any]]:
    """Yield the page at ``start`` and each page after it."""
    following: str | None = start
    while following:
        response = client.get(following)
        assert response.status_code == 200, response.content
        page: dict[str, Any] = response.json()
        yield page
        following = page["next"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 6, 7, 8, 1_000])
def test_its_pages_join_to_the_whole_catalog(operator: APIClient, page_size: int) -> None:
    keys = sorted(["a", "A", "a ", "ä", "😀", "k" * 255, "edX+Demo/?&=%"])
    catalog = CatalogFactory.create(content=keys)

    found = [*pages(operator, address(catalog.pk, f"content-metadata/?page_size={page_size}"))]

    assert [document["content_key"] for page in found for document in page["results"]] == keys
    assert {len(page["results"]) for page in found[:-1]} <= {page_size}


def test_it_returns_the_documents_that_a_post_returns(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=3)
    keys = CourseFactory.keys(3)

    [page] = pages(operator, address(catalog.pk, "content-metadata/"))

    posted = operator.post(address(catalog.pk, "content-metadata/"), {"content_keys": keys}).json()
    assert page == {**{name: value for name, value in posted.items() if name != "missing"}, "next": None}


def test_pages_hold_a_hundred_documents_by_default(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=101)

    first, second = pages(operator, address(catalog.pk, "content-metadata/"))

    assert (len(first["results"]), len(second["results"])) == (100, 1)


@pytest.mark.parametrize("query", ["none", "empty"])
def test_an_empty_catalog_has_one_empty_page(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(catalog_query=None) if query == "none" else CatalogFactory.create()

    [page] = pages(operator, address(catalog.pk, "content-metadata/"))

    assert (page["results"], page["next"]) == ([], None)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("page_size", ["0", "-1", "1001", "ten", "", "1.5", "9" * 30])
def test_it_takes_a_page_size_of_1_to_1000_only(operator: APIClient, page_size: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.get(address(catalog.pk, "content-metadata/"), {"page_size": page_size})

    assert response.status_code == 400
    assert set(response.json()) == {"page_size", "code"}


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("cursor", ["!!!!", "=", "a", "YQ==", "Y Q", "_w", "ä", "%", "YR"])
def test_it_takes_only_cursors_of_its_own(operator: APIClient, cursor: str) -> None:
    catalog = CatalogFactory.create(courses=1)

    response = operator.get(address(catalog.pk, "content-metadata/"), {"cursor": cursor})

    assert response.status_code == 400
    assert response.json() == {"cursor": ["Invalid cursor."], "code": "bad_cursor"}


def test_a_page_that_follows_the_last_is_empty(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=2)

    *_, last = pages(operator, address(catalog.pk, "content-metadata/?page_size=2"))

    assert (last["results"], last["next"]) == ([], None)


def test_its_etag_spares_a_caller_the_documents(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    catalog = CatalogFactory.create(courses=3)
    path = address(catalog.pk, "content-metadata/")
    first = operator.get(path)

    with django_assert_num_queries(2):  # user, catalog
        second = operator.get(path, headers={"If-None-Match": first["ETag"]})

    assert (second.status_code, second.content) == (304, b"")


def test_a_304_carries_what_caches_need(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=3)
    path = address(catalog.pk, "content-metadata/")
    first = operator.get(path)

    second = operator.get(path, headers={"If-None-Match": f'"other", W/{first["ETag"]}'})

    for name in ("ETag", "Cache-Control", "Vary"):
        assert second.headers[name] == first.headers[name]


def test_its_etag_is_the_catalogs_version(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=1)

    response = operator.get(address(catalog.pk, "content-metadata/"))

    version = version_of(catalog)
    assert response["ETag"] == f'"{version}"'
    assert response.json()["catalog_version"] == version


def test_an_old_etag_is_answered_in_full(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"])
    path = address(catalog.pk, "content-metadata/")
    old = operator.get(path)["ETag"]
    import_into(catalog, [CourseFactory.build(key="a", title="Changed")])

    response = operator.get(path, headers={"If-None-Match": old})

    assert response.status_code == 200
    assert response["ETag"] != old


@pytest.mark.parametrize("page_size", [1, 500])
def test_a_long_page_takes_as_many_queries_as_a_short_one(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries, page_size: int
) -> None:
    catalog = CatalogFactory.create(courses=600)
    path = address(catalog.pk, f"content-metadata/?page_size={page_size}")
    operator.get(path)

    with django_assert_num_queries(3):  # user, catalog, documents with their version
        response = operator.get(path)

    assert len(response.json()["results"]) == page_size
