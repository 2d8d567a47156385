"""``filter_content_items``: which of some keys a customer has, in versions 1 and 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.catalog import CatalogFactory, CustomerFactory, allow_restricted, run_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

NOWHERE: Final = UUID(int=0)


def path_of(customer: UUID, version: int = 1) -> str:
    return f"/api/v{version}/enterprise-customer/{customer}/filter_content_items/"


def filtered(client: APIClient, customer: UUID, keys: list[str], version: int = 1, **body: Any) -> list[str]:
    response = client.post(path_of(customer, version), {"content_keys": keys, **body})
    assert response.status_code == 200, response.content
    found: list[str] = response.json()["filtered_content_keys"]
    return found


@pytest.mark.parametrize("version", [1, 2])
def test_keys_of_members_and_of_the_courses_of_runs_remain(operator: APIClient, version: int) -> None:
    catalog = CatalogFactory.create(content=["b", "a", run_document("run", "edX+RunX")])
    CatalogFactory.create(content=["other", run_document("run2", "a")])
    keys = ["edX+RunX", "other", "b", "run", "A", "run2", "a", "b", "nothing"]

    assert filtered(operator, catalog.enterprise_customer_id, keys, version) == ["edX+RunX", "b", "run", "a"]
    assert filtered(operator, catalog.enterprise_customer_id, [], version) == []
    assert filtered(operator, NOWHERE, keys, version) == []


def test_only_the_named_catalogs_of_the_customer_count(operator: APIClient) -> None:
    first = CatalogFactory.create(content=["a"])
    second = CatalogFactory.create(content=["b"], customer=first.enterprise_customer)
    foreign = CatalogFactory.create(content=["c"])
    customer, keys = first.enterprise_customer_id, ["a", "b", "c"]

    assert filtered(operator, customer, keys, catalog_uuids=[str(second.pk), str(foreign.pk)]) == ["b"]
    assert filtered(operator, customer, keys, catalog_uuids=[str(foreign.pk)]) == []
    assert filtered(operator, customer, keys, catalog_uuids=[]) == ["a", "b"]
    assert filtered(operator, customer, keys, catalog_uuids=None) == ["a", "b"]


def test_version_2_counts_restricted_runs(operator: APIClient) -> None:
    catalog = CatalogFactory.create()
    allow_restricted(catalog, [run_document("run", "edX+FUN")])

    assert filtered(operator, catalog.enterprise_customer_id, ["run", "edX+FUN"]) == []
    assert filtered(operator, catalog.enterprise_customer_id, ["run", "edX+FUN"], 2) == ["run", "edX+FUN"]


def test_it_takes_two_statements(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=20)
    filtered(operator, catalog.enterprise_customer_id, ["a"])

    with CaptureQueriesContext(connection) as statements:
        filtered(operator, catalog.enterprise_customer_id, [str(number) for number in range(1_000)])

    assert len(statements) == 2


@pytest.mark.parametrize("role", ["enterprise_learner", "enterprise_admin"])
def test_a_role_of_the_customer_is_needed(client_with: Callable[..., APIClient], role: str) -> None:
    catalog, other = CatalogFactory.create(content=["a"]), CustomerFactory.create()

    own, foreign = (client_with(f"{role}:{uuid}") for uuid in (catalog.enterprise_customer_id, other.pk))

    assert filtered(own, catalog.enterprise_customer_id, ["a"]) == ["a"]
    for version in (1, 2):
        assert foreign.post(path_of(catalog.enterprise_customer_id, version), {"content_keys": []}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content_keys"),
        ({"content_keys": "a"}, "content_keys"),
        ({"content_keys": ["a", 5]}, "content_keys"),
        ({"content_keys": [""]}, "content_keys"),
        ({"content_keys": ["k" * 256]}, "content_keys"),
        ({"content_keys": ["a"] * 1_001}, "content_keys"),
        ({"content_keys": [], "catalog_uuids": ["x"]}, "catalog_uuids"),
    ],
)
def test_the_bad_field_is_named(operator: APIClient, body: dict[str, Any], field: str) -> None:
    response = operator.post(path_of(NOWHERE), body)

    assert response.status_code == 400
    assert set(response.json()) == {field, "code"}
