"""``GET …/get_content_metadata``: documents in the envelope that Open edX clients expect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.catalog.models import EnterpriseCatalog
from tests.api.endpoints import address
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, allow_restricted, run_document

if TYPE_CHECKING:
    from uuid import UUID

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def get(client: APIClient, catalog_uuid: UUID, version: int = 1, **parameters: Any) -> dict[str, Any]:
    path = address(catalog_uuid, "get_content_metadata").replace("/v1/", f"/v{version}/")
    response = client.get(path, parameters)
    assert response.status_code == 200, response.content
    body: dict[str, Any] = json.loads(response.getvalue())
    return body


def keys_of(body: dict[str, Any]) -> list[str]:
    return [document["content_key"] for document in body["results"]]


@pytest.mark.parametrize("end", ["get_content_metadata", "get_content_metadata/"])
@pytest.mark.parametrize("version", [1, 2])
def test_it_returns_documents_in_the_envelope(operator: APIClient, end: str, version: int) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])
    path = address(catalog.pk, end).replace("/v1/", f"/v{version}/")
    common = {"uuid": str(catalog.pk), "title": "All of it", "enterprise_customer": str(catalog.enterprise_customer_id)}
    numbers = {"count": 1, "next": None, "previous": None}

    page, everything = operator.get(path), operator.get(f"{path}?traverse_pagination=1")

    [document] = page.json()["results"]
    assert document["key"] == "edX+DemoX"
    assert everything["Content-Type"] == "application/json"
    assert json.loads(everything.getvalue()) == {**numbers, **common, "results": [document]}
    assert page.json() == {
        **numbers,
        **common,
        "num_pages": 1,
        "current_page": 1,
        "start": 0,
        "results": [document],
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


@pytest.mark.parametrize(
    ("size", "documents"),
    [("100", 100), ("101", 100), ("9" * 5_000, 10), ("0", 10), ("-1", 10), ("ten", 10), ("", 10), ("\u0663", 10)],
)
def test_odd_page_sizes_are_clamped(operator: APIClient, size: str, documents: int) -> None:
    catalog = CatalogFactory.create(courses=102)

    body = get(operator, catalog.pk, page_size=size)

    assert len(body["results"]) == documents
    assert (body["num_pages"], body["current_page"], body["start"]) == (-(-102 // documents), 1, 0)


@pytest.mark.parametrize("version", [1, 2])
def test_courses_without_an_active_run_are_only_returned_by_key(operator: APIClient, version: int) -> None:
    active = {"is_enrollable": True, "status": "published", "is_marketable": True}
    catalog = CatalogFactory.create(
        content=[
            CourseFactory.build(key="a", course_runs=[{}, active]),
            CourseFactory.build(key="b", course_runs=[]),
            CourseFactory.build(key="c", course_runs=[{**active, "is_enrollable": False}]),
            run_document("d", "c"),
        ]
    )

    listed = get(operator, catalog.pk, version)
    everything = get(operator, catalog.pk, version, traverse_pagination="1")
    named = get(operator, catalog.pk, version, content_keys=["a", "b", "c"])

    assert (keys_of(listed), listed["count"]) == (["a", "d"], 2)
    assert (keys_of(everything), everything["count"]) == (["a", "d"], 2)
    assert (keys_of(named), named["count"]) == (["a", "b", "c", "d"], 4)
    assert [document.get("active") for document in named["results"]] == [True, False, False, None]


def test_a_course_finds_its_runs_and_a_run_its_course(operator: APIClient) -> None:
    CatalogFactory.create(content=[run_document("elsewhere", "edX+DemoX")])
    catalog = CatalogFactory.create(
        content=[
            CourseFactory.build(key="edX+DemoX", course_runs=[{"key": "nested"}]),
            run_document("run", "edX+DemoX"),
            "edX+OtherX",
        ]
    )

    assert keys_of(get(operator, catalog.pk, content_keys=["edX+DemoX"])) == ["edX+DemoX", "run"]
    assert keys_of(get(operator, catalog.pk, content_keys=["run"])) == ["edX+DemoX", "run"]
    assert keys_of(get(operator, catalog.pk, content_keys=["elsewhere"])) == ["edX+DemoX"]
    assert keys_of(get(operator, catalog.pk, content_keys=["nested", "elsewhere"])) == ["edX+DemoX"]


def test_version_2_offers_the_restricted_runs_that_the_query_allows(operator: APIClient) -> None:
    active = {"is_enrollable": True, "status": "published", "is_marketable": True}
    plain = CourseFactory.build(key="edX+FUN", course_runs=[])
    catalog = CatalogFactory.create(content=[plain, "a", "z"])
    run = run_document("run", "edX+FUN", restriction_type="custom-b2b-enterprise")
    allow_restricted(catalog, [run], [{**plain, "course_runs": [{"key": "run", **active}]}], now=DAY_TWO)
    other = CatalogFactory.create(content=[plain, "a", "z"], customer=catalog.enterprise_customer)

    for catalog_uuid in (catalog.pk, other.pk):
        assert keys_of(get(operator, catalog_uuid)) == ["a", "z"]
        assert keys_of(get(operator, catalog_uuid, content_keys=["run"])) == []
    [first, *_] = get(operator, catalog.pk, content_keys=["edX+FUN"])["results"]
    assert (first["course_runs"], first["active"]) == ([], False)
    assert keys_of(get(operator, other.pk, 2)) == ["a", "z"]
    body = get(operator, catalog.pk, 2)
    assert (keys_of(body), body["count"]) == (["a", "edX+FUN", "run", "z"], 4)
    assert keys_of(get(operator, catalog.pk, 2, traverse_pagination="1")) == ["a", "edX+FUN", "run", "z"]
    pages = [get(operator, catalog.pk, 2, page=page, page_size=1) for page in (1, 2, 3, 4)]
    assert [key for page in pages for key in keys_of(page)] == ["a", "edX+FUN", "run", "z"]
    [course] = get(operator, catalog.pk, 2, content_keys=["edX+FUN"])["results"][:1]
    assert course["active"]
    assert course["content_last_modified"] == "2026-03-02T12:00:00.123456Z"
    assert [run["key"] for run in course["course_runs"]] == ["run"]
    assert "course_run_key=run&" in course["course_runs"][0]["enrollment_url"]


def test_only_the_requested_keys_are_returned(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=15)
    keys = ["Northwind+C000003", "Northwind+C000001", "northwind+c000002", "Northwind+C000003"]

    body = get(operator, catalog.pk, content_keys=keys)

    assert keys_of(body) == ["Northwind+C000001", "Northwind+C000003"]
    assert body["count"] == 2


@pytest.mark.parametrize("traverse", ["", "true"])
def test_the_result_is_empty_if_no_requested_key_exists(operator: APIClient, traverse: str) -> None:
    catalog = CatalogFactory.create(courses=3)

    body = get(operator, catalog.pk, content_keys=["elsewhere"], traverse_pagination=traverse)

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


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("page", ["2", "9223372036854775807", "9" * 30])
@pytest.mark.parametrize("keys", [{}, {"content_keys": "a"}])
def test_there_is_no_page_beyond_the_last(operator: APIClient, page: str, keys: dict[str, str]) -> None:
    catalog = CatalogFactory.create(content=["a"])

    response = operator.get(address(catalog.pk, "get_content_metadata"), {"page": page, **keys})

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such page.", "code": "not_found"}


def test_a_traversal_that_cannot_be_finished_is_no_whole_answer(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=1_001)
    answer: Any = operator.get(address(catalog.pk, "get_content_metadata"), {"traverse_pagination": "true"})
    parts = iter(answer.streaming_content)
    head = next(parts) + next(parts)
    catalog.delete()

    with pytest.raises(EnterpriseCatalog.DoesNotExist):
        list(parts)

    with pytest.raises(json.JSONDecodeError):
        json.loads(head)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "0"),
        ("page", "first"),
    ],
)
def test_it_names_the_parameter_that_is_wrong(operator: APIClient, field: str, value: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.get(address(catalog.pk, "get_content_metadata"), {field: value})

    assert response.status_code == 400
    assert set(response.json()) == {field, "code"}


@pytest.mark.only_on("sqlite")
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

    with django_assert_num_queries(9):  # user, catalog; in a transaction: state, count, items, documents, runs
        body = get(operator, catalog.pk, page_size=100)

    assert len(body["results"]) == 100
