"""Base classes of all sandboxes: lock, call counts, faults, and the control pages under ``/_sandbox/``.

The sandbox of a vendor subclasses ``SandboxApplication``. It implements request routing (``route``), stored data
(``content``), and the credentials and settings for a channel. Nothing here is specific to a vendor. The sandbox of a
service that is not an LMS of a channel subclasses ``ServiceApplication``.

The control pages, for processes that cannot access the Python attributes:

================================  =============================================================================
``GET /_sandbox/content``         all stored content: the JSON list of ``content()``
``GET /_sandbox/offered``         content visible to learners: the JSON object of ``offered()``; only of channels
``GET /_sandbox/calls``           call counts: the JSON object of ``calls``
``GET /_sandbox/faults``          faults that are still armed, as a JSON list
``POST /_sandbox/faults``         replaces all faults with a JSON list of ``Fault`` objects
``POST /_sandbox/reset``          calls ``reset()`` and returns 204
================================  =============================================================================

A body that is not a list of faults returns 400 and ``{"error": …}``. Any other request under ``/_sandbox/`` returns
404. Faults never affect these pages, and calls to them are not counted.
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
    """A request without werkzeug's form limits. Each sandbox enforces its own limits."""

    max_form_memory_size = None
    max_form_parts = sys.maxsize


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation that a request asks for."""

    name: str  #: Used by faults and ``calls``: the vendor's name for the call, or method and path.
    carry_out: Callable[[], Response]  #: Executes the operation; called at most once, with the sandbox's lock held.
    #: ``carry_out`` is slow, and acquires the lock itself for as long as needed.
    takes_lock_itself: bool = False


@dataclass(kw_only=True, eq=False)
class ServiceApplication(ABC):
    """A WSGI application that simulates one service in memory. Can be served by several threads.

    Requests are executed one at a time, except for slow operations (``Operation.takes_lock_itself``). A fault's delay
    does not block other requests. Hold ``lock`` to change attributes while requests are in progress.
    """

    faults: FaultQueue = field(default_factory=FaultQueue)
    calls: Counter[str] = field(init=False, default_factory=Counter)  #: Requests by operation, also failed by a fault.
    lock: threading.RLock = field(init=False, repr=False, default_factory=threading.RLock)

    @abstractmethod
    def route(self, request: Request) -> Operation:
        """Return the operation of ``request`` without executing it. For an unknown path, it returns a 404 response."""

    @abstractmethod
    def content(self) -> Sequence[Mapping[str, object]]:
        """Return everything that is stored, as plain records in a fixed order."""

    def readable(self) -> Mapping[str, Callable[[], object]]:
        """Return the control pages to read: name -> function that returns its JSON value."""
        return {"content": self.content, "calls": self.calls.copy}

    def reset(self) -> None:
        """Clear content, call counts and faults. Knobs keep their values. Subclasses extend this method."""
        with self.lock:
            self.calls.clear()
            self.faults.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one WSGI request.

        Raises:
            ConnectionCutError: a fault breaks the connection.
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
        readable = self.readable()
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
        return json_response({"error": "This control page does not exist."}, status=404)

    def _set_faults(self, body: bytes) -> Response:
        try:
            faults = _FAULTS.validate_json(body)
        except ValidationError as exc:
            return json_response({"error": str(exc)}, status=400)
        self.faults.set(faults)
        return _json_bytes(_FAULTS.dump_json(faults))


@dataclass(kw_only=True, eq=False)
class SandboxApplication(ServiceApplication):
    """A WSGI application that simulates one vendor's LMS in memory."""

    #: ``True`` if this LMS polls our feed (``POST /_sandbox/poll``) and receives no calls.
    polls: ClassVar[bool] = False

    @abstractmethod
    def offered(self) -> Mapping[str, str]:
        """Return content key -> title of the content that learners see. Excludes hidden and retired content."""

    @abstractmethod
    def channel_credentials(self) -> Mapping[str, str]:
        """Return valid credentials for a channel configuration."""

    @abstractmethod
    def channel_settings(self) -> Mapping[str, object]:
        """Return the settings that a channel configuration needs."""

    def readable(self) -> Mapping[str, Callable[[], object]]:
        return {**super().readable(), "offered": self.offered}


def _as_bytes(path: str) -> str:
    """Return a path in WSGI's format: one Latin-1 character per byte. httpx's in-process transport passes text."""
    try:
        path.encode("latin-1").decode()
    except UnicodeError:
        return path.encode().decode("latin-1")
    return path


def json_response(body: object, *, status: int = 200) -> Response:
    """Return ``body`` as an ``application/json`` response. Keys keep their order."""
    return _json_bytes(json.dumps(body).encode(), status=status)


def _json_bytes(body: bytes, *, status: int = 200) -> Response:
    return Response(body, status=status, content_type="application/json")
