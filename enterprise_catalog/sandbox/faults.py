"""Fault injection for every sandbox: fake responses, broken connections, delays, and lists of the wrong length.

A ``Fault`` defines which operations it affects and how often. A ``FaultQueue`` selects the fault for a request, and
``answer_with`` applies it. ``application.py`` names the operations, and has the control page that sets faults.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated, Final

import httpx
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass
from werkzeug import Response

#: Maximum number of parts of a response with ``DRIP``.
DRIPS: Final = 8


class ConnectionCutError(httpx.RemoteProtocolError, ConnectionAbortedError):
    """The sandbox breaks the connection. Raised out of the WSGI application.

    It has two base classes, so that clients see the same error over a socket and in-process. The server treats
    it as a connection error and closes the socket without a response. An in-process client receives the error that
    httpx would raise for such a socket.
    """


class FaultKind(StrEnum):
    """Kinds of faults. Only ``ANSWER`` and ``REFUSE`` prevent the execution of the request."""

    ANSWER = "answer"  #: Returns the fake response; the request is not executed.
    REFUSE = "refuse"  #: Breaks the connection; the request is not executed.
    REPLACE = "replace"  #: Executes the request, and returns the fake response.
    DROP = "drop"  #: Executes the request, and breaks the connection before the first byte of the response.
    TRUNCATE = "truncate"  #: Executes the request, and breaks the connection after half of the body.
    DELAY = "delay"  #: Waits for ``delay_seconds``, then executes the request normally.
    DRIP = "drip"  #: Executes the request, and sends the response in parts, with ``delay_seconds`` before each part.
    SHORTEN = "shorten"  #: Executes the request, and removes the last element if the response is a JSON list.
    LENGTHEN = "lengthen"  #: Executes the request, and repeats the last element if the response is a JSON list.


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Fault:
    """A fault and the requests that it affects. Invalid values raise pydantic's ``ValidationError`` (a ValueError).

    ``status``, ``body``, ``content_type`` and ``retry_after`` define the fake response of ``ANSWER`` and ``REPLACE``.
    The defaults are those of a proxy with an unavailable backend: a 503 with an HTML body.
    """

    kind: FaultKind
    operation: str = "*"  #: Shell-style pattern for the operation's name; case-sensitive.
    skip: Annotated[int, Field(ge=0)] = 0  #: Number of matching requests that pass first.
    times: Annotated[int, Field(ge=1)] | None = 1  #: Number of requests to affect; ``None`` for no limit.
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0  #: Probability that a matching request is affected.
    #: Wait before anything else, for every kind. ``DRIP`` also waits before each further part of the response.
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    status: Annotated[int, Field(ge=100, le=599)] = 503
    body: str = "<html><body><h1>503 Service Unavailable</h1></body></html>"
    content_type: str = "text/html; charset=utf-8"
    retry_after: str | None = None  #: ``Retry-After`` header (seconds, or an HTTP date); ``None`` to send no header.


class FaultQueue:
    """The armed faults, in order. Thread-safe.

    Args:
        seed: seed of the random numbers for ``probability``. The same seed and requests give the same faults.
        sleep: called to wait for ``delay_seconds``.
    """

    def __init__(self, *, seed: int = 0, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep
        self._dice = Random(seed)  # noqa: S311  (dice, not a secret)
        self._lock = threading.Lock()
        self._armed: list[_ArmedFault] = []

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace all faults with ``faults``."""
        with self._lock:
            self._armed = [_ArmedFault(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Append ``fault`` to the queue."""
        with self._lock:
            self._armed.append(_ArmedFault(fault))

    def clear(self) -> None:
        """Remove all faults."""
        self.set([])

    def armed(self) -> list[Fault]:
        """Return the faults that can still apply, in order, unchanged since they were armed."""
        with self._lock:
            return [armed.fault for armed in self._armed if armed.is_live]

    def take(self, operation: str) -> Fault | None:
        """Return the fault for a request for ``operation``, and count its use; ``None`` if no fault applies.

        Only one fault applies: the first that matches. If a fault skips this request, because of ``skip`` or
        ``probability``, the next fault is tried.
        """
        with self._lock:
            return next((armed.fault for armed in self._armed if armed.strikes(operation, self._dice)), None)


class _ArmedFault:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._to_skip = fault.skip
        self._left = fault.times

    @property
    def is_live(self) -> bool:
        return self._left != 0

    def strikes(self, operation: str, dice: Random) -> bool:
        if not self.is_live or not fnmatchcase(operation, self.fault.operation):
            return False
        if self._to_skip:
            self._to_skip -= 1
            return False
        if dice.random() >= self.fault.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True


def answer_with(fault: Fault, carry_out: Callable[[], Response], *, sleep: Callable[[float], None]) -> Response:
    """Return the response to a request that ``fault`` affects. Calls ``carry_out`` at most once.

    Raises:
        ConnectionCutError: the fault breaks the connection. ``TRUNCATE`` raises it later, from the response's body.
    """
    sleep(fault.delay_seconds)
    match fault.kind:
        case FaultKind.ANSWER:
            return _made_up_answer(fault)
        case FaultKind.REFUSE:
            raise ConnectionCutError("The sandbox refused the request.")
        case FaultKind.REPLACE:
            carry_out()
            return _made_up_answer(fault)
        case FaultKind.DROP:
            carry_out()
            raise ConnectionCutError("The sandbox dropped the response.")
        case FaultKind.TRUNCATE:
            return _truncated(carry_out())
        case FaultKind.DELAY:
            return carry_out()
        case FaultKind.DRIP:
            return _dripping(carry_out(), pause=lambda: sleep(fault.delay_seconds))
        case FaultKind.SHORTEN | FaultKind.LENGTHEN:
            return _miscounted(carry_out(), is_longer=fault.kind is FaultKind.LENGTHEN)


def _made_up_answer(fault: Fault) -> Response:
    answer = Response(fault.body, status=fault.status, content_type=fault.content_type)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = fault.retry_after
    return answer


def _truncated(answer: Response) -> Response:
    # Content-Length stays at the full size. Otherwise, a truncated body would look complete over a socket.
    body = answer.get_data()
    cut = Response(_half(body), status=answer.status, headers=answer.headers)
    cut.content_length = len(body)
    return cut


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionCutError("The sandbox cut the response in half.")


def _dripping(answer: Response, *, pause: Callable[[], None]) -> Response:
    body = answer.get_data()
    dripping = Response(_drips(body, pause), status=answer.status, headers=answer.headers)
    dripping.content_length = len(body)
    return dripping


def _drips(body: bytes, pause: Callable[[], None]) -> Iterator[bytes]:
    size = -(-len(body) // DRIPS) or 1
    for start in range(0, len(body), size):
        if start:  # The first part is sent with the headers, after the initial delay.
            pause()
        yield body[start : start + size]


def _miscounted(answer: Response, *, is_longer: bool) -> Response:
    try:
        value = json.loads(answer.get_data())
    except ValueError:
        return answer
    if isinstance(value, list):
        answer.set_data(json.dumps(value + value[-1:] if is_longer else value[:-1]))
    return answer
