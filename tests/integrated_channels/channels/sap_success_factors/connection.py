"""Connects the channel in-process to a SAP sandbox or another transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.sap_success_factors.auth import SAPCredentials
from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSettings, SAPSuccessFactors
from enterprise_catalog.integrated_channels.domain import Action, Outgoing
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.sap.api import CLIENT_ID, CLIENT_SECRET, COMPANY_ID, USER_ID
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import BeforeCall
    from enterprise_catalog.sandbox.sap.api import SAPSandbox

BASE_URL: Final = "http://sap.test"
BY_SECRET: Final = SAPCredentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))


def connected(
    app: SAPSandbox | httpx.BaseTransport,
    *,
    credentials: SAPCredentials = BY_SECRET,
    before_each_call: BeforeCall | None = None,
    **settings: Any,
) -> SAPSuccessFactors:
    """Return a channel connected to ``app``; ``settings`` are the channel's settings."""
    transport = app if isinstance(app, httpx.BaseTransport) else httpx.WSGITransport(app=app)
    secrets = [value.get_secret_value() for _, value in credentials if isinstance(value, SecretStr)]
    client = LMSClient(BASE_URL, secrets=secrets, transport=transport, before_each_call=before_each_call)
    return SAPSuccessFactors(
        client, SAPSettings(**{"company_id": COMPANY_ID, "user_id": USER_ID, **settings}), credentials
    )


def outgoing(content_key: str = "A", **fields: Any) -> Outgoing:
    """Return the outgoing course of a default item; ``fields`` replace fields of its payload."""
    channel = connected(httpx.MockTransport(_no_answer))
    payload = channel.transform(an_item(content_key, title=f"Course {content_key}"))
    return Outgoing(content_key, payload | fields, title=f"Course {content_key}")


def leaving(content_key: str = "A", *, title: str | None = None) -> Outgoing:
    """Return an outgoing delete. It has an empty payload."""
    return Outgoing(content_key, {}, action=Action.DELETE, title=f"Course {content_key}" if title is None else title)


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
