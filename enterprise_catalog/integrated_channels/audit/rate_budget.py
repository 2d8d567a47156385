"""Call budget: counts the calls to an LMS within the window of its rate limit. No Django, no clock.

The count is stored in the configuration's lease, so all workers share it. It is written with the run's other writes.
When a worker dies, the calls of its last chunk are not counted: the next worker may exceed the limit by that many.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import RateLimit


@dataclass(slots=True)
class CallBudget:
    """The calls of one configuration. Thread-safe."""

    started_at: datetime | None = None  #: Time of the first call in the window; ``None`` before any call.
    calls: int = 0  #: Number of calls since then.
    limit: RateLimit | None = None  #: The channel's rate limit; ``None`` for no limit.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def left(self, now: datetime) -> int | None:
        """Return the number of calls that may be made now; ``None`` for no limit."""
        if self.limit is None:
            return None
        return self.limit.calls if self._is_over(now) else max(self.limit.calls - self.calls, 0)

    def spend(self, now: datetime) -> None:
        """Count one call that is about to be made.

        Raises:
            BudgetSpentError: no call is left; ``retry_after_seconds`` is the time until the window ends.
        """
        with self._lock:
            if self._is_over(now):
                self.started_at, self.calls = now, 0
            if self.left(now) == 0:
                raise self._spent(now)
            self.calls += 1

    def check(self, now: datetime) -> None:
        """Check that at least one call is left.

        Raises:
            BudgetSpentError: no call is left; see :meth:`spend`.
        """
        if self.left(now) == 0:
            raise self._spent(now)

    def _is_over(self, now: datetime) -> bool:
        if self.limit is None or self.started_at is None:
            return True
        # If the clock was set back, the window must not stay open until the clock has caught up.
        return not timedelta(0) <= now - self.started_at < timedelta(seconds=self.limit.seconds)

    def _spent(self, now: datetime) -> BudgetSpentError:
        assert self.limit is not None
        assert self.started_at is not None
        wait = self.limit.seconds - (now - self.started_at).total_seconds()
        message = f"The LMS's rate limit is reached (calls: {self.limit.calls:,} in {self.limit.seconds:g} seconds)."
        return BudgetSpentError(message, retry_after_seconds=wait)
