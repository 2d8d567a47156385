"""Failures on demand, for every sandbox: made-up answers, broken connections, delays, and lists of the wrong length.

A fault says which operations it strikes and how often; a ``FaultQueue`` hands the faults out; ``answer_with``
carries one out. What an operation is called, and the control page that sets faults over HTTP, is in ``application.py``.
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

#: How many parts, at most, an answer has that drips.
DRIPS: Final = 8


class ConnectionCutError(httpx.RemoteProtocolError, ConnectionAbortedError):
    """The sandbox breaks the connection off; raised out of the WSGI application.

    It is two things at once so that the client sees the same on either road: to werkzeug's server it is a connection
    error, upon which it closes the socket without a word, and a client mounted in-process gets at once the error that
    httpx would have raised over that socket.
    """


class FaultKind(StrEnum):
    """What goes wrong. Only ``ANSWER`` and ``REFUSE`` leave the request undone."""

    ANSWER = "answer"  #: The made-up answer instead of carrying the request out.
    REFUSE = "refuse"  #: The connection breaks; the request is not carried out.
    REPLACE = "replace"  #: The request is carried out; the made-up answer takes the place of the true one.
    DROP = "drop"  #: The request is carried out; the connection breaks before the first byte of the answer.
    TRUNCATE = "truncate"  #: The request is carried out; the connection breaks half-way through the body.
    DELAY = "delay"  #: Nothing but ``delay_seconds``; the request is carried out after it.
    DRIP = "drip"  #: The request is carried out; the answer comes whole, in parts, with ``delay_seconds`` before each.
    SHORTEN = "shorten"  #: The request is carried out; of a JSON list that answers it the last element is left out.
    LENGTHEN = "lengthen"  #: The request is carried out; of a JSON list that answers it the last element comes twice.


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Fault:
    """One failure, and which requests it strikes. Wrong values raise pydantic's ``ValidationError`` (a ValueError).

    ``status``, ``body``, ``content_type`` and ``retry_after`` are the made-up answer of ``ANSWER`` and ``REPLACE``; the
    defaults are what a proxy says when nobody is behind it, which is also the usual non-JSON body.
    """

    kind: FaultKind
    operation: str = "*"  #: A pattern as in a shell, matched against the name of the operation, case included.
    skip: Annotated[int, Field(ge=0)] = 0  #: So many matching requests get through first.
    times: Annotated[int, Field(ge=1)] | None = 1  #: So many requests are struck; None strikes for ever.
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0  #: The chance of striking a request that matches.
    #: Waited before anything else, whatever the kind; of ``DRIP`` also before each further part of the answer.
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    status: Annotated[int, Field(ge=100, le=599)] = 503
    body: str = "<html><body><h1>503 Service Unavailable</h1></body></html>"
    content_type: str = "text/html; charset=utf-8"
    retry_after: str | None = None  #: The Retry-After header as sent (seconds, or an HTTP date); None sends none.


class FaultQueue:
    """The faults that are armed, in order. Safe to use from several threads.

    Args:
        seed: of the dice for ``probability``; the same requests meet the same faults again.
        sleep: waits for ``delay_seconds``.
    """

    def __init__(self, *, seed: int = 0, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep
        self._dice = Random(seed)  # noqa: S311  (dice, not a secret)
        self._lock = threading.Lock()
        self._armed: list[_ArmedFault] = []

    def set(self, faults: Iterable[Fault]) -> None:
        """Arm ``faults`` in place of all earlier ones."""
        with self._lock:
            self._armed = [_ArmedFault(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Arm ``fault`` behind the others."""
        with self._lock:
            self._armed.append(_ArmedFault(fault))

    def clear(self) -> None:
        """Disarm everything."""
        self.set([])

    def armed(self) -> list[Fault]:
        """Return the faults that may still strike, in order, each as it was armed."""
        with self._lock:
            return [armed.fault for armed in self._armed if armed.is_live]

    def take(self, operation: str) -> Fault | None:
        """Return the fault that strikes a request for ``operation``, or None; it counts as used.

        The first live fault that matches decides, and only one strikes. A fault that skips this request, or whose dice
        spare it, leaves it to the next one.
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
    """Return the answer to a request that ``fault`` strikes; ``carry_out`` is called at most once.

    Raises:
        ConnectionCutError: instead of an answer, or out of the answer's body after its first half.
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
            raise ConnectionCutError("The sandbox dropped the answer.")
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
    # Content-Length keeps telling the whole size; without that a cut body would look complete over a socket.
    body = answer.get_data()
    cut = Response(_half(body), status=answer.status, headers=answer.headers)
    cut.content_length = len(body)
    return cut


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionCutError("The sandbox cut the answer in half.")


def _dripping(answer: Response, *, pause: Callable[[], None]) -> Response:
    body = answer.get_data()
    dripping = Response(_drips(body, pause), status=answer.status, headers=answer.headers)
    dripping.content_length = len(body)
    return dripping


def _drips(body: bytes, pause: Callable[[], None]) -> Iterator[bytes]:
    size = -(-len(body) // DRIPS) or 1
    for start in range(0, len(body), size):
        if start:  # The head and the first part come together; their pause is over.
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
