"""Workers that can be observed, interrupted and killed, all in one thread.

A worker reaches moments, such as a statement it is about to run or a call it is about to send. At a chosen moment the
worker dies, or other things happen while it waits. As after SIGKILL, a dead worker cleans nothing up: each of its
further statements and calls raises ``Died``, and its transaction is rolled back.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection

from tests.integrated_channels.resilience.model.in_process_http import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Died(BaseException):
    """The process was killed. A ``BaseException``, so no handler of the program catches it."""


class Moment(StrEnum):
    """A point in a worker's progress at which something can happen."""

    STATEMENT = "statement"  #: Before an SQL statement.
    CALL = "call"  #: Before a call to the LMS.
    CARRIED_OUT = "carried out"  #: The LMS has carried out a call; the worker has no response yet.
    ANSWER = "answer"  #: The catalog or the LMS has responded. No transaction is open.


class Worker:
    """One worker process, and at most one event that happens to it."""

    def __init__(
        self, moment: Moment | None = None, number: int = 0, happening: Callable[[], None] | None = None
    ) -> None:
        """Schedule ``happening`` for the ``number``-th ``moment``, from 0. Without ``happening``, the worker dies."""
        self._appointment = (moment, number)
        self._happening = happening
        self._reached: Counter[Moment] = Counter()
        self.is_dead = False
        self.was_interrupted = False

    def is_due(self, moment: Moment) -> bool:
        """Count the moment. Return True if the scheduled event is due."""
        number = self._reached[moment]
        self._reached[moment] += 1
        return (moment, number) == self._appointment

    def suffer(self) -> None:
        """Run the scheduled event."""
        self.was_interrupted = True
        if self._happening is None:
            self.is_dead = True
        else:
            self._happening()


class Workers:
    """Keeps track of the active worker. Services and operators are not watched."""

    def __init__(self) -> None:
        self._turns: list[Worker | None] = [None]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the statements of the active worker until the block ends."""
        with connection.execute_wrapper(self._run_statement):
            yield

    def run(self, worker: Worker, work: Callable[[], T]) -> T | None:
        """Run ``work`` as ``worker`` and return its result; ``None`` if the worker died."""
        try:
            with self._turn_of(worker):
                result = work()
        except Died:
            connection.close()  # Rolls back its transaction.
            return None
        assert not worker.is_dead, "a worker survived its simulated death"
        return result

    def pass_on(self, service: Service, exchange: Callable[[], T]) -> T:
        """Make a service call for the active worker, and return the response."""
        worker = self._turns[-1]
        if worker is None:
            return exchange()
        assert not connection.in_atomic_block, "a transaction is open across a call"
        if service is Service.LMS:
            self._reach(worker, Moment.CALL)
        try:
            with self._turn_of(None):
                return exchange()
        finally:
            if service is Service.LMS:
                self._reach(worker, Moment.CARRIED_OUT)
            self._reach(worker, Moment.ANSWER)

    def _run_statement(self, execute: Callable[..., Any], *statement: Any) -> Any:
        worker = self._turns[-1]
        if worker is not None:
            self._reach(worker, Moment.STATEMENT)
        return execute(*statement)

    def _reach(self, worker: Worker, moment: Moment) -> None:
        if not worker.is_dead and worker.is_due(moment):
            with self._turn_of(None):
                worker.suffer()
        if worker.is_dead:
            raise Died

    @contextmanager
    def _turn_of(self, worker: Worker | None) -> Iterator[None]:
        self._turns.append(worker)
        try:
            yield
        finally:
            self._turns.pop()
