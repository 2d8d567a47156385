"""Work that cannot be interrupted, with a limit for how long its caller waits."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

#: Interval at which a waiting caller runs its check, in seconds.
_SLICE_SECONDS: Final = 0.5

T = TypeVar("T")


class BoundedThread:
    """Runs work that cannot be interrupted in a thread, so that the caller can stop waiting for it.

    The thread is a daemon: abandoned work ends with the process at the latest. The work must not use the database,
    because database connections belong to threads.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] | None = None

    def check(self) -> None:
        """Run while the caller waits, every half second. An exception ends the wait; the base class never raises."""

    def run(self, work: Callable[[], T], *, seconds: float) -> T:
        """Return the result of ``work``, or raise its error.

        Raises:
            TimeoutError: the work takes longer than ``seconds``. It continues, and its result is discarded.
        """
        if self._queue is None:
            self._queue = SimpleQueue()
            threading.Thread(target=_work_on, args=(self._queue,), name="bounded", daemon=True).start()
        future: Future[T] = Future()
        context = copy_context()
        self._queue.put(lambda: _settle(future, lambda: context.run(work)))
        try:
            return self._result_of(future, seconds)
        except BaseException:
            if not future.done():
                self.close()  # The next work must not wait for the abandoned work.
            raise

    def close(self) -> None:
        """Let the thread end after its current work."""
        if self._queue is not None:
            self._queue.put(None)
            self._queue = None

    def _result_of(self, future: Future[T], seconds: float) -> T:
        ends_at = time.monotonic() + seconds
        while True:
            left = ends_at - time.monotonic()
            try:
                return future.result(min(max(left, 0), _SLICE_SECONDS))
            except NotDoneError:
                if future.done() or left <= 0:
                    raise
                self.check()


def _work_on(queue: SimpleQueue[Callable[[], None] | None]) -> None:
    while (task := queue.get()) is not None:
        task()
        del task  # Abandoned work must not stay in memory until the next work arrives.


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
        future.set_exception(error)
