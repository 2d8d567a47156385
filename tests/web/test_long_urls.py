"""URLs with many long content keys, through gunicorn as in production."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.api.endpoints import address
from tests.migrated_database import migrate
from tests.processes import Site
from tests.services import patience

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes


def status_of(site: Site, url: str, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=patience(60))
    try:
        connection.request("GET", url, headers={"Authorization": f"JWT {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_hundred_long_keys_fit_into_a_url(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    migrate(site)
    token = site.manage("issue_token", "--role", "enterprise_openedx_operator:*").strip()
    keys = [f"{number:03}" + "+" * 252 for number in range(100)]  # Each plus sign takes three bytes in a URL.
    path = address("00000000-0000-0000-0000-000000000001", "get_content_metadata")
    url = f"{path}?{urlencode({'content_keys': keys}, doseq=True)}"

    with site.web():
        assert status_of(site, url, token) == 404  # There is no such catalog. 414 would mean that the URL is too long.
        assert status_of(site, f"{url}{'x' * 2**17}", token) == 414
