"""How many calls a learning system was sent within the window that its rate limit speaks of. No Django, no clock.

The count lives in the configuration's lease, so that all workers share it. It is written with the run's other writes: a
worker that dies takes the count of its last chunk with it, and the learning system's own answer (429) is what is left.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.types import RateLimit


@dataclass(slots=True)
class CallBudget:
    """The calls of one configuration. Safe to use from the threads of one run."""

    started_at: datetime | None = None  #: When the first call of the window was made; ``None`` before any.
    calls: int = 0  #: Made since then.
    limit: RateLimit | None = None  #: Of the channel; ``None`` for as many calls as we like.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def left(self, now: datetime) -> int | None:
        """Return how many calls may be made now; ``None`` for any number."""
        if self.limit is None:
            return None
        return self.limit.calls if self._is_over(now) else max(self.limit.calls - self.calls, 0)

    def spend(self, now: datetime) -> None:
        """Count one call, which is to be made now.

        Raises:
            BudgetSpentError: it must not be made before the window is over; ``retry_after_seconds`` says when that is.
        """
        with self._lock:
            if self._is_over(now):
                self.started_at, self.calls = now, 0
            if self.left(now) == 0:
                raise self._spent(now)
            self.calls += 1

    def check(self, now: datetime) -> None:
        """Make sure that there is a call left.

        Raises:
            BudgetSpentError: there is none; as of :meth:`spend`.
        """
        if self.left(now) == 0:
            raise self._spent(now)

    def _is_over(self, now: datetime) -> bool:
        if self.limit is None or self.started_at is None:
            return True
        # A clock that was set back must not keep the window open until it has caught up.
        return not timedelta(0) <= now - self.started_at < timedelta(seconds=self.limit.seconds)

    def _spent(self, now: datetime) -> BudgetSpentError:
        assert self.limit is not None
        assert self.started_at is not None
        wait = self.limit.seconds - (now - self.started_at).total_seconds()
        message = (
            f"The {self.limit.calls:,} calls that the learning system takes in {self.limit.seconds:g} seconds are made."
        )
        return BudgetSpentError(message, retry_after_seconds=wait)
