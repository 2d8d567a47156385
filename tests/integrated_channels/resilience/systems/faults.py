"""Named faults of an LMS, and counts of how often each fault struck."""

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

    from tests.integrated_channels.resilience.systems.base import VendorLMS

#: Read timeout and call deadline of the client in these tests, in seconds. A hanging response exceeds the first, and a
#: dripping response the second.
READ_SECONDS: Final = 0.25
CALL_SECONDS: Final = 0.6
_HANG_SECONDS: Final = 0.5
_DRIP_SECONDS: Final = 0.1

#: Message -> Retry-After in seconds. The text identifies the attempts that received the header.
RETRY_AFTER_SECONDS: Final = {"Come back in two hours.": 7_200, "Come back in half an hour.": 1_800}
_TWO_HOURS, _HALF_AN_HOUR = RETRY_AFTER_SECONDS

_PAGE: Final = "<html>It works!</html>"

#: Faults that any LMS may have, by name.
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
    """Faults of an LMS, counted by name and operation when they strike."""

    def __init__(self, system: VendorLMS, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.struck: Counter[tuple[str, str]] = Counter()
        self._system = system
        self._names: dict[Fault, str] = {}

    def by_name(self) -> dict[str, int]:
        """Return fault name -> number of strikes, over all operations."""
        struck = Counter[str]()
        for (name, _), times in self.struck.items():
            struck[name] += times
        return {name: struck[name] for name in self._system.faults}

    def missing(self, operation: str) -> list[str]:
        """Return the names of the faults that can strike ``operation`` but have not struck it yet."""
        possible = [name for name, fault in self._system.faults.items() if fnmatchcase(operation, fault.operation)]
        return [name for name in possible if not self.struck[name, operation]]

    def arm_all(self, *, of_changes: float, of_look_ups: float, cut_short: str | None = None) -> None:
        """Arm every fault for each operation that it can strike, with these probabilities.

        Args:
            cut_short: an operation that first meets both faults of ``cutting_short``, one after the other.
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
        """Arm one fault for the next call of each operation. Disarms all other faults.

        Args:
            named: operation -> fault name.
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
    """Counts the requests that an LMS is still processing."""

    sandbox: WSGIApplication
    _under_way: int = field(init=False, default=0)
    _ended: threading.Condition = field(init=False, repr=False, default_factory=threading.Condition)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request."""
        with self._ended:
            self._under_way += 1
        try:
            return self.sandbox(environ, start_response)
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def come_to_rest(self) -> None:
        """Wait until requests that clients have abandoned are finished, too.

        In production, such requests end in the minutes between two runs. The test clock skips these minutes.
        """
        with self._ended:
            assert self._ended.wait_for(lambda: not self._under_way, timeout=30)
