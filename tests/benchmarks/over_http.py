"""The whole stack behind gunicorn with two workers; the callers use bare sockets, which cost little CPU."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.api.endpoints import address
from tests.benchmarks.results import WrongAnswerError
from tests.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.cases import Case
    from tests.benchmarks.seeding import SeededCatalog

_TIMEOUT_SECONDS: Final = 60
_LARGEST_HEAD: Final = 64 * 1024
#: Concurrent warm-up requests: enough for both workers to get some.
_WARMING: Final = 8


@contextmanager
def served(**variables: str) -> Iterator[int]:
    """Serve the catalog service on this process's database until the block ends; yields the port.

    Args:
        variables: additional environment variables for the server.
    """
    site = Site.make(
        Path(os.environ["LOCAL_STATE_DIR"]),  # Holds the key that signs tokens.
        DATABASE_URL=os.environ["DATABASE_URL"],
        DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"],
        **variables,
    )
    with replace(site, cold=True).web():  # A process that starts warm has other memory and garbage collection.
        yield site.port


def request_for_diff(catalog: SeededCatalog, case: Case, *, token: str) -> bytes:
    """Return the bytes of a whole HTTP request."""
    head = (
        f"POST {address(catalog.uuid, 'content-diff/')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: JWT {token}\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(case.body)}\r\n\r\n"
    )
    return head.encode() + case.body


@dataclass(slots=True)
class SocketCaller:
    """Sends prepared requests, each over its own connection, and reads the responses into one buffer."""

    port: int
    buffer: bytearray = field(default_factory=lambda: bytearray(_LARGEST_HEAD))

    def timed(self, request: bytes) -> float:
        """Return the seconds from connecting to the last byte of the response."""
        started = time.perf_counter()
        self.exchange(request)
        return time.perf_counter() - started

    def exchange(self, request: bytes) -> memoryview:
        """Send ``request`` and return the response body, which is valid until the next call.

        Raises:
            WrongAnswerError: the status is not 200, or the body is shorter than ``Content-Length``.
            OSError: the connection failed.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT_SECONDS) as connection:
            connection.sendall(request)
            received, start = self._receive_head(connection)
            end = start + _length_of_body(bytes(self.buffer[:start]))
            if end > len(self.buffer):
                # A new buffer, because a bytearray cannot grow while a memoryview of it exists.
                self.buffer = self.buffer[:received] + bytes(end - received)
            view = memoryview(self.buffer)
            while received < end:
                count = connection.recv_into(view[received:end], end - received, socket.MSG_WAITALL)
                if not count:
                    raise WrongAnswerError(f"an answer ended {end - received:,} bytes early")
                received += count
            return view[start:end]

    def _receive_head(self, connection: socket.socket) -> tuple[int, int]:
        """Return the number of bytes received, and the offset of the body."""
        received = 0
        while (end := self.buffer.find(b"\r\n\r\n", 0, received)) < 0:
            count = connection.recv_into(memoryview(self.buffer)[received:])
            if not count:
                raise WrongAnswerError("an answer ended within its head")
            received += count
        return received, end + 4


def warm_up(port: int, request: bytes) -> None:
    """Send ``request`` several times concurrently, to reach every worker."""
    with ThreadPoolExecutor(_WARMING) as pool:
        for answer in [pool.submit(SocketCaller(port).timed, request) for _ in range(_WARMING)]:
            answer.result()


def _length_of_body(head: bytes) -> int:
    lines = head.split(b"\r\n")
    if lines[0].split(b" ")[1] != b"200":
        raise WrongAnswerError(f"the server answered {lines[0].decode()}")
    [length] = (line.partition(b":")[2] for line in lines if line.lower().startswith(b"content-length:"))
    return int(length)
