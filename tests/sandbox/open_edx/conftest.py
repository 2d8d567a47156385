"""The Open edX sandbox in-process, and a client with a token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from enterprise_catalog.sandbox.open_edx.api import CLIENT_ID, CLIENT_SECRET, TOKEN_PAGE, OpenEdxSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
CREDENTIALS: Final = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture
def sandbox() -> OpenEdxSandbox:
    return OpenEdxSandbox(clock=lambda: NOW)


@pytest.fixture
def anonymous(sandbox: OpenEdxSandbox) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(transport=httpx.WSGITransport(sandbox), base_url="http://open-edx.test") as client:
        yield client


@pytest.fixture
def client(anonymous: httpx.Client) -> httpx.Client:
    token = anonymous.post(TOKEN_PAGE, data=CREDENTIALS).json()["access_token"]
    anonymous.headers["Authorization"] = f"JWT {token}"
    return anonymous
