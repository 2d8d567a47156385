"""What all sandboxes share: one lock, the count of calls, faults, and the control pages under ``/_sandbox/``.

A sandbox of a vendor subclasses ``SandboxApplication`` and says what a request asks for (``route``), what it holds
(``content``) and what a channel needs to reach it. Nothing here knows a vendor.

The control pages, for a process that cannot reach the attributes:

================================  =============================================================================
``GET /_sandbox/content``         what the system holds: the JSON list of ``content()``
``GET /_sandbox/offered``         what learners see: the JSON object of ``offered()``
``GET /_sandbox/calls``           the JSON object of ``calls``
``GET /_sandbox/faults``          the JSON list of faults that may still strike
``POST /_sandbox/faults``         a JSON list of ``Fault`` objects replaces all earlier ones
``POST /_sandbox/reset``          as ``reset()``; 204
================================  =============================================================================

A body that is no list of faults gets 400 and ``{"error": …}``; anything else under ``/_sandbox/`` gets 404. Faults
never strike these pages and calls to them are not counted.
"""

from __future__ import annotations

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import TypeAdapter, ValidationError
from werkzeug import Request, Response

from enterprise_catalog.sandbox.faults import Fault, FaultQueue, answer_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

CONTROL_PREFIX = "/_sandbox/"

_FAULTS = TypeAdapter(list[Fault])


class SandboxRequest(Request):
    """A request without werkzeug's own limits on forms: how much is too much is for each sandbox to say."""

    max_form_memory_size = None
    max_form_parts = sys.maxsize


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for."""

    name: str  #: What faults match and ``calls`` counts: the vendor's name for the call, or method and path.
    carry_out: Callable[[], Response]  #: Does it; called at most once, with the sandbox's lock held.
    #: ``carry_out`` takes time, and takes the lock itself for as long as it needs it.
    takes_lock_itself: bool = False


@dataclass(kw_only=True, eq=False)
class SandboxApplication(ABC):
    """A WSGI application that plays one vendor's system, from memory, and may be served by many threads.

    Requests are carried out one at a time, except for operations that take time. A fault's delay holds up no other
    request. Whoever changes attributes while
    requests are under way holds ``lock``.
    """

    faults: FaultQueue = field(default_factory=FaultQueue)
    calls: Counter[str] = field(init=False, default_factory=Counter)  #: Requests by operation, struck ones included.
    lock: threading.RLock = field(init=False, repr=False, default_factory=threading.RLock)

    @abstractmethod
    def route(self, request: Request) -> Operation:
        """Return what ``request`` asks for, without doing it. An unknown path is an operation too: the 404 answer."""

    @abstractmethod
    def content(self) -> Sequence[Mapping[str, object]]:
        """Return everything a channel may have put here, as plain records in a fixed order."""

    @abstractmethod
    def offered(self) -> Mapping[str, str]:
        """Return what learners see: content key -> title, hidden and retired content left out."""

    @abstractmethod
    def channel_credentials(self) -> Mapping[str, str]:
        """Return the credentials a channel configuration needs to be let in."""

    #: Whether it comes to us for what has changed, instead of being called (``POST /_sandbox/poll``).
    polls: ClassVar[bool] = False

    @abstractmethod
    def channel_settings(self) -> Mapping[str, object]:
        """Return the other settings such a configuration needs."""

    def reset(self) -> None:
        """Forget content, calls and faults; knobs keep their values. Subclasses extend it."""
        with self.lock:
            self.calls.clear()
            self.faults.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one WSGI request.

        Raises:
            ConnectionCutError: when a fault breaks the connection.
        """
        request = SandboxRequest({**environ, "PATH_INFO": _as_bytes(environ["PATH_INFO"])})
        answer = self._control if request.path.startswith(CONTROL_PREFIX) else self._answer
        return answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        operation = self.route(request)
        with self.lock:
            self.calls[operation.name] += 1
        fault = self.faults.take(operation.name)

        def carry_out() -> Response:
            if operation.takes_lock_itself:
                return operation.carry_out()
            with self.lock:
                return operation.carry_out()

        return answer_with(fault, carry_out, sleep=self.faults.sleep) if fault else carry_out()

    def _control(self, request: Request) -> Response:
        readable = {"content": self.content, "offered": self.offered, "calls": self.calls.copy}
        match request.method, request.path.removeprefix(CONTROL_PREFIX):
            case "GET", name if name in readable:
                with self.lock:
                    return json_response(readable[name]())
            case "GET", "faults":
                return _json_bytes(_FAULTS.dump_json(self.faults.armed()))
            case "POST", "faults":
                return self._set_faults(request.get_data())
            case "POST", "reset":
                self.reset()
                return Response(status=204)
        return json_response({"error": "There is no such control page."}, status=404)

    def _set_faults(self, body: bytes) -> Response:
        try:
            faults = _FAULTS.validate_json(body)
        except ValidationError as exc:
            return json_response({"error": str(exc)}, status=400)
        self.faults.set(faults)
        return _json_bytes(_FAULTS.dump_json(faults))


def _as_bytes(path: str) -> str:
    """Return a path as WSGI has it: bytes, each spelt as a character. httpx's in-process transport gives it as text."""
    try:
        path.encode("latin-1").decode()
    except UnicodeError:
        return path.encode().decode("latin-1")
    return path


def json_response(body: object, *, status: int = 200) -> Response:
    """Return ``body`` as an answer of type ``application/json``, keys in the order given."""
    return _json_bytes(json.dumps(body).encode(), status=status)


def _json_bytes(body: bytes, *, status: int = 200) -> Response:
    return Response(body, status=status, content_type="application/json")
