"""Error messages about an unusable catalog service or token endpoint: each names a cause and a remedy."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import requests
from edx_rest_api_client.client import TieredCache

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.service_client.session import CONNECT_TIMEOUT_SECONDS
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

SECRET: Final = "the-clients-secret"
CATALOGS: Final[dict[str, object]] = {"next": None, "results": []}
TOKEN: Final = {"access_token": "a-token-of-the-tests", "expires_in": 3600}
PAGE: Final = "<html><head><title>Sign in</title></head></html>"


class Reply(NamedTuple):
    """A server's response: status, body, redirect target and content type."""

    status: int = 200
    body: object = None
    location: str = ""
    content_type: str = "application/json"


class Server(ThreadingHTTPServer):
    """A loopback server that sends the same response to each request. Without a reply, it never responds."""

    def __init__(self, reply: Reply | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply, self.may_end = reply, threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Sends the server's reply."""

    server: Server

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.reply
        if reply is None:
            self.server.may_end.wait(60)
            self.close_connection = True
            return
        body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        if reply.location:
            self.send_header("Location", reply.location)
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = answer  # noqa: N815  (http.server's names)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def serving(reply: Reply | None) -> Iterator[str]:
    with Server(reply) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.url
        server.may_end.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _client_settings(settings: Settings) -> None:
    TieredCache.dangerous_clear_all_tiers()
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = "channels", SECRET


def reason_with(
    settings: Settings, *, token: str | None = None, catalog: str | None = None, seconds: float = 30
) -> str:
    """Return the error message of a request to these two URLs. ``None`` stands for a working server."""
    with serving(Reply(body=TOKEN)) as issuer, serving(Reply(body=CATALOGS)) as service:
        settings.OAUTH2_PROVIDER_URL, settings.CATALOG_API_URL = f"{token or issuer}/oauth2", catalog or service
        with CatalogClient(read_timeout_seconds=seconds) as client, pytest.raises(CatalogUnavailableError) as raised:
            client.list_catalogs(uuid.UUID(int=1))
    assert SECRET not in raised.value.message
    return raised.value.message


@contextmanager
def tls_without_certificate() -> Iterator[str]:
    """Serve plain HTTP at an https:// URL."""
    with serving(Reply()) as url:
        yield url.replace("http://", "https://")


@contextmanager
def refusing() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def unknown_host() -> Iterator[str]:
    yield "http://no-such-host.invalid"


@contextmanager
def closing_early() -> Iterator[str]:
    """Serve a listener that closes each connection before it responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_all() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    if not connection.recv(1):
                        return

        thread = threading.Thread(target=close_all)
        thread.start()
        port = listener.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


CONNECTIONS: Final = {
    "DNS": (unknown_host, "its host name cannot be resolved", "Check {setting}."),
    "refused": (refusing, "no connection", "Check that it is running, and check {setting}."),
    "TLS": (tls_without_certificate, "TLS failed", "Check its certificate, and the scheme of {setting}."),
    "silent": (lambda: serving(None), "the response timed out", "See its log. The next run tries again."),
    "closed": (closing_early, "the connection was closed early", "See its log. The next run tries again."),
}
STATUSES: Final = {
    301: ("Set CATALOG_API_URL to the new address.", "Set OAUTH2_PROVIDER_URL to the new address."),
    400: ("ALLOWED_HOSTS", "grant type client credentials"),
    401: (
        "JWT_PUBLIC_SIGNING_JWK_SET",
        "rejected the client's credentials. Check OAUTH2_CLIENT_ID and",
    ),
    403: ("needs the role enterprise_openedx_operator", "is allowed to get tokens there"),
    404: ("Check the UUIDs", "it ends with /oauth2, without /access_token"),
    405: ("", "it ends with /oauth2, without /access_token"),
    429: ("API_THROTTLE_RATE", "The next run tries again."),
    500: ("See its log. The next run tries again.", "See its log. The next run tries again."),
    503: ("See its log. The next run tries again.", "See its log. The next run tries again."),
}


@pytest.mark.parametrize("problem", CONNECTIONS)
@pytest.mark.parametrize("of_token", [True, False], ids=["token", "catalog"])
def test_a_connection_that_fails_has_cause_and_remedy(settings: Settings, problem: str, *, of_token: bool) -> None:
    make, cause, remedy = CONNECTIONS[problem]

    with make() as url:
        seconds = 1 if problem == "silent" else 30
        token, catalog = (url, None) if of_token else (None, url)
        reason = reason_with(settings, token=token, catalog=catalog, seconds=seconds)

    who = f"The token endpoint of {url}/oauth2" if of_token else "The catalog service"
    setting = "OAUTH2_PROVIDER_URL" if of_token else "CATALOG_API_URL"
    assert reason == f"{who} is unreachable: {cause}. {remedy.format(setting=setting)}"


def test_a_token_request_may_take_as_long_as_other_requests(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[object] = []
    send = requests.adapters.HTTPAdapter.send

    def note_timeout(*arguments: Any, **options: Any) -> requests.Response:
        timeouts.append(options["timeout"])
        return send(*arguments, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", note_timeout)
    with serving(Reply(404)) as url:
        reason_with(settings, token=url, seconds=17)

    assert timeouts == [(CONNECT_TIMEOUT_SECONDS, 17)]


@pytest.mark.parametrize("status", [status for status in STATUSES if status != 301])
def test_a_status_of_the_catalog_has_a_remedy(settings: Settings, status: int) -> None:
    with serving(Reply(status, {"detail": "no"})) as url:
        reason = reason_with(settings, catalog=url)

    assert reason.startswith(f"The catalog service returned {status} for GET {url}/api/v1/enterprise-catalogs/")
    assert STATUSES[status][0] in reason


@pytest.mark.parametrize("status", [status for status in STATUSES if status != 301])
def test_a_status_of_the_token_endpoint_has_a_remedy(settings: Settings, status: int) -> None:
    with serving(Reply(status, {"error": "no"})) as url:
        reason = reason_with(settings, token=url)

    assert reason.startswith(f"The token endpoint of {url}/oauth2 returned {status}. ")
    assert STATUSES[status][1] in reason


@pytest.mark.parametrize("of_token", [True, False], ids=["token", "catalog"])
def test_a_redirect_names_its_target_and_the_remedy(settings: Settings, *, of_token: bool) -> None:
    with serving(Reply(404)) as elsewhere:
        target = f"{elsewhere}/secure/"
        with serving(Reply(301, location=target)) as url:
            reason = reason_with(settings, token=url if of_token else None, catalog=None if of_token else url)

    assert " returned 301" in reason
    assert f"It redirects to {target}. {STATUSES[301][of_token]} " in reason
    assert "SECURE_SSL_REDIRECT=false" in reason


def test_a_page_instead_of_json_is_named(settings: Settings) -> None:
    page = Reply(200, PAGE, content_type="text/html")
    with serving(page) as url:
        of_catalog = reason_with(settings, catalog=url)
        TieredCache.dangerous_clear_all_tiers()
        of_token = reason_with(settings, token=url)

    assert of_catalog.startswith("The catalog service's response is not JSON: ")
    assert of_catalog.endswith(" Its type is text/html. Check CATALOG_API_URL.")
    assert of_token == (
        f"The token endpoint of {url}/oauth2 returned text/html without a token. "
        "Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token."
    )
