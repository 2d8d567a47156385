"""The sandboxes' HTTP server: connections stay open, and end with the server."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from werkzeug import Request, Response

from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.servers.basehttp import ThreadedWSGIServer

BODY = "x" * 100_000


@Request.application
def application(request: Request) -> Response:
    """Read no body, and respond with the status in the path."""
    status = int(request.path[1:])
    return Response("" if status == 204 else request.method, status=status)


@contextmanager
def served() -> Iterator[tuple[ThreadedWSGIServer, http.client.HTTPConnection]]:
    """Serve the application, with an open connection."""
    server = make_loopback_server(application, port=0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=10)
    connection.connect()
    try:
        yield server, connection
    finally:
        connection.close()
        server.shutdown()
        thread.join()
        server.server_close()


def exchange(connection: http.client.HTTPConnection, method: str, status: int) -> bytes:
    connection.request(method, f"/{status}", body=BODY if method == "POST" else None)
    response = connection.getresponse()
    assert response.status == status
    return response.read()


def test_a_connection_stays_open_also_if_the_body_was_not_read() -> None:
    with served() as (_, connection):
        socket = connection.sock
        bodies = [exchange(connection, "POST", status) for status in (200, 404, 204, 500, 200)]
        head = exchange(connection, "HEAD", 200)

        assert connection.sock is socket

    assert bodies == [b"POST", b"POST", b"", b"POST", b"POST"]
    assert head == b""


def test_an_open_connection_ends_with_the_server() -> None:
    with served() as (server, connection):
        exchange(connection, "GET", 200)
        server.shutdown()
        server.server_close()

        with pytest.raises(http.client.RemoteDisconnected):
            exchange(connection, "GET", 200)


def test_a_port_in_use_is_named() -> None:
    with served() as (server, _):
        port = str(server.server_port)

        with pytest.raises(CommandError, match=rf"Port {port} of {HOST}: Address already in use\."):
            call_command("run_sandbox", "--channel=MOODLE", f"--port={port}", stdout=StringIO())
