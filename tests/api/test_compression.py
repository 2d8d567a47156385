"""Responses are compressed on request, and conditional requests still work with them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(courses=500)


def test_a_diff_is_compressed_on_demand(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    def ask(**headers: str) -> bytes:
        response = operator.post(address(catalog.pk, "content-diff/"), {"content_keys": []}, headers=headers)
        assert response.get("Content-Encoding") == headers.get("Accept-Encoding")
        assert "Accept-Encoding" in response["Vary"]
        return bytes(response.content)

    plain, compressed = ask(), ask(**GZIP)

    assert gzip.decompress(compressed) == plain
    assert len(compressed) < len(plain) / 4


@pytest.mark.parametrize("end", ["", "content-metadata/"])
def test_who_got_it_compressed_learns_that_nothing_changed(
    operator: APIClient, catalog: EnterpriseCatalog, end: str
) -> None:
    etag = operator.get(address(catalog.pk, end), headers=GZIP)["ETag"]

    response = operator.get(address(catalog.pk, end), headers={**GZIP, "If-None-Match": etag})

    assert response.status_code == 304
