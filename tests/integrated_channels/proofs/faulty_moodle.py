"""A Moodle that goes wrong in every way, now and then, and counts how often in which."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.faults import Fault, FaultKind, FaultQueue
from enterprise_catalog.sandbox.moodle import MoodleSandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

#: How long the client waits for a byte, and for a whole answer, in the proofs; what hangs and drips takes longer.
READ_SECONDS: Final = 0.25
ANSWER_SECONDS: Final = 0.2
_HANG_SECONDS: Final = 0.5
_DRIP_SECONDS: Final = 0.1

#: What answers ask to wait that ask for it; their text says it, so that attempts can be told apart by their messages.
RETRY_AFTER_SECONDS: Final = {"Come back in two hours.": 7_200, "Come back in half an hour.": 1_800}
_TWO_HOURS, _HALF_AN_HOUR = RETRY_AFTER_SECONDS

CREATE: Final = "core_course_create_courses"
UPDATE: Final = "core_course_update_courses"
_LOOK_UPS: Final = "core_course_get_*"


def _error(code: str) -> str:
    """Return an error as Moodle answers it with status 200."""
    return json.dumps({"exception": "moodle_exception", "errorcode": code, "message": "It did not work."})


_WARNING: Final = {"item": "course", "itemid": 987_654_321, "warningcode": "invalidrecord", "message": "Not there."}
_PAGE: Final = "<html>It works!</html>"

#: Everything that goes wrong, by name.
FAULTS: Final[Mapping[str, Fault]] = {
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
    "refusal inside": Fault(kind=FaultKind.ANSWER, status=200, body=_error("dmlwriteexception")),
    "refusal inside after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_error("invalidresponse")),
    "passing error inside": Fault(kind=FaultKind.ANSWER, status=200, body=_error("dmltransactionexception")),
    "passing error inside after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_error("dmlreadexception")),
    "one item too few": Fault(kind=FaultKind.SHORTEN, operation=CREATE),
    "one item too many": Fault(kind=FaultKind.LENGTHEN, operation=CREATE),
    "warning for a stranger": Fault(
        kind=FaultKind.ANSWER, operation=UPDATE, status=200, body=json.dumps({"warnings": [_WARNING]})
    ),
}
#: One after the other; see :meth:`CountedFaults.arm_all`.
_CUTTING_SHORT: Final = ("refusal inside after the work", "429")


class CountedFaults(FaultQueue):
    """Faults of :data:`FAULTS` that count, by name and operation, how often they struck."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.struck: Counter[tuple[str, str]] = Counter()
        self._names: dict[Fault, str] = {}

    def by_name(self) -> dict[str, int]:
        """Return how often each fault struck, whatever the operation."""
        return {name: sum(times for (each, _), times in self.struck.items() if each == name) for name in FAULTS}

    def missing(self, operation: str) -> list[str]:
        """Return the faults that may strike ``operation`` and have not done so yet."""
        possible = [name for name, fault in FAULTS.items() if fnmatchcase(operation, fault.operation)]
        return [name for name in possible if not self.struck[name, operation]]

    def arm_all(self, *, of_changes: float, of_look_ups: float, cut_short: str | None = None) -> None:
        """Let every fault strike with these probabilities; an operation may meet any that may strike it.

        Args:
            cut_short: an operation that is first carried out and refused all the same, and then met by a 429: of what
                was refused together, one half is not sent again.
        """
        sure = [(name, replace(FAULTS[name], operation=cut_short)) for name in _CUTTING_SHORT] if cut_short else []
        probabilities = {CREATE: of_changes, UPDATE: of_changes, _LOOK_UPS: of_look_ups}
        by_chance = [
            (name, replace(fault, operation=operation, times=None, probability=probability))
            for name, fault in FAULTS.items()
            for operation, probability in probabilities.items()
            if fnmatchcase(operation, fault.operation)
        ]
        self._arm([*sure, *by_chance])

    def arm_once(self, named: Mapping[str, str]) -> None:
        """Let one fault each strike the next call of an operation, and no other.

        Args:
            named: operation -> the name of its fault.
        """
        self._arm((name, replace(FAULTS[name], operation=operation)) for operation, name in named.items())

    def take(self, operation: str) -> Fault | None:
        fault = super().take(operation)
        if fault is not None:
            self.struck[self._names[fault], operation] += 1
        return fault

    def _arm(self, named: Iterable[tuple[str, Fault]]) -> None:
        self._names = {fault: name for name, fault in named}
        self.set(self._names)


@dataclass(kw_only=True, eq=False)
class FaultyMoodle(MoodleSandbox):
    """A Moodle with counted faults, of which one can tell when it has finished what it was asked to do."""

    faults: CountedFaults = field(default_factory=CountedFaults)
    _under_way: int = field(init=False, default=0)
    _ended: threading.Condition = field(init=False, repr=False, default_factory=threading.Condition)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._ended:
            self._under_way += 1
        try:
            return super().__call__(environ, start_response)
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
