"""The customers' LMSs: a sandbox Moodle each, all in one process, at several hosts.

The process runs :func:`serve`. For each line of JSON on standard input, it prints one line of JSON. A Moodle is made by
its first request. Moodles of settled customers then have the courses of their template.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.moodle.courses import SITE_COURSE_ID
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from tests.processes import Dialogue, Site

#: The servers wait for requests, and are never shut down while the process runs.
_POLL_SECONDS: Final = 60


@dataclass
class Moodles:
    """A WSGI application: the Moodle of a customer is at the path of the customer's code."""

    seconds_per_call: float  #: Each call takes this much longer, as if Moodle and the network were slower.
    calls: Counter[str] = field(default_factory=Counter)  #: Code -> number of calls.
    _by_code: dict[str, MoodleSandbox] = field(default_factory=dict)
    _templates: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        code, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        with self._lock:
            self.calls[code] += 1
            moodle = self._find(code)
        if self.seconds_per_call:
            time.sleep(self.seconds_per_call)
        return moodle({**environ, "SCRIPT_NAME": f"/{code}", "PATH_INFO": f"/{path}"}, start_response)

    def settle(self, template: str, last: str) -> None:
        """Give the Moodles after ``template``, up to ``last``, the courses that the template's Moodle has now."""
        self._templates.append({"template": template, "last": last})

    def offered(self, codes: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Return code -> ID number -> full name of the courses that learners see."""
        with self._lock:
            return {code: self._find(code).offered() for code in codes}

    def take_calls(self) -> dict[str, int]:
        """Return code -> number of calls since this function was last called."""
        with self._lock:
            calls, self.calls = dict(self.calls), Counter()
        return calls

    def _find(self, code: str) -> MoodleSandbox:
        if code not in self._by_code:
            self._by_code[code] = moodle = MoodleSandbox()
            for each in self._templates:
                if each["template"] < code <= each["last"]:
                    self._copy(each["template"], code, moodle)
        return self._by_code[code]

    def _copy(self, template: str, code: str, moodle: MoodleSandbox) -> None:
        for course in self._by_code[template].table.all():
            if course.id != SITE_COURSE_ID:
                texts = {name: getattr(course, name).replace(template, code) for name in _TEXTS}
                moodle.table.add(replace(course, **texts))


_TEXTS: Final = ("shortname", "fullname", "idnumber", "summary")


def serve() -> None:
    """Serve the Moodles until standard input ends. Its first line has the number of hosts, and seconds per call."""
    order = json.loads(sys.stdin.readline())
    moodles = Moodles(order["seconds_per_call"])
    servers = [make_loopback_server(moodles, port=0) for _ in range(order["hosts"])]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
    example = MoodleSandbox()
    _write(
        {
            "hosts": [f"http://{HOST}:{server.server_port}" for server in servers],
            "settings": example.channel_settings(),
            "credentials": example.channel_credentials(),
        }
    )
    for line in sys.stdin:
        order = json.loads(line)
        _write(getattr(moodles, order.pop("do"))(**order))


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class LMSs:
    """A client for the process of the LMSs."""

    dialogue: Dialogue
    hosts: list[str]
    settings: dict[str, Any]  #: Of a channel configuration, like the credentials.
    credentials: dict[str, Any]

    def base_url(self, number: int, code: str) -> str:
        """Return the base URL of the LMS of a customer. The customers are spread over the hosts."""
        return f"{self.hosts[number % len(self.hosts)]}/{code}"

    def settle(self, template: str, last: str) -> None:
        """See :meth:`Moodles.settle`."""
        self.dialogue.ask(do="settle", template=template, last=last)

    def offered(self, codes: Iterable[str]) -> dict[str, dict[str, str]]:
        """See :meth:`Moodles.offered`."""
        offered: dict[str, dict[str, str]] = self.dialogue.ask(do="offered", codes=list(codes))
        return offered

    def take_calls(self) -> dict[str, int]:
        """See :meth:`Moodles.take_calls`."""
        calls: dict[str, int] = self.dialogue.ask(do="take_calls")
        return calls


@contextmanager
def served_lmss(site: Site, *, hosts: int, seconds_per_call: float) -> Iterator[LMSs]:
    """Serve empty LMSs until the block ends."""
    with site.dialogue("from tests.benchmarks.fleet.lms import serve; serve()") as dialogue:
        yield LMSs(dialogue, **dialogue.ask(hosts=hosts, seconds_per_call=seconds_per_call))
