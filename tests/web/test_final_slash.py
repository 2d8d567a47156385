"""GET requests with and without the final slash of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.api.endpoints import CATALOGS, address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

PATHS: Final = [
    *("/health/", "/api/schema/", CATALOGS, "/api/v1/catalog-queries/", "/api/v1/enterprise-customers/"),
    *(address("00000000-0000-0000-0000-000000000001", end) for end in ("", "content-metadata/")),
    *("/api/v1/integrated-channels/configurations/", "/api/v1/integrated-channels/runs/"),
]


@pytest.mark.parametrize("path", PATHS)
def test_both_forms_give_the_same_response(operator: APIClient, path: str) -> None:
    CatalogFactory.create(uuid="00000000-0000-0000-0000-000000000001", content=["a"])

    with_slash, without = operator.get(path), operator.get(path.removesuffix("/"))

    assert with_slash.status_code == without.status_code == 200
    assert with_slash.content == without.content


def test_the_page_to_try_the_api_has_both_forms(client: Client) -> None:
    assert client.get("/api-docs").status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", f"{CATALOGS}1", "/api/v1/enterprise-catalogs//"])
def test_other_addresses_are_still_missing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_reads_may_omit_the_slash(operator: APIClient, method: str) -> None:
    catalog = CatalogFactory.create()

    response = operator.generic(method, address(catalog.pk).removesuffix("/"), "{}", content_type="application/json")

    assert response.status_code == 404


def test_pages_link_to_pages(operator: APIClient) -> None:
    CatalogFactory.create_batch(2)

    page = operator.get(f"{CATALOGS.removesuffix('/')}?page_size=1").json()

    assert operator.get(page["next"]).json()["results"] != page["results"]
