"""``POST …/content-metadata/``: documents by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.api.endpoints import address
from tests.catalog.queries import version_of
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

PROGRAM: Final = {"content_type": "program", "uuid": "6b3c1d0e-0000-4000-8000-000000000001", "title": "A program"}
PATHWAY: Final = {"content_type": "learnerpathway", "uuid": "6b3c1d0e-0000-4000-8000-000000000002"}
RUN: Final = {
    "content_type": "courserun",
    "key": "course-v1:edX+DemoX+2026",
    "aggregation_key": "courserun:edX+DemoX",
    "title": "A run",
}


def metadata(client: APIClient, catalog_uuid: UUID, keys: Sequence[str]) -> dict[str, Any]:
    response = client.post(address(catalog_uuid, "content-metadata/"), {"content_keys": keys}, format="json")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def test_it_returns_the_stored_document_with_the_fields_of_the_catalog(operator: APIClient) -> None:
    course = CourseFactory.build(
        key="edX+DemoX", course_runs=[{"key": "course-v1:edX+DemoX+2026", "seats": []}], image_url=None
    )
    catalog = CatalogFactory.create(
        content=[course], customer__slug="acme", customer__learner_portal_url="https://learn.example.org/"
    )

    body = metadata(operator, catalog.pk, ["edX+DemoX"])

    assert body == {
        "catalog_uuid": str(catalog.pk),
        "catalog_version": version_of(catalog),
        "missing": [],
        "results": [
            {
                **course,
                "content_key": "edX+DemoX",
                "content_type": "course",
                "content_last_modified": "2026-03-01T12:00:00.123456Z",
                "enrollment_url": "https://learn.example.org/acme/course/edX+DemoX?utm_medium=enterprise&utm_source=acme",
            }
        ],
    }


def test_each_key_is_in_exactly_one_of_results_and_missing(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a", "b"])

    body = metadata(operator, catalog.pk, ["z", "b", "A", "a", "b", "a ", "z"])

    assert [document["content_key"] for document in body["results"]] == ["a", "b"]
    assert body["missing"] == [
        {"content_key": "z", "reason": "not_in_catalog"},
        {"content_key": "A", "reason": "not_in_catalog"},
        {"content_key": "a ", "reason": "not_in_catalog"},
    ]


def test_what_only_other_catalogs_hold_is_missing(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"])
    CatalogFactory.create(content=["b"], customer__name="Other")

    body = metadata(operator, catalog.pk, ["b"])

    assert body["results"] == []
    assert body["missing"] == [{"content_key": "b", "reason": "not_in_catalog"}]


def test_it_misses_all_where_the_catalog_has_no_query(operator: APIClient) -> None:
    catalog = CatalogFactory.create(catalog_query=None)

    body = metadata(operator, catalog.pk, ["a"])

    assert body["results"] == []
    assert body["missing"] == [{"content_key": "a", "reason": "not_in_catalog"}]


def test_it_needs_at_least_one_key(operator: APIClient) -> None:
    catalog = CatalogFactory.create()

    response = operator.post(address(catalog.pk, "content-metadata/"), {"content_keys": []}, format="json")

    assert response.status_code == 400
    assert response.json() == {"content_keys": ["At least 1 key is required."], "code": "too_few_keys"}


def test_it_returns_a_thousand_documents(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    catalog = CatalogFactory.create(courses=1_001)
    keys = CourseFactory.keys(1_000)
    metadata(operator, catalog.pk, keys)

    with django_assert_num_queries(3):  # user, catalog, documents with their version
        body = metadata(operator, catalog.pk, keys)

    assert [document["key"] for document in body["results"]] == keys


@pytest.mark.parametrize(
    ("document", "key", "enrollment_url"),
    [
        (
            CourseFactory.build(key="edX+Ünïcode & co/ä?"),
            "edX+Ünïcode & co/ä?",
            "edX+%C3%9Cn%C3%AFcode%20%26%20co%2F%C3%A4%3F?",
        ),
        (RUN, RUN["key"], "edX+DemoX?course_run_key=course-v1%3AedX%2BDemoX%2B2026&"),
        ({**RUN, "aggregation_key": None}, RUN["key"], f"{RUN['key']}?course_run_key=course-v1%3AedX%2BDemoX%2B2026&"),
        (PROGRAM, PROGRAM["uuid"], None),
        (PATHWAY, PATHWAY["uuid"], None),
    ],
)
def test_each_kind_of_content_is_enrolled_in_at_its_own_address(
    operator: APIClient, document: dict[str, Any], key: str, enrollment_url: str | None
) -> None:
    catalog = CatalogFactory.create(content=[document])

    [served] = metadata(operator, catalog.pk, [key])["results"]

    start, end = "https://learn.example.org/acme/course/", "utm_medium=enterprise&utm_source=acme"
    assert served["content_key"] == key
    assert served["content_type"] == document["content_type"]
    assert served["enrollment_url"] == (None if enrollment_url is None else start + enrollment_url + end)


def test_no_document_has_a_field_twice(operator: APIClient) -> None:
    source = CourseFactory.build(
        key="a", content_key="b", content_last_modified="1999-01-01", enrollment_url="https://elsewhere.example"
    )
    catalog = CatalogFactory.create(content=[source])

    response = operator.post(address(catalog.pk, "content-metadata/"), {"content_keys": ["a"]}, format="json")

    [served] = response.json()["results"]
    assert served["content_key"] == "a"
    assert served["content_last_modified"] == "2026-03-01T12:00:00.123456Z"
    assert b"elsewhere" not in response.content
    assert response.content.count(b'"content_last_modified"') == 1


def test_it_returns_the_newest_document(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["a"])
    import_into(catalog, [CourseFactory.build(key="a", title="Changed")], now=DAY_TWO)

    [served] = metadata(operator, catalog.pk, ["a"])["results"]

    assert served["title"] == "Changed"
    assert served["content_last_modified"] == "2026-03-02T12:00:00.123456Z"
