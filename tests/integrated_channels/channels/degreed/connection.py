"""Connects the channel in-process to a Degreed sandbox or another transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.degreed.auth import DegreedCredentials
from enterprise_catalog.integrated_channels.channels.degreed.channel import Degreed, DegreedSettings
from enterprise_catalog.integrated_channels.domain import Outgoing
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.degreed.api import CLIENT_ID, CLIENT_SECRET
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import BeforeCall
    from enterprise_catalog.sandbox.degreed.api import DegreedSandbox

BASE_URL: Final = "https://api.degreed.test"
TOKEN_BASE_URL: Final = "https://degreed.test"
CREDENTIALS: Final = DegreedCredentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))


def connected(
    app: DegreedSandbox | httpx.BaseTransport,
    *,
    credentials: DegreedCredentials = CREDENTIALS,
    before_each_call: BeforeCall | None = None,
    **settings: Any,
) -> Degreed:
    """Return a channel connected to ``app``, which serves both the API host and the token host."""
    transport = app if isinstance(app, httpx.BaseTransport) else httpx.WSGITransport(app=app)
    secrets = [credentials.client_secret.get_secret_value()]
    client = LMSClient(BASE_URL, secrets=secrets, before_each_call=before_each_call, transport=transport)
    return Degreed(client, DegreedSettings(**{"token_base_url": TOKEN_BASE_URL, **settings}), credentials)


def outgoing(content_key: str = "A", *, remote_id: str = "", may_be_there: bool = True, **attributes: Any) -> Outgoing:
    """Return the outgoing course of a default item; ``attributes`` replace attributes of its payload."""
    item = an_item(content_key, title=f"Course {content_key}", enrollment_url=f"https://learn.test/{content_key}")
    payload = connected(httpx.MockTransport(_no_answer)).transform(item)
    return Outgoing(content_key, payload | {"skills": ["Python"]} | attributes, remote_id, may_be_there)


def add(degreed: DegreedSandbox, external_id: str, **attributes: Any) -> str:
    """Add a course to the sandbox's table, as if it had existed before. Return its ID."""
    known = {"external-id": external_id, "title": "Theirs", "url": f"https://learn.test/{external_id}"}
    return degreed.table.add({**known, "obsolete": False, **attributes}).id


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
