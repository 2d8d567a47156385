"""Times in HTTP headers: dates, and the wait that ``Retry-After`` requests."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A longer ``Retry-After`` is a mistake, or an invalid date.
MAX_RETRY_AFTER_SECONDS: Final = 7 * 24 * 60 * 60.0


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the wait that ``Retry-After`` (seconds, or an HTTP date) requests; ``None`` if missing or invalid.

    At most :data:`MAX_RETRY_AFTER_SECONDS`.

    Args:
        headers: with case-insensitive names, or names in lower case.
        now: the current time, aware; ``None`` reads the clock.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    moment = parse_http_date(value)
    if moment is None:
        return None
    wait = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)


def parse_http_date(text: str) -> datetime | None:
    """Return the aware time in an HTTP date, or ``None`` if the text is not a date."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The zone "-0000", or no zone, means UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
