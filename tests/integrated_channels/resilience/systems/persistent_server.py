"""Serves an LMS in its own process. Its content survives a kill, like the content of a real LMS.

Usage: ``python -m tests.integrated_channels.resilience.systems.persistent_server SYSTEM NAME PORT FILE URL CUSTOMER``.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
from werkzeug import Request, Response

from enterprise_catalog.sandbox.application import CONTROL_PREFIX
from enterprise_catalog.sandbox.serving import make_loopback_server
from tests.integrated_channels.resilience.systems.registry import system

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from enterprise_catalog.sandbox.application import SandboxApplication
    from tests.integrated_channels.resilience.systems.base import VendorLMS

#: Waits for the end of an active poll, and blocks further polls.
REST: Final = f"{CONTROL_PREFIX}rest"
#: Allows polls again.
RESUME: Final = f"{CONTROL_PREFIX}resume"
#: Moves the LMS's clock forward; the body is a number of seconds.
FORWARD: Final = f"{CONTROL_PREFIX}forward"

#: Pause between two polls of a polling LMS.
_AWAY_SECONDS: Final = 0.05


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="serves an LMS that stores its courses in a file")
    parser.add_argument("system", help="its name in the registry")
    parser.add_argument("name", help="distinguishes the LMSs of one customer")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path, help="where the courses are kept; it may have been left by an earlier one")
    parser.add_argument("url", help="of our programs")
    parser.add_argument("customer", help="UUID")
    arguments = parser.parse_args()
    played, clock = system(arguments.system), Clock()
    # A polling LMS sends its own time, which must be the real time of its polls.
    sandbox = played.make(name=arguments.name, clock=time.time if played.polls else clock, takes_twins=True)
    server = PersistentServer(sandbox, clock, played.kept, arguments.file)
    if played.polls:
        threading.Thread(
            target=poll_feed, args=(played, server, arguments.url, arguments.customer), daemon=True
        ).start()
    make_loopback_server(server, port=arguments.port).serve_forever()


def poll_feed(played: VendorLMS, server: PersistentServer, url: str, customer: str) -> None:
    """Poll the feed in an endless loop."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while True:
            with server.polling:
                played.poll_feed(server.sandbox, client, customer)
                server.keep()
            time.sleep(_AWAY_SECONDS)


@dataclass
class Clock:
    """The current time in epoch seconds, plus ``ahead_seconds``."""

    ahead_seconds: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


@dataclass(eq=False)
class PersistentServer:
    """A sandbox that loads its content from ``file``, and saves it before each response."""

    sandbox: SandboxApplication
    clock: Clock  #: Of the sandbox.
    kept: Sequence[str]  #: Attributes of the sandbox to save.
    file: Path
    polling: threading.Lock = field(init=False, default_factory=threading.Lock)  #: Held during a poll and at rest.
    _stored: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        if self.file.exists():
            self._stored = self.file.read_bytes()
            self.clock.ahead_seconds, values = pickle.loads(self._stored)  # noqa: S301  (written by this program)
            for name, value in zip(self.kept, values, strict=True):
                setattr(self.sandbox, name, value)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request. Content is saved before a fault breaks the connection."""
        orders = {FORWARD: self._forward, REST: self._rest, RESUME: self._resume}
        if order := orders.get(environ["PATH_INFO"]):
            order(Request(environ))
            return Response(status=HTTPStatus.NO_CONTENT)(environ, start_response)
        try:
            return self.sandbox(environ, start_response)
        finally:
            self.keep()

    def _forward(self, request: Request) -> None:
        self.clock.ahead_seconds += json.loads(request.get_data())
        self.keep()

    def _rest(self, _: Request) -> None:
        self.polling.acquire()

    def _resume(self, _: Request) -> None:
        self.polling.release()

    def keep(self) -> None:
        """Save changed content atomically: a kill leaves either the old or the new file."""
        with self.sandbox.lock:
            values = [getattr(self.sandbox, name) for name in self.kept]
            state = pickle.dumps((self.clock.ahead_seconds, values))
            if state != self._stored:
                draft = self.file.with_suffix(".draft")
                draft.write_bytes(state)
                os.replace(draft, self.file)  # noqa: PTH105  (names the atomic operation)
                self._stored = state


if __name__ == "__main__":
    main()
