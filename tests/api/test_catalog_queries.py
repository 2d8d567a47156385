"""``…/catalog-queries/`` and ``…/distinct-catalog-queries/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog
from tests.api.endpoints import CATALOGS
from tests.api.lms_requests import CATALOG, CUSTOMER, QUERY, creation
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

QUERIES: Final = "/api/v1/catalog-queries/"
BY_HASH: Final = f"{QUERIES}get_query_by_hash"
HASH: Final = f"{QUERIES}get_content_filter_hash"
DISTINCT: Final = "/api/v1/distinct-catalog-queries/"

FILTER: Final = {"key": ["edX+DemoX", "edX+ü"], "content_type": "course"}
#: Of {"content_type": "course", "key": ["edX+DemoX", "edX+\u00fc"]}, with spaces and ASCII escapes.
MD5: Final = "bb5d5006eeba59728ea9346073db3f94"


@pytest.fixture
def query(operator: APIClient) -> dict[str, Any]:
    """A query of a new catalog, as the API returns it."""
    assert operator.post(CATALOGS, creation(content_filter=FILTER)).status_code == 201
    stored = CatalogQuery.objects.get()
    return {
        "id": stored.pk,
        "uuid": str(QUERY),
        "title": "All courses",
        "content_filter": FILTER,
        "content_filter_hash": MD5,
    }


@pytest.mark.parametrize("end", ["", "/"])
def test_the_lms_finds_a_query_by_the_hash_of_its_filter(operator: APIClient, query: dict[str, Any], end: str) -> None:
    body = '{"content_type":"course","key":["edX+DemoX","edX+\\u00fc"]}'

    digest = operator.generic("GET", HASH + end, body, content_type="application/json").json()

    assert digest == MD5
    assert operator.get(BY_HASH + end, {"hash": digest}).json() == query


def test_the_lms_may_send_the_filter_as_a_form(operator: APIClient, query: dict[str, Any]) -> None:
    form = "content_type=course&key=edX%2BDemoX&key=edX%2B%C3%BC"

    response = operator.generic("GET", HASH, form, content_type="application/x-www-form-urlencoded")

    assert response.json() == query["content_filter_hash"]


def test_a_single_key_in_a_form_is_a_list(operator: APIClient) -> None:
    as_json = operator.generic("GET", HASH, '{"key": ["edX+DemoX"]}', content_type="application/json")
    as_form = operator.generic("GET", HASH, "key=edX%2BDemoX", content_type="application/x-www-form-urlencoded")

    assert as_form.json() == as_json.json()


def test_no_body_is_an_empty_filter(operator: APIClient) -> None:
    assert operator.get(HASH).json() == "99914b932bd37a50b983c5e7c90ae93b"


@pytest.mark.parametrize("body", ["[]", "{", '"text"', "1"])
def test_only_an_object_has_a_hash(operator: APIClient, body: str) -> None:
    assert operator.generic("GET", HASH, body, content_type="application/json").status_code == 400


def test_an_unknown_hash_is_not_found(operator: APIClient) -> None:
    assert operator.get(BY_HASH, {"hash": "0" * 32}).status_code == 404


@pytest.mark.parametrize("digest", ["", "0" * 31, "0" * 33, "g" * 32, "A" * 32, "\x00"])
def test_a_bad_hash_is_rejected(operator: APIClient, digest: str) -> None:
    response = operator.get(BY_HASH, {"hash": digest})

    assert response.status_code == 400
    assert set(response.json()) == {"hash", "code"}


def test_a_missing_hash_is_rejected(operator: APIClient) -> None:
    assert operator.get(BY_HASH).status_code == 400


def test_queries_are_listed_and_read(operator: APIClient, query: dict[str, Any]) -> None:
    assert operator.get(QUERIES).json() == {"count": 1, "next": None, "previous": None, "results": [query]}
    assert operator.get(f"{QUERIES}{query['id']}/").json() == query
    assert operator.get(f"{QUERIES}{query['id'] + 1}/").status_code == 404


def test_an_admin_sees_only_the_queries_of_the_own_customers(
    admin_of: Callable[[UUID], APIClient], query: dict[str, Any]
) -> None:
    other = CatalogFactory.create()
    mine, theirs = admin_of(CUSTOMER), admin_of(other.enterprise_customer_id)

    assert mine.get(BY_HASH, {"hash": MD5}).json() == query
    assert theirs.get(BY_HASH, {"hash": MD5}).status_code == 404
    assert theirs.get(f"{QUERIES}{query['id']}/").status_code == 404
    assert [row["id"] for row in theirs.get(QUERIES).json()["results"]] == [other.catalog_query_id]


def test_staff_count_the_queries_of_catalogs(client_with: Callable[..., APIClient], query: dict[str, Any]) -> None:
    other = CatalogFactory.create()
    empty, unknown = CatalogFactory.create(catalog_query=None), UUID(int=0)
    staff = client_with(administrator=True)

    response = staff.post(
        DISTINCT, {"enterprise_catalog_uuids": [str(each) for each in (CATALOG, other.pk, empty.pk, unknown)]}
    )

    assert response.status_code == 200
    assert response.json() == {
        "num_distinct_query_ids": 2,
        "catalog_uuids_by_catalog_query_id": {
            str(query["id"]): [str(CATALOG)],
            str(other.catalog_query_id): [str(other.pk)],
        },
    }


@pytest.mark.parametrize("body", [{}, {"enterprise_catalog_uuids": "x"}, {"enterprise_catalog_uuids": ["x"]}])
def test_a_bad_list_of_catalogs_is_rejected(client_with: Callable[..., APIClient], body: dict[str, object]) -> None:
    response = client_with(administrator=True).post(DISTINCT, body)

    assert response.status_code == 400
    assert set(response.json()) == {"enterprise_catalog_uuids", "code"}


def test_the_number_of_statements_does_not_grow(
    operator: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    CatalogFactory.create_batch(5)
    operator.get(QUERIES)

    with django_assert_max_num_queries(2):
        page = operator.get(QUERIES)

    assert page.json()["count"] == EnterpriseCatalog.objects.count() == 5
