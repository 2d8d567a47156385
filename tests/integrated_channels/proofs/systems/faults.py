"""Faults that are known by name and counted: what goes wrong with a learning system, and how often it did."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.faults import Fault, FaultKind, FaultQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from tests.integrated_channels.proofs.systems.base import LearningSystem

#: How long the client waits for a byte, and for a whole call, in the proofs. What hangs takes longer than the first,
#: and what drips takes longer than the second.
READ_SECONDS: Final = 0.25
CALL_SECONDS: Final = 0.6
_HANG_SECONDS: Final = 0.5
_DRIP_SECONDS: Final = 0.1

#: What answers ask to wait that ask for it; their text says it, so that attempts can be told apart by their messages.
RETRY_AFTER_SECONDS: Final = {"Come back in two hours.": 7_200, "Come back in half an hour.": 1_800}
_TWO_HOURS, _HALF_AN_HOUR = RETRY_AFTER_SECONDS

_PAGE: Final = "<html>It works!</html>"

#: What goes wrong with any vendor, by name.
OF_ANY_VENDOR: Final[Mapping[str, Fault]] = {
    "500": Fault(kind=FaultKind.ANSWER, status=500),
    "500 after the work": Fault(kind=FaultKind.REPLACE, status=500),
    "503 with Retry-After": Fault(
        kind=FaultKind.ANSWER, status=503, body=_TWO_HOURS, retry_after=str(RETRY_AFTER_SECONDS[_TWO_HOURS])
    ),
    "429": Fault(kind=FaultKind.ANSWER, status=429, body="Slow down."),
    "429 with Retry-After": Fault(
        kind=FaultKind.ANSWER, status=429, body=_HALF_AN_HOUR, retry_after=str(RETRY_AFTER_SECONDS[_HALF_AN_HOUR])
    ),
    "reset before the work": Fault(kind=FaultKind.REFUSE),
    "reset after the work": Fault(kind=FaultKind.DROP),
    "hang": Fault(kind=FaultKind.DELAY, delay_seconds=_HANG_SECONDS),
    "drip": Fault(kind=FaultKind.DRIP, delay_seconds=_DRIP_SECONDS),
    "truncated body": Fault(kind=FaultKind.TRUNCATE),
    "no JSON": Fault(kind=FaultKind.ANSWER, status=200, body=_PAGE),
    "no JSON after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_PAGE),
}


class CountedFaults(FaultQueue):
    """Faults of a learning system that count, by name and operation, how often they struck."""

    def __init__(self, system: LearningSystem, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.struck: Counter[tuple[str, str]] = Counter()
        self._system = system
        self._names: dict[Fault, str] = {}

    def by_name(self) -> dict[str, int]:
        """Return how often each fault struck, whatever the operation."""
        struck = Counter[str]()
        for (name, _), times in self.struck.items():
            struck[name] += times
        return {name: struck[name] for name in self._system.faults}

    def missing(self, operation: str) -> list[str]:
        """Return the faults that may strike ``operation`` and have not done so yet."""
        possible = [name for name, fault in self._system.faults.items() if fnmatchcase(operation, fault.operation)]
        return [name for name in possible if not self.struck[name, operation]]

    def arm_all(self, *, of_changes: float, of_look_ups: float, cut_short: str | None = None) -> None:
        """Let every fault strike with these probabilities; an operation may meet any that may strike it.

        Args:
            cut_short: an operation that first meets, one after the other, those two of the system's faults that leave
                most in doubt.
        """
        faults = self._system.faults
        sure = (
            [(name, replace(faults[name], operation=cut_short)) for name in self._system.cutting_short]
            if cut_short
            else []
        )
        probabilities = {
            **dict.fromkeys(self._system.changes, of_changes),
            **dict.fromkeys(self._system.look_ups, of_look_ups),
        }
        by_chance = [
            (name, replace(fault, operation=operation, times=None, probability=probability))
            for name, fault in faults.items()
            for operation, probability in probabilities.items()
            if fnmatchcase(operation, fault.operation)
        ]
        self._arm([*sure, *by_chance])

    def arm_once(self, named: Mapping[str, str]) -> None:
        """Let one fault each strike the next call of an operation, and no other.

        Args:
            named: operation -> the name of its fault.
        """
        faults = self._system.faults
        self._arm((name, replace(faults[name], operation=operation)) for operation, name in named.items())

    def take(self, operation: str) -> Fault | None:
        fault = super().take(operation)
        if fault is not None:
            self.struck[self._names[fault], operation] += 1
        return fault

    def _arm(self, named: Iterable[tuple[str, Fault]]) -> None:
        self._names = {fault: name for name, fault in named}
        self.set(self._names)


@dataclass(eq=False)
class Watched:
    """A learning system of which one can tell when it has finished what it was asked to do."""

    sandbox: WSGIApplication
    _under_way: int = field(init=False, default=0)
    _ended: threading.Condition = field(init=False, repr=False, default_factory=threading.Condition)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with self._ended:
            self._under_way += 1
        try:
            return self.sandbox(environ, start_response)
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def come_to_rest(self) -> None:
        """Wait until what clients have ceased to wait for is done, too.

        Between two runs lie minutes, in which everything that hung has ended; the clock of a test skips them.
        """
        with self._ended:
            assert self._ended.wait_for(lambda: not self._under_way, timeout=30)
