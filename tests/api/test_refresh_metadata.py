"""``POST …/refresh_metadata``: a refresh on request of the LMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.models import CatalogRefresh
from tests.api.endpoints import CATALOGS, address
from tests.api.lms_requests import CATALOG, creation
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.mark.parametrize("end", ["refresh_metadata", "refresh_metadata/"])
def test_the_lms_requests_a_refresh(operator: APIClient, end: str) -> None:
    operator.post(CATALOGS, creation())

    response = operator.post(address(CATALOG, end))

    row = CatalogRefresh.objects.get()
    assert response.status_code == 200
    assert response.json() == {"async_task_id": row.task_id}
    assert (row.trigger, row.requested_by, row.catalog_query.title) == ("api", "caller", "All courses")


def test_a_second_request_gets_the_same_task(operator: APIClient) -> None:
    operator.post(CATALOGS, creation())

    tasks = [operator.post(address(CATALOG, "refresh_metadata")).json()["async_task_id"] for _ in range(2)]

    assert tasks[0] == tasks[1]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_refreshes(operator: APIClient, method: str) -> None:
    operator.post(CATALOGS, creation())

    assert getattr(operator, method)(address(CATALOG, "refresh_metadata")).status_code == 405


def test_imported_content_and_empty_catalogs_are_not_refreshed(operator: APIClient) -> None:
    catalogs = [CatalogFactory.create(), CatalogFactory.create(catalog_query=None)]

    responses = [operator.post(address(catalog.pk, "refresh_metadata")) for catalog in catalogs]

    assert [response.status_code for response in responses] == [409, 409]
    assert {response.json()["code"] for response in responses} == {"not_refreshable"}


def test_unknown_and_deleted_catalogs_are_missing(operator: APIClient) -> None:
    catalog = CatalogFactory.create()
    operator.delete(address(catalog.pk))

    statuses = [operator.post(address(uuid, "refresh_metadata")).status_code for uuid in (catalog.pk, CATALOG)]

    assert statuses == [404, 404]
