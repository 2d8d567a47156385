"""A fake LMS for syncs: the sandbox Moodle in its own process, which measures its own response times.

The process runs :func:`serve`. It prints the Moodle's URL, settings and credentials as JSON. For each line on standard
input, it then prints the seconds spent on responses since the previous line.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server
from tests.processes import Dialogue, Site, get_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass(kw_only=True, eq=False)
class TimedMoodle(MoodleSandbox):
    """A Moodle that adds up its response times, from reading the request to the finished response body."""

    _seconds: float = field(init=False, default=0.0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        try:
            return super().__call__(environ, start_response)
        finally:
            with self.lock:
                self._seconds += time.perf_counter() - started

    def take_seconds(self) -> float:
        """Return the seconds added up since the last call, and reset the sum."""
        with self.lock:
            seconds, self._seconds = self._seconds, 0.0
        return seconds


def serve() -> None:
    """Serve a Moodle until standard input ends."""
    moodle = TimedMoodle()
    server = make_loopback_server(moodle, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _write(
        {
            "base_url": f"http://{HOST}:{server.server_port}",
            "settings": moodle.channel_settings(),
            "credentials": moodle.channel_credentials(),
        }
    )
    for _ in sys.stdin:
        _write(moodle.take_seconds())
    server.shutdown()
    thread.join()
    server.server_close()


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class LMS:
    """A client for the LMS process."""

    dialogue: Dialogue
    base_url: str
    settings: dict[str, Any]  #: Of a channel configuration, like the credentials.
    credentials: dict[str, Any]

    def take_seconds(self) -> float:
        """Return the seconds that the LMS spent on responses since the last call."""
        seconds: float = self.dialogue.ask()
        return seconds

    def offered(self) -> Mapping[str, str]:
        """Return content key -> full name of each course that is visible to learners."""
        offered: dict[str, str] = get_json(f"{self.base_url}/_sandbox/offered")
        return offered

    def reset(self) -> None:
        """Delete all data in the LMS."""
        with urlopen(Request(f"{self.base_url}/_sandbox/reset", method="POST"), timeout=30):
            pass


@contextmanager
def served_lms() -> Iterator[LMS]:
    """Serve an empty LMS until the block ends."""
    site = Site.make(Path(os.environ["LOCAL_STATE_DIR"]), DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"])
    with replace(site, cold=True).dialogue("from tests.benchmarks.lms import serve; serve()") as dialogue:
        yield LMS(dialogue, **dialogue.hear())
