"""Serves the metrics of workers and schedulers, which have no web page of their own.

::

    python -m enterprise_catalog.observability.metrics_server --bind 0.0.0.0:9101

One server per machine, or per pod, serves the counts of all processes that share its ``PROMETHEUS_MULTIPROC_DIR``. It
is a process of its own: each fork would copy a thread of a worker's main process in an undefined state.
"""

from __future__ import annotations

import argparse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST

from enterprise_catalog.observability.metrics import may_read, process_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Respond with the metrics, as ``/metrics`` of the web service does."""
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND)
        elif not may_read(self.headers.get("Authorization", "")):
            self.send_error(HTTPStatus.UNAUTHORIZED)
        else:
            page = process_metrics()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Log no requests: Prometheus sends several per minute."""


def make_server(bind: str) -> ThreadingHTTPServer:
    """Return a server that listens on ``bind``, an address and a port such as ``0.0.0.0:9101``."""
    host, _, port = bind.rpartition(":")
    server = ThreadingHTTPServer((host.strip("[]"), int(port)), _Handler)
    server.daemon_threads = True
    return server


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve metrics until the process is stopped."""
    parser = argparse.ArgumentParser(prog="metrics_server", description="Serve the metrics of this machine's workers.")
    parser.add_argument("--bind", default="127.0.0.1:9101", help="address and port; default: %(default)s")
    given = parser.parse_args(arguments)
    if not settings.PROMETHEUS_MULTIPROC_DIR:
        parser.error("PROMETHEUS_MULTIPROC_DIR is not set. Set it to the folder that the workers use.")
    with make_server(given.bind) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
