"""LMSs on the loopback interface that never end a response but send each byte in time."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Pause between two bytes, in seconds.
PAUSE_SECONDS: Final = 0.2

#: Kind -> bytes sent first, and bytes sent repeatedly.
_RESPONSES: Final = {
    "silence": (b"", b""),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Endless: ", b"x"),
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"X-Endless: x\r\n"),
    "informational responses": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nX-Endless: ", b"x"),
}
KINDS: Final = tuple(_RESPONSES)


@contextmanager
def endless_lms(kind: str, *, reads: bool = True) -> Iterator[str]:
    """Serve until the block ends, and yield the URL.

    Args:
        reads: receive the whole request first. If false, read one byte at a time, so slowly that a client never
            finishes sending a large request.
    """
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        if not reads:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        accepting = threading.Thread(target=_accept, args=(server, kind, is_over, reads), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            is_over.set()
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(server: socket.socket, kind: str, is_over: threading.Event, reads: bool) -> None:
    with suppress(OSError):  # The server was shut down.
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, kind, is_over, reads), daemon=True).start()


def _serve(connection: socket.socket, kind: str, is_over: threading.Event, reads: bool) -> None:
    first, again = _RESPONSES[kind]
    with connection, suppress(OSError):  # The client closed the connection.
        if reads:
            connection.recv(65_536)
            connection.sendall(first)
        while not is_over.wait(PAUSE_SECONDS):
            if reads:
                connection.sendall(again)
            else:
                connection.recv(1)
