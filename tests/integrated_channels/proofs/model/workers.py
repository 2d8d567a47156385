"""Workers that can be watched, interrupted and killed, all of them in this one thread.

A worker reaches moments: a statement it is about to run, a call it is about to send. At any of them something may
happen: the worker dies, or the world goes on while it waits. What dies here leaves nothing behind, as after SIGKILL:
from then on each of its statements and calls raises ``Died``, those of its clean-up included, and its transaction is
undone.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection

from tests.integrated_channels.proofs.model.wires import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Died(BaseException):
    """The process was killed; no handler of the program is meant to stop this."""


class Moment(StrEnum):
    """What a worker is about to do, or has just done."""

    STATEMENT = "statement"  #: It is about to run one.
    CALL = "call"  #: It is about to send one to the learning system.
    CARRIED_OUT = "carried out"  #: The learning system did what a call asked for; the worker has not heard of it.
    ANSWER = "answer"  #: The catalog or the learning system has answered. No transaction is open now.


class Worker:
    """One process that does some work, and what happens to it: at most one thing."""

    def __init__(
        self, moment: Moment | None = None, number: int = 0, happening: Callable[[], None] | None = None
    ) -> None:
        """Let ``happening`` take place when the ``number``-th ``moment`` (from 0) is reached; none means death."""
        self._appointment = (moment, number)
        self._happening = happening
        self._reached: Counter[Moment] = Counter()
        self.is_dead = False
        self.was_interrupted = False

    def is_due(self, moment: Moment) -> bool:
        """Return whether what is to happen happens now; count the moment."""
        number = self._reached[moment]
        self._reached[moment] += 1
        return (moment, number) == self._appointment

    def suffer(self) -> None:
        """Let it happen."""
        self.was_interrupted = True
        if self._happening is None:
            self.is_dead = True
        else:
            self._happening()


class Workers:
    """Whose turn it is: a worker's, or that of a service or a person, who are not watched."""

    def __init__(self) -> None:
        self._turns: list[Worker | None] = [None]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the statements of whoever works until the block ends."""
        with connection.execute_wrapper(self._run_statement):
            yield

    def run(self, worker: Worker, work: Callable[[], T]) -> T | None:
        """Let ``worker`` do ``work`` and return what came of it; ``None`` if it died."""
        try:
            with self._turn_of(worker):
                result = work()
        except Died:
            connection.close()  # Its transaction goes with it.
            return None
        assert not worker.is_dead, "somebody stopped a worker's death"
        return result

    def pass_on(self, service: Service, exchange: Callable[[], T]) -> T:
        """Let the worker whose turn it is call a service, and hear the answer."""
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
