"""Serves WSGI applications on the loopback interface, in threads of the test process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication


@contextmanager
def on_loopback(application: WSGIApplication) -> Iterator[str]:
    """Serve ``application`` until the block ends, and yield its URL."""
    server = make_loopback_server(application, port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
