"""A learning system for a process of its own, whose content survives the death of the process, as a real one's does.

It is a program: ``python -m tests.integrated_channels.proofs.systems.sturdy SYSTEM NAME PORT FILE URL CUSTOMER``.
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
from tests.integrated_channels.proofs.systems.registry import system

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from enterprise_catalog.sandbox.application import SandboxApplication
    from tests.integrated_channels.proofs.systems.base import LearningSystem

#: Waits until a visit that is under way has ended, and lets no other begin.
REST: Final = f"{CONTROL_PREFIX}rest"
#: Lets visits begin again.
RESUME: Final = f"{CONTROL_PREFIX}resume"
#: Takes a number of seconds by which the learning system's clock is to be put on.
FORWARD: Final = f"{CONTROL_PREFIX}forward"

#: How long one that comes to us stays away in between.
_AWAY_SECONDS: Final = 0.05


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="serves a learning system that keeps its courses in a file")
    parser.add_argument("system", help="its name in the registry")
    parser.add_argument("name", help="tells it apart from others of the customer")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path, help="where the courses are kept; it may have been left by an earlier one")
    parser.add_argument("url", help="of our programs")
    parser.add_argument("customer", help="UUID")
    arguments = parser.parse_args()
    played, clock = system(arguments.system), Clock()
    # One that visits sends its time, which must be that of its visits.
    sandbox = played.make(name=arguments.name, clock=time.time if played.visits else clock, takes_twins=True)
    sturdy = Sturdy(sandbox, clock, played.kept, arguments.file)
    if played.visits:
        threading.Thread(target=visit, args=(played, sturdy, arguments.url, arguments.customer), daemon=True).start()
    make_loopback_server(sturdy, port=arguments.port).serve_forever()


def visit(played: LearningSystem, sturdy: Sturdy, url: str, customer: str) -> None:
    """Visit again and again."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while True:
            with sturdy.visiting:
                played.visit(sturdy.sandbox, client, customer)
                sturdy.keep()
            time.sleep(_AWAY_SECONDS)


@dataclass
class Clock:
    """The time in epoch seconds, or a later one."""

    ahead_seconds: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


@dataclass(eq=False)
class Sturdy:
    """A sandbox that begins with what ``file`` holds, if there is one, and has all in it before a call is answered."""

    sandbox: SandboxApplication
    clock: Clock  #: The sandbox's.
    kept: Sequence[str]  #: The sandbox's attributes that are kept.
    file: Path
    visiting: threading.Lock = field(init=False, default_factory=threading.Lock)  #: Held during a visit, and at rest.
    _stored: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        if self.file.exists():
            self._stored = self.file.read_bytes()
            self.clock.ahead_seconds, values = pickle.loads(self._stored)  # noqa: S301  (written by the same program)
            for name, value in zip(self.kept, values, strict=True):
                setattr(self.sandbox, name, value)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; what breaks the connection comes after the courses are in the file."""
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
        self.visiting.acquire()

    def _resume(self, _: Request) -> None:
        self.visiting.release()

    def keep(self) -> None:
        """Write what has changed; whoever kills us finds the old or the new, and nothing in between."""
        with self.sandbox.lock:
            values = [getattr(self.sandbox, name) for name in self.kept]
            state = pickle.dumps((self.clock.ahead_seconds, values))
            if state != self._stored:
                draft = self.file.with_suffix(".draft")
                draft.write_bytes(state)
                os.replace(draft, self.file)  # noqa: PTH105  (the name of what happens)
                self._stored = state


if __name__ == "__main__":
    main()
