"""A client for the sandbox Canvas: logs in, sends JSON, and returns raw responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.canvas.api import CanvasSandbox

UNAUTHORIZED = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
NOT_FOUND = {"errors": [{"message": "The specified resource does not exist."}]}


class CanvasClient:
    """Calls ``sandbox`` in-process, without following redirects."""

    def __init__(self, sandbox: CanvasSandbox) -> None:
        self.http = httpx.Client(transport=httpx.WSGITransport(app=sandbox), base_url="http://canvas.test")
        self.token = self.grant().json()["access_token"]

    def grant(self, **fields: str) -> httpx.Response:
        """Request a token with the published refresh token; ``fields`` replace the valid form fields."""
        key = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        asked = {**key, "grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN, **fields}
        return self.http.post("/login/oauth2/token", data=asked)

    def send(self, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
        """Send a request to the API; ``path`` is relative to ``/api/v1/`` and may include a query."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, f"/api/v1/{path}", json=body, params=params or None, headers=headers)

    def create(self, integration_id: str = "A", *, offer: bool = False, **fields: Any) -> httpx.Response:
        """Create a course in the root account."""
        body = {"course": {"integration_id": integration_id, **fields}, "offer": offer}
        return self.send("POST", "accounts/1/courses", body)

    def change(self, course_id: int, **fields: Any) -> httpx.Response:
        """Update a course."""
        return self.send("PUT", f"courses/{course_id}", {"course": fields})
