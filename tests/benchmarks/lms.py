"""A fake LMS for syncs: a sandbox in its own process, which measures its own time.

The process runs :func:`serve`. It prints the sandbox's URL, settings and credentials as JSON. For each line on standard
input, it then prints its :class:`LMSTime` since the previous line.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from enterprise_catalog.sandbox.application import SandboxApplication
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.moodle.php_forms import read_parameters
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server
from tests.processes import Dialogue, Site, get_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug import Request as LMSRequest
    from werkzeug import Response

MOODLE: Final = "MOODLE"
CANVAS: Final = "CANVAS"


@dataclass(frozen=True, slots=True)
class LMSTime:
    """The LMS's own time, in seconds: for each call from reading the request to the finished response body."""

    busy: float = 0.0  #: Time with at least one call in progress.
    calls: float = 0.0  #: Sum of all calls. Longer than ``busy`` if calls were parallel.


@dataclass(kw_only=True, eq=False)
class _TimedLMS(SandboxApplication):
    """An LMS that measures its own time."""

    seconds_per_item: float = 0.0  #: Shortest duration of a call, for each item that it creates, updates or deletes.
    _time: LMSTime = field(init=False, default=LMSTime())
    _in_progress: int = field(init=False, default=0)  #: Number of calls.
    _busy_since: float = field(init=False, default=0.0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        with self.lock:
            self._busy_since = self._busy_since if self._in_progress else started
            self._in_progress += 1
        try:
            return super().__call__(environ, start_response)
        finally:
            ended = time.perf_counter()
            with self.lock:
                self._in_progress -= 1
                busy = 0.0 if self._in_progress else ended - self._busy_since
                self._time = LMSTime(self._time.busy + busy, self._time.calls + ended - started)

    def take_time(self) -> LMSTime:
        """Return the time since the last call, and reset it. Call it while no other call is in progress."""
        with self.lock:
            taken, self._time = self._time, LMSTime()
        return taken

    def items_of(self, request: LMSRequest) -> int:
        """Return the number of items that the call creates, updates or deletes."""
        raise NotImplementedError

    def _answer(self, request: LMSRequest) -> Response:
        if not self.seconds_per_item:
            return super()._answer(request)
        started = time.perf_counter()
        ends_at = started + self.items_of(request) * self.seconds_per_item
        answer = super()._answer(request)
        time.sleep(max(ends_at - time.perf_counter(), 0))
        return answer


@dataclass(kw_only=True, eq=False)
class _TimedMoodle(_TimedLMS, MoodleSandbox):
    def items_of(self, request: LMSRequest) -> int:
        courses = read_parameters(request, max_input_vars=self.max_input_vars).get("courses")
        return len(courses) if isinstance(courses, dict) else 0


@dataclass(kw_only=True, eq=False)
class _TimedCanvas(_TimedLMS, CanvasSandbox):
    def items_of(self, request: LMSRequest) -> int:
        return int(request.method != "GET" and "/courses" in request.path)


_KINDS: Final = {MOODLE: _TimedMoodle, CANVAS: _TimedCanvas}


def serve(channel_code: str, seconds_per_item: float) -> None:
    """Serve an LMS until standard input ends."""
    lms = _KINDS[channel_code](seconds_per_item=seconds_per_item)
    server = make_loopback_server(lms, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _write(
        {
            "base_url": f"http://{HOST}:{server.server_port}",
            "settings": lms.channel_settings(),
            "credentials": lms.channel_credentials(),
        }
    )
    for _ in sys.stdin:
        _write(asdict(lms.take_time()))
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
    channel_code: str
    base_url: str
    settings: dict[str, Any]  #: Of a channel configuration, like the credentials.
    credentials: dict[str, Any]

    def take_time(self) -> LMSTime:
        """Return the LMS's own time since the last call. Call it while no other call is in progress."""
        return LMSTime(**self.dialogue.ask())

    def take_seconds(self) -> float:
        """Return the time since the last call in which the LMS had at least one call in progress."""
        return self.take_time().busy

    def offered(self) -> Mapping[str, str]:
        """Return content key -> full name of each course that is visible to learners."""
        offered: dict[str, str] = get_json(f"{self.base_url}/_sandbox/offered")
        return offered

    def reset(self) -> None:
        """Delete all data in the LMS."""
        with urlopen(Request(f"{self.base_url}/_sandbox/reset", method="POST"), timeout=30):
            pass


@contextmanager
def served_lms(channel_code: str = MOODLE, *, seconds_per_item: float = 0.0) -> Iterator[LMS]:
    """Serve an empty LMS until the block ends.

    Args:
        seconds_per_item: shortest duration of a call, for each item that it creates, updates or deletes.
    """
    site = Site.make(Path(os.environ["LOCAL_STATE_DIR"]), DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"])
    code = f"from tests.benchmarks.lms import serve; serve({channel_code!r}, {seconds_per_item!r})"
    with replace(site, cold=True).dialogue(code) as dialogue:
        yield LMS(dialogue, channel_code, **dialogue.hear())
