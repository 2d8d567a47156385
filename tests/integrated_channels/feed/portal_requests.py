"""Requests to a feed, and its addresses."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from enterprise_catalog.sandbox.cornerstone.portal import PASSWORD, USERNAME

if TYPE_CHECKING:
    from django.test import Client

FEED: Final = "/integrated-channels/cornerstone/course-list"
TOKEN: Final = "/integrated-channels/cornerstone/token"


def basic(user: str = USERNAME, password: str = PASSWORD) -> dict[str, str]:
    """Return the header of a login with a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def token_of(client: Client, *, remote: str = "127.0.0.1", **form: str) -> Any:
    """Request a token and return the response."""
    asked = urlencode({"grant_type": "client_credentials", **form})
    return client.post(TOKEN, asked, content_type="application/x-www-form-urlencoded", REMOTE_ADDR=remote)
