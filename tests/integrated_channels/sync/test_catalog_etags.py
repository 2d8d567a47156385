"""Conditional requests for a customer's catalogs: ETags, 304 responses and pagination."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import pytest
from werkzeug import Response

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient, CatalogList
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.sandbox.application import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from tests.integrated_channels.scripted_catalog import ScriptedCatalog

CATALOG: Final = uuid.UUID("22222222-2222-4222-8222-222222222222")
CUSTOMER: Final = uuid.UUID("11111111-1111-4111-8111-111111111111")


@pytest.fixture
def client(scripted_catalog: ScriptedCatalog) -> Iterator[CatalogClient]:  # noqa: ARG001  (sets its URL)
    with CatalogClient() as client:
        yield client


def a_list(etag: str | None = None, *, following: str | None = None) -> Response:
    """Return a response that lists one catalog."""
    response = json_response({"next": following, "results": [{"uuid": str(CATALOG)}]})
    if etag is not None:
        response.headers["ETag"] = etag
    return response


@pytest.mark.parametrize("etag", ['"1"', 'W/"1"', '"1-gzip"', f'"{"x" * 253}"'])
def test_an_etag_is_sent_back_as_it_came(scripted_catalog: ScriptedCatalog, client: CatalogClient, etag: str) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [a_list(etag), Response(status=304)]

    listed = client.list_catalogs(CUSTOMER)
    again = client.list_catalogs_if_changed(listed.etag, CUSTOMER)

    assert listed == CatalogList([CATALOG], etag)
    assert again is None
    [first, second] = scripted_catalog.requests[1:]
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == etag
    assert first.url == second.url


@pytest.mark.parametrize(
    "etag", [None, "", "1", "*", '""', 'w/"1"', '"1', '"1", "2"', '"a b"', f'"{"x" * 254}"'], ids=repr
)
def test_what_cannot_be_sent_back_is_no_etag(
    scripted_catalog: ScriptedCatalog, client: CatalogClient, etag: str | None
) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [a_list(etag)]

    assert client.list_catalogs(CUSTOMER) == CatalogList([CATALOG], "")


def test_another_etag_means_a_change(scripted_catalog: ScriptedCatalog, client: CatalogClient) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [a_list('"2"')]

    assert client.list_catalogs_if_changed('"1"', CUSTOMER) == CatalogList([CATALOG], '"2"')


@pytest.mark.parametrize(("known", "answered"), [('"1"', '"1"'), ('W/"1"', '"1"'), ('"1"', 'W/"1"')])
def test_a_complete_response_with_the_known_etag_means_no_change(
    scripted_catalog: ScriptedCatalog, client: CatalogClient, known: str, answered: str
) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [a_list(answered)]

    assert client.list_catalogs_if_changed(known, CUSTOMER) is None


def test_a_whole_answer_without_an_etag_does_not(scripted_catalog: ScriptedCatalog, client: CatalogClient) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [a_list()]

    assert client.list_catalogs_if_changed('"1"', CUSTOMER) == CatalogList([CATALOG], "")


def test_an_unconditional_request_with_a_304_is_a_failure(
    scripted_catalog: ScriptedCatalog, client: CatalogClient
) -> None:
    scripted_catalog.answers["enterprise-catalogs"] = [Response(status=304)]

    with pytest.raises(CatalogUnavailableError, match="returned 304 for GET") as raised:
        client.list_catalogs(CUSTOMER)

    assert raised.value.status_code == 304


@pytest.mark.parametrize("known", ["", '"0"'])
def test_the_etag_of_one_page_is_not_that_of_several(
    scripted_catalog: ScriptedCatalog, client: CatalogClient, settings: Settings, known: str
) -> None:
    following = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/?page=2"
    scripted_catalog.answers["enterprise-catalogs"] = [a_list('"1"', following=following), a_list('"2"')]

    assert client.list_catalogs_if_changed(known, CUSTOMER) == CatalogList([CATALOG, CATALOG], "")


def test_a_304_to_the_second_page_is_a_failure(
    scripted_catalog: ScriptedCatalog, client: CatalogClient, settings: Settings
) -> None:
    following = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/?page=2"
    scripted_catalog.answers["enterprise-catalogs"] = [a_list('"1"', following=following), Response(status=304)]

    with pytest.raises(CatalogUnavailableError, match="returned 304 for GET"):
        client.list_catalogs_if_changed('"0"', CUSTOMER)
