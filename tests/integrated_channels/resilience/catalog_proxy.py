"""A proxy in front of the catalog service that can delay chosen requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx
from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation
from tests.integrated_channels.empty_sandbox import EmptySandbox

if TYPE_CHECKING:
    from werkzeug import Request

_REQUEST_HEADERS: Final = ("Authorization", "Content-Type", "If-None-Match", "Accept")
_ANSWER_HEADERS: Final = ("Content-Type", "ETag")


@dataclass(kw_only=True, eq=False)
class CatalogProxy(EmptySandbox):
    """Forwards requests to the service at ``service_url``. The operation name is the path."""

    service_url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def route(self, request: Request) -> Operation:
        method, path, query, body = request.method, request.path, request.query_string.decode(), request.get_data()
        headers = {name: request.headers[name] for name in _REQUEST_HEADERS if name in request.headers}

        def pass_on() -> Response:
            url = f"{self.service_url}{path}?{query}"
            answer = self.client.request(method, url, content=body, headers=headers)
            passed_on = {name: answer.headers[name] for name in _ANSWER_HEADERS if name in answer.headers}
            return Response(answer.content, status=answer.status_code, headers=passed_on)

        return Operation(path, pass_on)
