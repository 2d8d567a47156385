"""Pure: when a failed item is tried again, and when it becomes a dead letter."""

from __future__ import annotations

from typing import Final

FIRST_RETRY_SECONDS: Final = 5 * 60
LAST_RETRY_SECONDS: Final = 24 * 60 * 60
#: In a row. The tenth failure comes 1.3 to 1.8 days after the first, or 7 to 9 days if each failure is a rejection.
MAX_FAILURES: Final = 10
#: A rejection does not pass by itself, but an administrator may fix its cause at the LMS.
REJECTED_RETRY_SECONDS: Final = 24 * 60 * 60


def retry_delay_seconds(failures: int, *, jitter: float, retry_after_seconds: float | None = None) -> float:
    """Return the delay after the ``failures``-th failure in a row: 5 minutes, doubled each time, at most a day.

    Args:
        jitter: from 0 to 1; shortens the delay by up to a quarter, so that items that failed together are not retried
            together.
        retry_after_seconds: requested by the LMS; the delay is never shorter.
    """
    doubled = float(FIRST_RETRY_SECONDS << min(failures - 1, 20))
    return max(min(doubled, LAST_RETRY_SECONDS) * (1 - jitter / 4), retry_after_seconds or 0)
