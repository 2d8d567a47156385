"""HTTP server for a sandbox on loopback. A connection that a fault breaks is also broken for the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from werkzeug.serving import BaseWSGIServer

HOST = "127.0.0.1"


def make_loopback_server(sandbox: WSGIApplication, *, port: int) -> BaseWSGIServer:
    """Return a listening server for ``sandbox``, with one thread per request. Port 0 selects a free port.

    The caller runs ``serve_forever()`` and finally ``server_close()``. If the port is in use, werkzeug prints a message
    and exits the process with code 1.
    """
    return make_server(HOST, port, sandbox, threaded=True, request_handler=_Handler)


class _Handler(WSGIRequestHandler):
    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        # No response means no "Connection: close" header either; without this line, the client would wait forever.
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no requests, because callers parse the output of ``run_sandbox``. Errors are still logged."""
