"""In-process HTTP: passes the requests of httpx and requests directly to WSGI applications, without sockets.

The lowest layer of each library is patched. Everything above it is real: our clients, Open edX's client, sessions,
streams, errors and URLs. The other end is a complete WSGI application. Everything runs in one thread, which makes a
scenario repeatable: chunks are prefetched at once and not in another thread.
"""

from __future__ import annotations

import contextlib
import io
import sys
from concurrent.futures import Executor, Future
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

import httpx
import requests
from django.core.handlers.wsgi import WSGIHandler
from urllib3 import HTTPHeaderDict, HTTPResponse

from enterprise_catalog.integrated_channels.lms import deadlines
from enterprise_catalog.integrated_channels.sync import prefetch, timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication


class Service(Enum):
    """The services that the integrated channels call."""

    CATALOG = auto()
    LMS = auto()


CATALOG_URL = "http://testserver"
LMS_URL = "http://moodle.test"


class InProcessHTTP:
    """Connects the catalog service at ``CATALOG_URL`` and the WSGI application ``lms`` at ``LMS_URL``."""

    def __init__(self, passing: Callable[[Service, Callable[[], Any]], Any]) -> None:
        """Create the connections. Set ``lms`` before the first call to the LMS.

        Args:
            passing: called with the service and a function that makes the exchange. It may drop the exchange.
        """
        self.lms: WSGIApplication | None = None
        self._passing = passing
        self._catalog = WSGIHandler()

    @contextlib.contextmanager
    def patched(self) -> Iterator[None]:
        """Patch both libraries until the block ends."""
        with (
            mock.patch.object(requests.adapters.HTTPAdapter, "send", autospec=True, side_effect=self._ask_catalog),
            mock.patch.object(httpx.HTTPTransport, "handle_request", autospec=True, side_effect=self._ask_lms),
            mock.patch.object(prefetch, "ThreadPoolExecutor", _AtOnce),
            mock.patch.object(deadlines.WorkThread, "run", _run_at_once),
            mock.patch.object(timing, "SHORTEST_PAUSE_SECONDS", 0.0),  # The model's clock does not move between polls.
            mock.patch.object(timing, "POLLS", 3),
        ):
            yield

    def _ask_catalog(
        self, adapter: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **_: object
    ) -> requests.Response:
        assert str(request.url).startswith(f"{CATALOG_URL}/"), request.url
        response: requests.Response = self._passing(
            Service.CATALOG, lambda: adapter.build_response(request, _answer(self._catalog, request))
        )
        return response

    def _ask_lms(self, _: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        assert str(request.url).startswith(f"{LMS_URL}/"), request.url
        assert self.lms is not None
        transport = httpx.WSGITransport(self.lms)
        response: httpx.Response = self._passing(Service.LMS, lambda: transport.handle_request(request))
        return response


def _run_at_once(_: deadlines.WorkThread, work: Callable[[], Any], *, seconds: float) -> Any:
    """Run ``work`` in the caller's thread, without a deadline."""
    del seconds
    return work()


class _AtOnce(Executor):
    """Runs each task in the caller's thread before ``submit`` returns. Does not catch the death of a worker."""

    def __init__(self, **_: object) -> None:
        """Accept and ignore the arguments of a thread pool."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(task(*args, **keywords))
        except Exception as error:  # noqa: BLE001  (like a thread pool)
            future.set_exception(error)
        return future


def _answer(application: WSGIApplication, request: requests.PreparedRequest) -> HTTPResponse:
    """Return the response of ``application`` as urllib3 would read it from a socket."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], None]:
        started.append((status, headers))
        return lambda _: None

    answer: Any = application(_environ(request), start_response)
    with contextlib.closing(answer):
        content = b"".join(answer)
    [(status, headers)] = started
    code, _, reason = status.partition(" ")
    return HTTPResponse(io.BytesIO(content), HTTPHeaderDict(headers), int(code), reason=reason, preload_content=False)


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    body = request.body or b""
    content = body if isinstance(body, bytes) else str(body).encode()
    headers = {name.upper().replace("-", "_"): value for name, value in request.headers.items()}
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.pop("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": headers.pop("CONTENT_LENGTH", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name}": value for name, value in headers.items()},
    }
