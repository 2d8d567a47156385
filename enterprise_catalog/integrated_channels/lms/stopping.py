"""Stop requests: end syncs cleanly after SIGTERM or SIGINT, in a Celery worker or in a command.

The request is stored in memory that a process shares with the processes that it forks. So the children of a Celery
worker see a request that only their parent receives. A run checks for a request before each call to the LMS. A call
that is already in progress has :data:`GRACE_SECONDS` to finish.
"""

from __future__ import annotations

import mmap
import signal
import struct
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.exceptions import StopRequestedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Maximum duration of a call in progress after a stop request, in seconds.
GRACE_SECONDS: Final = 30.0

_MESSAGE: Final = "The process was asked to stop, so the run ended early. The next run continues."
_TIME: Final = struct.Struct("d")
#: When the stop was requested, by the monotonic clock, which all processes share; 0 without a request. Plain memory,
#: unlike a ``multiprocessing.Event``, has no lock that a killed child could leave locked.
_requested_at: Final = mmap.mmap(-1, _TIME.size)


def request_stop() -> None:
    """Ask this process, and all processes that it has forked, to end their syncs. Safe in a signal handler."""
    if not stop_requested():
        _TIME.pack_into(_requested_at, 0, time.monotonic())


def withdraw_stop() -> None:
    """Clear a stop request, so that this process can sync again."""
    _TIME.pack_into(_requested_at, 0, 0.0)


def stop_requested() -> bool:
    """Return True after :func:`request_stop`."""
    return bool(_request_time())


def grace_seconds_left() -> float:
    """Return how many seconds a call in progress may still take; infinity without a stop request."""
    requested_at = _request_time()
    return requested_at + GRACE_SECONDS - time.monotonic() if requested_at else float("inf")


def check_stop() -> None:
    """Raise an error if a stop was requested.

    Raises:
        StopRequestedError: a stop was requested; nothing more may be sent.
    """
    if stop_requested():
        raise StopRequestedError(_MESSAGE)


@contextmanager
def stop_on(*signals: signal.Signals, on_request: Callable[[int], None] | None = None) -> Iterator[None]:
    """Turn the first of these signals into a stop request until the block ends.

    A second signal has the effect that it had before the block. Only the main thread receives signals; in other threads
    the block changes nothing.

    Args:
        on_request: called in the signal handler, after the request, with the signal's number.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def handle(number: int, _: object) -> None:
        restore()
        request_stop()
        if on_request is not None:
            on_request(number)

    for number in signals:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
        withdraw_stop()


def _request_time() -> float:
    (requested_at,) = _TIME.unpack_from(_requested_at)
    return float(requested_at)
