"""Leaky buckets, by which some learning systems throttle: a call pours in what it costs, and time lets it drain.

A full bucket takes no more calls. Each answer tells in a header how much still goes in.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError, ThrottledError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import Answer


@dataclass(frozen=True, slots=True)
class LeakyBucket:
    """The size and the leak of a bucket, in units of the LMS's own; what is in it, the LMS knows."""

    lms: str  #: What the learning system is called.
    size: float  #: What goes in until it is full.
    drained_per_second: float
    header: str = "x-rate-limit-remaining"  #: What still goes in, in each answer.

    def remaining(self, answer: Answer) -> float | None:
        """Return what still goes in; ``None`` if the LMS does not tell, as where it throttles nobody."""
        try:
            told = float(answer.headers.get(self.header, ""))
        except ValueError:
            return None
        return told if math.isfinite(told) else None

    def require(self, least: float, remaining: float | None) -> None:
        """Return if ``least`` goes in, as far as is known.

        Args:
            remaining: what the last answer told.

        Raises:
            BudgetSpentError: it does not, before the bucket has drained.
        """
        if remaining is not None and remaining < least:
            left = f"{remaining:.0f} of {self.size:.0f} units are left"
            message = f"{self.lms} takes few more calls for now: {left}."
            raise BudgetSpentError(message, retry_after_seconds=self._seconds_to_drain(remaining))

    def overflow(self, answer: Answer) -> ThrottledError:
        """Return what to raise for an answer that says that the bucket is full."""
        wait = self._seconds_to_drain(self.remaining(answer) or 0.0)
        message = f"{self.lms}: {answer.excerpt}"
        return ThrottledError(message, status_code=answer.status_code, retry_after_seconds=wait)

    def _seconds_to_drain(self, remaining: float) -> float:
        return max(self.size - remaining, 0.0) / self.drained_per_second


class Level:
    """The newest known level of a bucket, for threads whose calls overlap and whose answers arrive in any order."""

    def __init__(self) -> None:
        """Start without a known level."""
        self.remaining: float | None = None  #: ``None`` if the LMS has not told it.
        self._lock = threading.Lock()
        self._answers = 0  #: How many have arrived.
        self._answers_when_told = 0  #: How many had arrived when ``remaining`` was told, that answer included.

    def before_call(self) -> int:
        """Return a mark of this moment, which :meth:`after_call` needs."""
        with self._lock:
            return self._answers

    def after_call(self, remaining: float | None, *, mark: int) -> None:
        """Store what an answer tells, unless it may be older than what is known and would raise the level.

        Args:
            remaining: what the answer tells; ``None`` if nothing.
            mark: of :meth:`before_call`, before the call was sent.
        """
        with self._lock:
            self._answers += 1
            is_newer = mark >= self._answers_when_told
            is_lower = remaining is not None and (self.remaining is None or remaining < self.remaining)
            if is_newer or is_lower:
                self.remaining, self._answers_when_told = remaining, self._answers
