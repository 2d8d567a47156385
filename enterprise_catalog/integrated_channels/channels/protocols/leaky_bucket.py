"""Leaky-bucket rate limits, as some LMSs enforce them.

Each call adds its cost to the bucket, and the bucket drains at a constant rate. The LMS rejects calls while the bucket
is full. A header of each response contains the remaining capacity.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError, ThrottledError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse


@dataclass(frozen=True, slots=True)
class LeakyBucket:
    """Size and drain rate of a bucket, in units defined by the LMS. The current level is known only to the LMS."""

    lms: str  #: Display name of the LMS.
    size: float  #: Capacity of the bucket.
    drained_per_second: float
    header: str = "x-rate-limit-remaining"  #: Response header with the remaining capacity.

    def remaining(self, response: LMSResponse) -> float | None:
        """Return the remaining capacity, or ``None`` without a valid header, as on an LMS with throttling off."""
        try:
            remaining = float(response.headers.get(self.header, ""))
        except ValueError:
            return None
        return remaining if math.isfinite(remaining) else None

    def require(self, least: float, remaining: float | None) -> None:
        """Check that the bucket has room for ``least`` units. Passes if the remaining capacity is unknown.

        Args:
            remaining: the remaining capacity in the last response; ``None`` if unknown.

        Raises:
            BudgetSpentError: the room is too small. ``retry_after_seconds`` is the time until the bucket is empty.
        """
        if remaining is not None and remaining < least:
            left = f"{remaining:.0f} of {self.size:.0f} units are left"
            message = f"The rate limit of {self.lms} is almost reached: {left}."
            raise BudgetSpentError(message, retry_after_seconds=self._seconds_to_drain(remaining))

    def overflow(self, response: LMSResponse) -> ThrottledError:
        """Return the exception for a response that reports a full bucket."""
        wait = self._seconds_to_drain(self.remaining(response) or 0.0)
        message = f"{self.lms}: {response.excerpt}"
        return ThrottledError(message, status_code=response.status_code, retry_after_seconds=wait)

    def _seconds_to_drain(self, remaining: float) -> float:
        return max(self.size - remaining, 0.0) / self.drained_per_second


class Level:
    """The newest known level of a bucket. Thread-safe: calls may overlap, and responses may arrive in any order."""

    def __init__(self) -> None:
        """Start with an unknown level."""
        self.remaining: float | None = None  #: Remaining capacity; ``None`` if unknown.
        self._lock = threading.Lock()
        self._responses = 0  #: Number of responses received.
        self._responses_when_stored = 0  #: The same number when ``remaining`` was stored, with that response counted.

    def before_call(self) -> int:
        """Return a mark of the current moment for :meth:`after_call`."""
        with self._lock:
            return self._responses

    def after_call(self, remaining: float | None, *, mark: int) -> None:
        """Store the remaining capacity from a response.

        Ignores a response that may be outdated, unless its value is lower than the stored one.

        Args:
            remaining: the remaining capacity in the response; ``None`` if unknown.
            mark: the mark that :meth:`before_call` returned before the call was sent.
        """
        with self._lock:
            self._responses += 1
            is_newer = mark >= self._responses_when_stored
            is_lower = remaining is not None and (self.remaining is None or remaining < self.remaining)
            if is_newer or is_lower:
                self.remaining, self._responses_when_stored = remaining, self._responses
