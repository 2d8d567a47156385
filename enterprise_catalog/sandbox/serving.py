"""Serving a sandbox on loopback, in such a way that a connection a fault breaks looks broken to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from werkzeug.serving import BaseWSGIServer

HOST = "127.0.0.1"


def make_loopback_server(sandbox: WSGIApplication, *, port: int) -> BaseWSGIServer:
    """Return a server of ``sandbox``, one thread a request, that already listens; port 0 takes a free one.

    The caller runs ``serve_forever()`` and, in the end, ``server_close()``. A port that is taken ends the process with
    exit code 1 and a message, as werkzeug has it.
    """
    return make_server(HOST, port, sandbox, threaded=True, request_handler=_Handler)


class _Handler(WSGIRequestHandler):
    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        # Without an answer there is no "Connection: close" either, and the client would wait for a next one to come.
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: whoever starts a sandbox reads its output. Errors are still logged."""
