"""A learning system for a process of its own, whose content survives the death of the process, as a real one's does.

It is a program: ``python -m tests.integrated_channels.proofs.systems.sturdy SYSTEM NAME PORT FILE``.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from werkzeug import Request, Response

from enterprise_catalog.sandbox.application import CONTROL_PREFIX
from enterprise_catalog.sandbox.serving import make_loopback_server
from tests.integrated_channels.proofs.systems.registry import system

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from enterprise_catalog.sandbox.application import SandboxApplication

#: Takes a number of seconds by which the learning system's clock is to be put on.
FORWARD: Final = f"{CONTROL_PREFIX}forward"


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="serves a learning system that keeps its courses in a file")
    parser.add_argument("system", help="its name in the registry")
    parser.add_argument("name", help="tells it apart from others of the customer")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path, help="where the courses are kept; it may have been left by an earlier one")
    arguments = parser.parse_args()
    played, clock = system(arguments.system), Clock()
    sandbox = played.make(name=arguments.name, clock=clock, takes_twins=True)
    sturdy = Sturdy(sandbox, clock, played.kept, arguments.file)
    make_loopback_server(sturdy, port=arguments.port).serve_forever()


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
    _stored: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        if self.file.exists():
            self._stored = self.file.read_bytes()
            self.clock.ahead_seconds, values = pickle.loads(self._stored)  # noqa: S301  (written by the same program)
            for name, value in zip(self.kept, values, strict=True):
                setattr(self.sandbox, name, value)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; what breaks the connection comes after the courses are in the file."""
        if environ["PATH_INFO"] == FORWARD:
            return self._forward(Request(environ))(environ, start_response)
        try:
            return self.sandbox(environ, start_response)
        finally:
            self.keep()

    def _forward(self, request: Request) -> Response:
        self.clock.ahead_seconds += json.loads(request.get_data())
        self.keep()
        return Response(status=HTTPStatus.NO_CONTENT)

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
