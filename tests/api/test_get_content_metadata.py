"""``GET …/get_content_metadata``: documents in the envelope that Open edX clients expect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.catalog.models import EnterpriseCatalog
from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from uuid import UUID

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def get(client: APIClient, catalog_uuid: UUID, **parameters: Any) -> dict[str, Any]:
    response = client.get(address(catalog_uuid, "get_content_metadata"), parameters)
    assert response.status_code == 200, response.content
    body: dict[str, Any] = json.loads(response.getvalue())
    return body


def keys_of(body: dict[str, Any]) -> list[str]:
    return [document["content_key"] for document in body["results"]]


@pytest.mark.parametrize("end", ["get_content_metadata", "get_content_metadata/"])
@pytest.mark.parametrize("traverse", ["", "?traverse_pagination=true"])
def test_it_returns_documents_in_the_envelope(operator: APIClient, end: str, traverse: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    response = operator.get(address(catalog.pk, end) + traverse)

    posted = operator.post(address(catalog.pk, "content-metadata/"), {"content_keys": ["edX+DemoX"]}).json()
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.getvalue()) == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": posted["results"],
        "uuid": str(catalog.pk),
        "title": "All of it",
        "enterprise_customer": str(catalog.enterprise_customer_id),
    }


def test_its_pages_are_numbered_and_hold_ten_documents(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=21)

    first = get(operator, catalog.pk)
    second = operator.get(first["next"]).json()
    third = operator.get(second["next"]).json()

    assert keys_of(first) + keys_of(second) + keys_of(third) == CourseFactory.keys(21)
    assert (first["count"], first["previous"], third["next"], len(third["results"])) == (21, None, None, 1)
    assert operator.get(third["previous"]).json() == second
    assert operator.get(second["previous"]).json() == first


def test_pages_have_the_requested_length(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=5)

    body = get(operator, catalog.pk, page=2, page_size=2)

    assert keys_of(body) == ["Northwind+C000002", "Northwind+C000003"]
    assert body["next"].endswith("get_content_metadata?page=3&page_size=2")
    assert body["previous"].endswith("get_content_metadata?page_size=2")


@pytest.mark.parametrize("count", [0, 1, 1_000, 1_001])
def test_all_pages_are_traversed_on_request(operator: APIClient, count: int) -> None:
    catalog = CatalogFactory.create(courses=count)

    body = get(operator, catalog.pk, traverse_pagination="True")

    assert keys_of(body) == CourseFactory.keys(count)
    assert (body["count"], body["next"], body["previous"]) == (count, None, None)


def test_only_the_requested_keys_are_returned(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=15)
    keys = ["Northwind+C000003", "Northwind+C000001", "northwind+c000002", "Northwind+C000003"]

    body = get(operator, catalog.pk, content_keys=keys)

    assert keys_of(body) == ["Northwind+C000001", "Northwind+C000003"]
    assert body["count"] == 2


@pytest.mark.parametrize("traverse", [{}, {"traverse_pagination": "true"}])
def test_the_result_is_empty_if_no_requested_key_exists(operator: APIClient, traverse: dict[str, str]) -> None:
    catalog = CatalogFactory.create(courses=3)

    body = get(operator, catalog.pk, content_keys=["elsewhere"], **traverse)

    assert (body["count"], body["results"]) == (0, [])


def test_the_requested_keys_are_kept_from_page_to_page(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=15)
    keys = CourseFactory.keys(12)

    first = get(operator, catalog.pk, content_keys=keys)
    second = operator.get(first["next"]).json()

    assert keys_of(first) + keys_of(second) == keys


def test_the_pages_of_the_requested_keys_are_traversed(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=15)
    keys = CourseFactory.keys(12)

    body = get(operator, catalog.pk, content_keys=keys, traverse_pagination="true")

    assert keys_of(body) == keys
    assert body["next"] is None


@pytest.mark.parametrize("query", ["edX+DemoX", "edX%2BDemoX", "edX%20DemoX"])
def test_it_takes_a_space_for_a_plus(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    response = operator.get(f"{address(catalog.pk, 'get_content_metadata')}?content_keys={query}")

    assert keys_of(response.json()) == ["edX+DemoX"]


@pytest.mark.parametrize("query", ["edX%252BDemoX", "edX%2BDemoX%20", "edx%2Bdemox"])
def test_it_decodes_nothing_else(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    response = operator.get(f"{address(catalog.pk, 'get_content_metadata')}?content_keys={query}")

    assert keys_of(response.json()) == []


@pytest.mark.parametrize("query", ["none", "empty"])
def test_an_empty_catalog_has_one_empty_page(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(catalog_query=None) if query == "none" else CatalogFactory.create()

    body = get(operator, catalog.pk)

    assert (body["count"], body["next"], body["results"]) == (0, None, [])


@pytest.mark.parametrize("page", ["2", "9223372036854775807", "9" * 30])
@pytest.mark.parametrize("traverse", [{}, {"traverse_pagination": "true", "content_keys": "a"}])
def test_there_is_no_page_beyond_the_last(operator: APIClient, page: str, traverse: dict[str, str]) -> None:
    catalog = CatalogFactory.create(content=["a"])

    response = operator.get(address(catalog.pk, "get_content_metadata"), {"page": page, **traverse})

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such page.", "code": "not_found"}


def test_a_traversal_that_cannot_be_finished_is_no_whole_answer(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=1_001)
    answer: Any = operator.get(address(catalog.pk, "get_content_metadata"), {"traverse_pagination": "true"})
    parts = iter(answer.streaming_content)
    head = next(parts) + next(parts)
    catalog.delete()

    with pytest.raises(EnterpriseCatalog.DoesNotExist):
        next(parts)

    with pytest.raises(json.JSONDecodeError):
        json.loads(head)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "0"),
        ("page", "first"),
        ("page_size", "0"),
        ("page_size", "1001"),
        ("page_size", "ten"),
        ("traverse_pagination", "perhaps"),
    ],
)
def test_it_names_the_parameter_that_is_wrong(operator: APIClient, field: str, value: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.get(address(catalog.pk, "get_content_metadata"), {field: value})

    assert response.status_code == 400
    assert set(response.json()) == {field, "code"}


@pytest.mark.parametrize(
    ("keys", "message", "code"),
    [
        (["a", ""], "content_keys[1] is empty.", "bad_key"),
        (["a", "k" * 256], "content_keys[1] is longer than 255 characters.", "bad_key"),
        (["a"] * 101, "101 keys; at most 100 are allowed.", "too_many_keys"),
    ],
)
def test_it_names_the_first_bad_key(operator: APIClient, keys: list[str], message: str, code: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.get(address(catalog.pk, "get_content_metadata"), {"content_keys": keys})

    assert response.status_code == 400
    assert response.json() == {"content_keys": [message], "code": code}


def test_its_statements_do_not_grow_with_the_page(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    catalog = CatalogFactory.create(courses=120)
    get(operator, catalog.pk)

    with django_assert_num_queries(7):  # user, catalog; in a transaction: version, count, documents
        body = get(operator, catalog.pk, page_size=100)

    assert len(body["results"]) == 100
