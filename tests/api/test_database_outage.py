"""A database outage and recovery as API callers see it, with a real MariaDB and real processes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from tests import services
from tests.api.endpoints import CATALOGS
from tests.migrated_database import migrate
from tests.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

UNAVAILABLE: Final = {"detail": "The database is unavailable. Try again later.", "code": "database_unavailable"}


@pytest.fixture
def mariadb() -> Iterator[PrivateServer]:
    server = services.or_skip(lambda: services.private_mariadb(*services.UNSYNCED))
    yield server
    server.stop()


def test_callers_receive_503_and_not_401_while_the_database_is_down(tmp_path: Path, mariadb: PrivateServer) -> None:
    site = Site.make(tmp_path, DATABASE_URL=mariadb.url)
    migrate(site)
    token = site.manage("issue_token", "--role", "enterprise_openedx_operator:*").strip()
    callers = {
        "a token": {"Authorization": f"JWT {token}"},
        "a token in a cookie": {"Cookie": f"edx-jwt-cookie={token}"},
        "an unknown session": {"Cookie": f"sessionid={'x' * 32}"},
        "a token that is none": {"Authorization": "JWT x"},
        "nothing": {},
    }

    def answers() -> dict[str, Any]:
        url = f"http://127.0.0.1:{site.port}{CATALOGS}"
        responses = {name: requests.get(url, headers=shown, timeout=30) for name, shown in callers.items()}
        return {name: (response.status_code, response.json()) for name, response in responses.items()}

    with site.web():
        before = answers()
        mariadb.stop()
        meanwhile = answers()
        mariadb.start()
        after = answers()

    assert [status for status, _ in before.values()] == [200, 200, 401, 401, 401]
    assert [*meanwhile.values()] == [(503, UNAVAILABLE)] * 3 + [*before.values()][3:]
    assert after == before
