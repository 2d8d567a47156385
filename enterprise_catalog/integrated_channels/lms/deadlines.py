"""Deadlines: one for each whole call to an LMS, and one for work that cannot be interrupted.

httpx limits each read and each write, but not the whole call. A server can keep a call open forever: it sends or reads
one byte at a time, or sends endless 1xx responses or trailers. So the sockets enforce the deadline of the call that
uses them. The deadline covers name resolution, connection, TLS handshake, request, and response.

The same sockets end a call soon after a stop request (``stopping.py``).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import httpcore

from enterprise_catalog.integrated_channels.exceptions import (
    DeadlineExceededError,
    LMSTooSlowError,
    RejectedError,
    RetryableError,
    RunDeadlineError,
)
from enterprise_catalog.integrated_channels.lms.stopping import check_stop, grace_seconds_left
from enterprise_catalog.service_client.bounded_thread import BoundedThread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from httpcore._backends.base import SOCKET_OPTION

#: Maximum total duration of consecutive failed calls of a run, and therefore of each call, in seconds.
CALL_SECONDS: Final = 100.0
#: Maximum duration of a name resolution, in seconds. The C library sets no limit of its own.
RESOLVE_SECONDS: Final = 10.0
#: Interval at which waiting code checks for a stop request, in seconds.
_SLICE_SECONDS: Final = 0.5

T = TypeVar("T")

#: Deadline of this thread's call by the monotonic clock, and the error to raise after it.
_call: ContextVar[tuple[float, DeadlineExceededError] | None] = ContextVar("call", default=None)


class CallClock:
    """Measures the calls to one LMS and limits each call. Thread-safe."""

    def __init__(self, *, seconds: float = CALL_SECONDS, run_seconds_left: Callable[[], float] | None = None) -> None:
        """Create a clock.

        Args:
            seconds: maximum duration of a call. Consecutive retryable failures share this time, so an LMS that fails
                slowly costs a run no more than an LMS that never ends a call.
            run_seconds_left: returns the number of seconds that the run has left; ``None`` sets no limit.
        """
        self._seconds = seconds
        self._run_seconds_left = run_seconds_left or (lambda: float("inf"))
        self._lock = threading.Lock()
        self.has_response = False  #: A call has succeeded, or the LMS has rejected it.
        self._failing_seconds = 0.0  #: Total duration of calls since the last response.
        self._counted_until = 0.0  #: Parallel calls count once.

    @contextmanager
    def call(self) -> Iterator[None]:
        """Limit the duration of the call in the block. Its outcome decides how long the next call may take.

        Raises:
            DeadlineExceededError: the call was cut off; the LMS may have applied it.
            RunDeadlineError: the run has no time left for a call.
            StopRequestedError: the call was cut off because a stop was requested.
        """
        began = time.monotonic()
        token = _call.set(self._limit(began))
        try:
            yield
        except RetryableError:
            self._note_failure(began)
            raise
        except RejectedError:
            self._note_response()
            raise
        else:
            self._note_response()
        finally:
            _call.reset(token)

    def _limit(self, now: float) -> tuple[float, DeadlineExceededError]:
        of_run, of_call = self._run_seconds_left(), self._seconds - self._failing_seconds
        if of_run <= 0:
            raise RunDeadlineError
        message = f"The LMS did not complete any response within {self._seconds:g} seconds."
        if of_call <= 0:
            raise LMSTooSlowError(message)
        if of_run < of_call:
            return now + of_run, DeadlineExceededError(RunDeadlineError.MESSAGE, is_of_run=True)
        return now + of_call, DeadlineExceededError(message)

    def _note_response(self) -> None:
        self.has_response, self._failing_seconds = True, 0.0

    def _note_failure(self, began: float) -> None:
        with self._lock:
            now = time.monotonic()
            self._failing_seconds += now - max(began, self._counted_until)
            self._counted_until = now


def check_call() -> float:
    """Return how many seconds this thread's call may still take; infinity outside of a call.

    After a stop request, this is at most the rest of the grace period.

    Raises:
        DeadlineExceededError: the call has no time left.
        StopRequestedError: the grace period is over.
    """
    grace = grace_seconds_left()
    if grace <= 0:
        check_stop()
    call = _call.get()
    if call is None:
        return grace
    ends_at, error = call
    left = ends_at - time.monotonic()
    if left <= 0:
        raise error
    return min(left, grace)


class DeadlineBackend(httpcore.NetworkBackend):
    """httpcore's network backend, with sockets that enforce the deadline of the call that uses them."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of ``host`` that accepts the connection."""
        failure: Exception = httpcore.ConnectError(f"The host name {host} has no IP address.")
        for address in _addresses_of(host):
            limit = _shortest(timeout, check_call())
            try:
                stream = self._backend.connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                check_call()
                failure = error
            else:
                return _Stream(stream)
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the deadline of the call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return _in_slices(lambda limit: self._stream.read(max_bytes, limit), httpcore.ReadTimeout, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        connection: socket.socket = self._stream.get_extra_info("socket")
        left = memoryview(buffer)
        while left:
            left = left[_in_slices(partial(_send, connection, left), httpcore.WriteTimeout, timeout) :]

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _shortest(timeout, check_call())
        try:
            return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit))
        except httpcore.ConnectTimeout:
            check_call()
            raise

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _send(connection: socket.socket, part: memoryview, limit: float) -> int:
    """Send as much of ``part`` as the socket accepts at once; return the number of bytes."""
    try:
        connection.settimeout(limit)
        return connection.send(part)
    except TimeoutError as error:
        raise httpcore.WriteTimeout(str(error)) from error
    except OSError as error:
        raise httpcore.WriteError(str(error)) from error


def _in_slices(work: Callable[[float], T], timed_out: type[Exception], timeout: float | None) -> T:
    """Repeat ``work`` with short limits until it does not time out; return its result.

    Repeating is safe, also with TLS: the bytes of an incomplete record stay in the connection.
    """
    ends_at = float("inf") if timeout is None else time.monotonic() + timeout
    while True:
        limit = min(_SLICE_SECONDS, check_call(), max(ends_at - time.monotonic(), 0.001))
        try:
            return work(limit)
        except timed_out:
            check_call()
            if time.monotonic() >= ends_at:
                raise


def _shortest(timeout: float | None, left: float) -> float | None:
    limit = left if timeout is None else min(timeout, left)
    return None if limit == float("inf") else limit


def _addresses_of(host: str) -> list[str]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return resolve(host)
        except OSError as error:
            raise httpcore.ConnectError(f"The host name {host} could not be resolved: {error.strerror}") from error
    return [host]


def resolve(host: str) -> list[str]:
    """Return the IP addresses of a host name, preferred address first.

    Raises:
        OSError: the name does not resolve, or not within 10 seconds or the call's time.
        DeadlineExceededError: the call has no time left.
        StopRequestedError: a stop was requested.
    """
    # No port, so that tests can distinguish this look-up from the look-up of a connection to an address.
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    thread = WorkThread()
    try:
        found = thread.run(look_up, seconds=min(RESOLVE_SECONDS, check_call()))
    except TimeoutError as error:
        check_call()
        raise OSError(0, f"no response from DNS within {RESOLVE_SECONDS:g} seconds") from error
    finally:
        thread.close()
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


class WorkThread(BoundedThread):
    """A bounded thread whose caller also stops waiting soon after a stop request.

    ``run`` raises ``StopRequestedError`` once a stop was requested and the grace period is over.
    """

    def check(self) -> None:
        if grace_seconds_left() <= 0:
            check_stop()
