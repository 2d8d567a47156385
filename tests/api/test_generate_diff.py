"""``POST …/generate_diff``: the diff in the format of Open edX's integrated channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("end", ["generate_diff", "generate_diff/"])]


def test_it_sorts_keys_into_three_lists_of_objects(operator: APIClient, end: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX", "edX+NewX"])

    response = operator.post(address(catalog.pk, end), {"content_keys": ["edX+GoneX", "edX+DemoX", "edX+DemoX"]})

    assert response.status_code == 200
    assert response.json() == {
        "items_found": [{"content_key": "edX+DemoX", "date_updated": "2026-03-01T12:00:00.123456Z"}],
        "items_not_included": [{"content_key": "edX+NewX"}],
        "items_not_found": [{"content_key": "edX+GoneX"}],
    }


def test_it_agrees_with_the_content_diff(operator: APIClient, end: str) -> None:
    catalog = CatalogFactory.create(content=["a", "b", "c"])
    sent = {"content_keys": ["d", "b", "a"]}

    legacy = operator.post(address(catalog.pk, end), sent).json()

    diff = operator.post(address(catalog.pk, "content-diff/"), sent).json()
    assert [list(item.values()) for item in legacy["items_found"]] == [list(i.values()) for i in diff["existing"]]
    assert [item["content_key"] for item in legacy["items_not_included"]] == diff["to_create"]
    assert [item["content_key"] for item in legacy["items_not_found"]] == diff["to_delete"]


def test_it_takes_an_empty_body_for_an_empty_list(operator: APIClient, end: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    response = operator.generic("POST", address(catalog.pk, end))

    assert response.json() == {
        "items_found": [],
        "items_not_included": [{"content_key": "edX+DemoX"}],
        "items_not_found": [],
    }


@pytest.mark.parametrize(
    ("key", "is_found"),
    [
        ("edX+DemoX", True),
        ("edX DemoX", True),
        ("edX%2BDemoX", False),
        ("edX%20DemoX", False),
        ("edX&#43;DemoX", False),
        ("edx+demox", False),
        ("edX\u00a0DemoX", False),
        ("edX+DemoX ", False),
    ],
)
def test_it_takes_a_space_for_a_plus_and_decodes_nothing_else(
    operator: APIClient, end: str, key: str, *, is_found: bool
) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    body: dict[str, Any] = operator.post(address(catalog.pk, end), {"content_keys": [key]}).json()

    assert [item["content_key"] for item in body["items_found"]] == (["edX+DemoX"] if is_found else [])
    assert [item["content_key"] for item in body["items_not_found"]] == ([] if is_found else [key.replace(" ", "+")])


def test_keys_that_differ_in_a_space_only_count_once(operator: APIClient, end: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.post(address(catalog.pk, end), {"content_keys": ["edX DemoX", "edX+DemoX"]})

    assert response.json()["items_not_found"] == [{"content_key": "edX+DemoX"}]


def test_a_catalog_without_a_query_is_empty(operator: APIClient, end: str) -> None:
    catalog = CatalogFactory.create(catalog_query=None)

    response = operator.post(address(catalog.pk, end), {"content_keys": ["a"]})

    assert response.json() == {"items_found": [], "items_not_included": [], "items_not_found": [{"content_key": "a"}]}


def test_a_key_that_looks_like_json_stays_a_key(operator: APIClient, end: str) -> None:
    key = 'a","updated_at":"b'
    catalog = CatalogFactory.create(content=[key])

    body = operator.post(address(catalog.pk, end), {"content_keys": [key]}).json()

    assert body["items_found"] == [{"content_key": key, "date_updated": "2026-03-01T12:00:00.123456Z"}]
