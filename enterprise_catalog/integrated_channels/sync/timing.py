"""Durations of calls, and the pause after a call that timed out. No Django; clock and sleep are arguments."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.audit.pacing import Pacer

#: Maximum number of look-ups to find out if the LMS has finished a call that timed out.
POLLS: Final = 40
#: Pause before each look-up, as a share of the timeout. All pauses together take four times the timeout.
_PAUSE_SHARE: Final = 0.1
SHORTEST_PAUSE_SECONDS: Final = 0.02  #: Between two look-ups.
#: After this many failed look-ups in a row, the LMS counts as unreachable.
_FAILED_POLLS: Final = 3
_STEP_SECONDS: Final = 1.0


def utc_now() -> datetime:
    """Return the current time in UTC, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """Measures the calls of one run and adapts batch sizes to them."""

    pacer: Pacer
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    renew_if_due: Callable[[], None] = lambda: None  #: Called at least once a second during a pause.

    def start(self, kind: str, *, items: int) -> TimedCall:
        """Start to measure a call of ``kind``."""
        return TimedCall(self, kind, items, self.clock())

    def has_finished(self, ask: Callable[[], bool], *, timed_out_after: float) -> bool:
        """Wait until the LMS has finished a call that timed out.

        Returns False after four times the timeout, or after three failed look-ups in a row.

        Args:
            ask: looks up if the LMS has finished; may raise errors of a single call.
            timed_out_after: duration of the call, in seconds.

        Raises:
            StopSyncError, LeaseLostError: nothing else in this run will work.
        """
        failed = 0
        for _ in range(POLLS):
            self.pause(max(timed_out_after * _PAUSE_SHARE, SHORTEST_PAUSE_SECONDS))
            try:
                if ask():
                    return True
                failed = 0
            except (RetryableError, RejectedError):
                failed += 1
                if failed == _FAILED_POLLS:
                    return False
        return False

    def pause(self, seconds: float) -> None:
        """Sleep, and call ``renew_if_due`` at least once a second."""
        while seconds > 0:
            self.sleep(min(seconds, _STEP_SECONDS))
            self.renew_if_due()
            seconds -= _STEP_SECONDS


@dataclass(frozen=True, slots=True)
class TimedCall:
    """A call that is being measured."""

    timing: Timing
    kind: str
    items: int
    started_at: datetime

    @property
    def seconds(self) -> float:
        """The duration so far; 0 if the clock was set back."""
        return max((self.timing.clock() - self.started_at).total_seconds(), 0.0)

    def end(self, *, has_response: bool = True) -> None:
        """Adapt the batch size of this kind of call to the duration."""
        self.timing.pacer.learn(self.kind, items=self.items, seconds=self.seconds, has_response=has_response)
