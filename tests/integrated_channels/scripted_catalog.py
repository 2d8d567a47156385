"""A catalog service with scripted responses, for responses that the real catalog service never sends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation, json_response
from tests.integrated_channels.empty_sandbox import EmptySandbox
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Request

TOKEN = "a-token-of-the-scripted-catalog"


@dataclass(kw_only=True, eq=False)
class ScriptedCatalog(EmptySandbox):
    """Serves the operations ``access_token``, ``enterprise-catalogs``, ``content-diff`` and ``content-metadata``."""

    #: Operation -> its responses in order, as JSON or whole responses. The last response is repeated.
    answers: dict[str, list[object]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def route(self, request: Request) -> Operation:
        name = request.path.rstrip("/").rpartition("/")[2]
        request.get_data()
        return Operation(name, lambda: self._answer_to(name, request))

    def reset(self) -> None:
        super().reset()
        self.requests.clear()
        self.answers = {"access_token": [{"access_token": TOKEN, "expires_in": 3_600, "token_type": "JWT"}]}

    def _answer_to(self, name: str, request: Request) -> Response:
        self.requests.append(request)
        answers = self.answers[name]
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        return answer if isinstance(answer, Response) else json_response(answer)


@contextmanager
def served() -> Iterator[tuple[ScriptedCatalog, str]]:
    """Serve a scripted catalog on the loopback interface. Yield the catalog and its URL."""
    catalog = ScriptedCatalog()
    catalog.reset()
    with on_loopback(catalog) as url:
        yield catalog, url
