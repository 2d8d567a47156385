"""Connects the channel in-process to a Canvas sandbox or another transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.canvas.auth import CanvasCredentials
from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas, CanvasSettings
from enterprise_catalog.integrated_channels.domain import Outgoing
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.canvas.api import CanvasSandbox

BASE_URL: Final = "http://canvas.test"

AUTHORIZED: Final = CanvasCredentials(
    client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET), refresh_token=SecretStr(REFRESH_TOKEN)
)
NOT_AUTHORIZED: Final = CanvasCredentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))

#: Keys of the sandbox's call counter, ``calls``.
TOKEN: Final = "POST /login/oauth2/token"
LOOK: Final = "GET /api/v1/courses/:id"
CREATE: Final = "POST /api/v1/accounts/:account_id/courses"
CHANGE: Final = "PUT /api/v1/courses/:id"
END: Final = "DELETE /api/v1/courses/:id"
LIST: Final = "GET /api/v1/accounts/:account_id/courses"
PERMISSIONS: Final = "GET /api/v1/accounts/:account_id/permissions"


class Recorder(httpx.BaseTransport):
    """Forwards requests. Records the method, path with query, and JSON body of every request except ``/login/``."""

    def __init__(self, app: CanvasSandbox) -> None:
        self.requests: list[dict[str, Any]] = []
        self._inner = httpx.WSGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/login/"):
            body = json.loads(request.content) if request.content else None
            path = request.url.raw_path.decode()
            self.requests.append({"method": request.method, "path": path, "json": body})
        return self._inner.handle_request(request)


def connected(
    app: CanvasSandbox | httpx.BaseTransport,
    *,
    credentials: CanvasCredentials = AUTHORIZED,
    base_url: str = BASE_URL,
    **settings: Any,
) -> Canvas:
    """Return a channel connected to ``app``; ``settings`` are the channel's settings."""
    transport = app if isinstance(app, httpx.BaseTransport) else httpx.WSGITransport(app=app)
    known = [secret.get_secret_value() for secret in (credentials.client_secret, credentials.refresh_token) if secret]
    client = LMSClient(base_url, secrets=known, transport=transport)
    return Canvas(client, CanvasSettings(**settings), credentials)


def outgoing(content_key: str = "A", *, remote_id: str = "", may_be_there: bool = True, **fields: Any) -> Outgoing:
    """Return the outgoing course of a default item. ``fields`` replace payload fields; ``None`` removes a field."""
    channel = connected(httpx.MockTransport(_no_answer))
    payload = channel.transform(an_item(content_key, title=f"Course {content_key}")) | fields
    sent = {name: value for name, value in payload.items() if name not in fields or value is not None}
    return Outgoing(content_key, sent, remote_id, may_be_there=may_be_there)


def add(canvas: CanvasSandbox, key: str, **columns: Any) -> str:
    """Add a course to the sandbox's table, as if it had existed before. Return its ID."""
    return str(canvas.table.add(integration_id=key, **{"name": "Theirs", **columns}).id)


def states(canvas: CanvasSandbox) -> dict[object, object]:
    """Return integration ID -> ``workflow_state`` for each course."""
    return {course["integration_id"]: course["workflow_state"] for course in canvas.content()}


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
