"""The whole stack in this process: the WSGI application, called as a server calls it.

URL, middleware, JWT authentication, permission, view and renderer are the real ones; only the socket is missing.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from enterprise_catalog.local_auth.tokens import signed_token
from tests.api.endpoints import address
from tests.benchmarks.results import WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from tests.benchmarks.cases import Case
    from tests.benchmarks.seeding import SeededCatalog

_TOKEN_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """The application's response. ``seconds`` includes reading the whole body and closing the response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Caller:
    """A caller with the role of the integrated channels."""

    def __init__(self, application: WSGIApplication) -> None:
        self.token = signed_token("benchmark", roles=["enterprise_openedx_operator:*"], lifetime_seconds=_TOKEN_SECONDS)
        self._application = application

    def diff(self, catalog: SeededCatalog, case: Case) -> Answer:
        """Request a diff."""
        return self.call(
            "POST", address(catalog.uuid, "content-diff/"), stream=io.BytesIO(case.body), length=len(case.body)
        )

    def get(self, location: str, *, etag: str | None = None, expected_status: int = 200) -> Answer:
        """GET ``location`` (path and query); ``etag`` makes it conditional."""
        return self.call("GET", location, etag=etag, expected_status=expected_status)

    def call(
        self,
        method: str,
        location: str,
        *,
        stream: IO[bytes] | None = None,
        length: int = 0,
        etag: str | None = None,
        expected_status: int = 200,
    ) -> Answer:
        """Call the application.

        Raises:
            WrongAnswerError: the response has another status than ``expected_status``.
        """
        environ = self._environ(method, location, stream or io.BytesIO(), length)
        if etag is not None:
            environ["HTTP_IF_NONE_MATCH"] = etag
        answer = _timed(self._application, environ)
        if answer.status != expected_status:
            raise WrongAnswerError(f"{method} {location} gave {answer.status}: {answer.body[:500]!r}")
        return answer

    def _environ(self, method: str, location: str, stream: IO[bytes], length: int) -> WSGIEnvironment:
        path, _, query = location.partition("?")
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(length),
            "HTTP_HOST": "localhost",
            "HTTP_ACCEPT": "application/json",
            "HTTP_AUTHORIZATION": f"JWT {self.token}",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": stream,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


def _timed(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    status, headers = "", dict[str, str]()

    def start_response(line: str, lines: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        nonlocal status
        status = line
        headers.update(lines)
        return lambda _: None

    started = time.perf_counter()
    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        # WSGI servers must close the response. It ends the request for Django, which then checks its connections.
        if close := getattr(chunks, "close", None):
            close()
    seconds = time.perf_counter() - started
    return Answer(int(status.partition(" ")[0]), headers, body, seconds)
