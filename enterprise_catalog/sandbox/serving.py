"""HTTP server for a sandbox on loopback. It keeps connections open between requests, as the vendors' servers do."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

HOST: Final = "127.0.0.1"


def make_loopback_server(sandbox: WSGIApplication, *, port: int) -> ThreadedWSGIServer:
    """Return a listening server for ``sandbox``, with one thread per connection. Port 0 selects a free port.

    The caller runs ``serve_forever()`` and finally ``server_close()``.

    Raises:
        OSError: the port is in use.
    """
    server = _Server((HOST, port), _Handler)
    server.set_app(sandbox)
    return server


class _Server(ThreadedWSGIServer):
    request_queue_size = 128

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.is_closed = False
        self._connections = set[socket.socket]()
        super().__init__(*arguments, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Stop listening, and end connections without a request. A request in progress gets its response."""
        self.is_closed = True
        super().server_close()
        for connection in self._connections.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)


class _Handler(WSGIRequestHandler):
    server: _Server
    # One packet per response. Otherwise the client waits for the second one until it has acknowledged the first.
    wbufsize = 2**16
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        self._has_responded = False
        super().handle_one_request()
        if not self._has_responded:  # A fault breaks the connection: the application raised ConnectionAbortedError.
            self.close_connection = True

    def parse_request(self) -> bool:
        # A request that arrives now would still be read.
        return not self.server.is_closed and super().parse_request()

    def log_request(self, *_: object) -> None:
        """Send the rest of a complete response. Log nothing, because callers parse the output of ``run_sandbox``."""
        self.wfile.flush()  # Headers without a body are still in the buffer.
        self._has_responded = True

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:  # The client left before the end of a response.
            self.rfile.close()
