"""``POST …/content-diff/``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.customers import save_customer
from tests.api.endpoints import address
from tests.catalog.queries import version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


#: Distinct keys that many database collations treat as equal; in code-point order.
ALIKE: Final = sorted(
    [
        *("edX+Demo", "EDX+DEMO", "edX+Demo ", "edX+Demo  ", " edX+Demo", "edX+Demó", "edX+Demo\u0301", "edX+Démo"),
        *("edX+De_o", "edX+%", "edX+Straße", "edX+Strasse", "edX+ﬁ", "edX+fi", "edX+\u00a0", "edX+\uffff", "edX+😀"),
        *("edX+\x00", "edX+\n", "\\", "'", '"', "k" * 255, "😀" * 255),
    ]
)


def diff(client: APIClient, catalog_uuid: UUID, keys: Sequence[str]) -> dict[str, Any]:
    response = client.post(address(catalog_uuid, "content-diff/"), {"content_keys": keys}, format="json")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def existing_keys(body: dict[str, Any]) -> list[str]:
    return [item["content_key"] for item in body["existing"]]


def test_it_sorts_keys_into_three_buckets(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX", "edX+NewX"])

    body = diff(operator, catalog.pk, ["edX+DemoX", "edX+GoneX", "edX+DemoX"])

    assert body.pop("catalog_version")
    assert body == {
        "catalog_uuid": str(catalog.pk),
        "existing": [{"content_key": "edX+DemoX", "updated_at": "2026-03-01T12:00:00.123456Z"}],
        "to_create": ["edX+NewX"],
        "to_delete": ["edX+GoneX"],
    }


def test_it_creates_all_when_nothing_was_sent(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=3)

    body = diff(operator, catalog.pk, [])

    assert body["existing"] == body["to_delete"] == []
    assert body["to_create"] == ["Northwind+C000000", "Northwind+C000001", "Northwind+C000002"]


@pytest.mark.parametrize("query", ["none", "empty"])
def test_it_deletes_all_when_the_catalog_is_empty(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(catalog_query=None) if query == "none" else CatalogFactory.create()

    body = diff(operator, catalog.pk, ["b", "a", "b"])

    assert body["existing"] == body["to_create"] == []
    assert body["to_delete"] == ["a", "b"]


def test_it_sorts_by_code_point(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=reversed(ALIKE))

    created, matched, deleted = (
        diff(operator, catalog.pk, [])["to_create"],
        existing_keys(diff(operator, catalog.pk, ALIKE[::-1])),
        diff(operator, catalog.pk, [key[:200] + "-gone" for key in ALIKE[::-1]])["to_delete"],
    )

    assert created == matched == ALIKE
    assert deleted == sorted(key[:200] + "-gone" for key in ALIKE)


@pytest.mark.parametrize("key", ALIKE)
def test_it_takes_a_key_for_itself_alone(operator: APIClient, key: str) -> None:
    others = [other for other in ALIKE if other != key]
    catalog = CatalogFactory.create(content=others)

    body = diff(operator, catalog.pk, [key])

    assert body["to_delete"] == [key]
    assert body["to_create"] == others


def test_times_of_change_are_returned_to_the_microsecond(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"], now=DAY_ONE.replace(microsecond=0))
    import_into(catalog, ["b"], now=DAY_ONE.replace(microsecond=1))

    body = diff(operator, catalog.pk, ["a", "b"])

    assert body["existing"] == [
        {"content_key": "a", "updated_at": "2026-03-01T12:00:00.000000Z"},
        {"content_key": "b", "updated_at": "2026-03-01T12:00:00.000001Z"},
    ]


@pytest.mark.parametrize("portal_moves", [False, True])
def test_the_diff_returns_the_same_times_as_the_documents(operator: APIClient, *, portal_moves: bool) -> None:
    catalog = CatalogFactory.create(content=["a", "b"])
    if portal_moves:
        catalog.enterprise_customer.slug = "moved"
        save_customer(catalog.enterprise_customer, now=DAY_ONE + timedelta(hours=1))
    import_into(catalog, [CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)

    times = {item["content_key"]: item["updated_at"] for item in diff(operator, catalog.pk, ["a", "b"])["existing"]}

    documents = operator.get(address(catalog.pk, "content-metadata/")).json()["results"]
    assert times == {document["content_key"]: document["content_last_modified"] for document in documents}
    assert times["b"] == "2026-03-02T12:00:00.123456Z"
    assert times["a"] == ("2026-03-01T13:00:00.123456Z" if portal_moves else "2026-03-01T12:00:00.123456Z")


def test_the_catalogs_version_is_returned(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=1)

    body = diff(operator, catalog.pk, [])

    assert body["catalog_version"] == version_of(catalog)


def test_it_keeps_catalogs_apart(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"])
    other = CatalogFactory.create(content=["b"], customer=catalog.enterprise_customer)

    body = diff(operator, catalog.pk, ["b"])

    assert (body["to_create"], body["to_delete"]) == (["a"], ["b"])
    assert existing_keys(diff(operator, other.pk, ["b"])) == ["b"]


@pytest.mark.usefixtures("no_cache")
def test_it_answers_while_the_cache_in_which_requests_are_counted_is_away(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"])

    assert diff(operator, catalog.pk, [])["to_create"] == ["a"]


@pytest.mark.parametrize("count", [1, 2_500])
def test_many_items_take_as_many_queries_as_one(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    catalog = CatalogFactory.create(courses=count)
    keys = CourseFactory.keys(count)
    diff(operator, CatalogFactory.create().pk, [])

    with django_assert_num_queries(4):  # user, catalog, items, version
        body = diff(operator, catalog.pk, keys)
    with django_assert_num_queries(2):  # user, catalog
        again = diff(operator, catalog.pk, keys)

    assert len(body["existing"]) == count
    assert again == body
