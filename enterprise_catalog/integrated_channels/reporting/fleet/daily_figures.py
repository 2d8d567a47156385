"""The figures of the last days for charts: transmissions by outcome, time from change to LMS, backlog."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.audit.figures import BACKLOG, FRESHNESS_LIMITS, freshness_name
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.models import DailyFigure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

#: Days that the charts show. With all channels and figures, a statement reads fewer than 5,000 rows.
DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of all channels on one day (UTC)."""

    day: date
    accepted: int = 0  #: Items that the LMS accepted, or that were put into a feed.
    rejected: int = 0
    failed: int = 0  #: Temporary failures.
    not_sent: int = 0  #: The run had to stop.
    p50_seconds: float | None = None  #: Half of the changes were in the LMS within this time; ``None`` without changes.
    p95_seconds: float | None = None
    backlog: int | None = None  #: Items that were not up to date at the end of the day; ``None`` if unknown.


def last_days(today: date) -> list[Day]:
    """Return the last 28 days, the oldest first, with days without figures. One statement."""
    first = today - timedelta(days=DAYS - 1)
    rows = DailyFigure.objects.filter(day__gte=first, day__lte=today).values_list("day", "name", "value")
    figures: dict[date, Counter[str]] = defaultdict(Counter)
    for day, name, value in rows:  # Added up here: a GROUP BY would read each row a second time.
        figures[day][name] += value
    return [_day(day, figures[day]) for day in (first + timedelta(days=number) for number in range(DAYS))]


def _day(day: date, figures: Mapping[str, int]) -> Day:
    def total(*outcomes: Outcome) -> int:
        return sum(figures.get(outcome, 0) for outcome in outcomes)

    return Day(
        day,
        accepted=total(Outcome.DONE, Outcome.STAGED),
        rejected=total(Outcome.REJECTED),
        failed=total(Outcome.RETRY),
        not_sent=total(Outcome.SKIPPED, Outcome.THROTTLED),
        p50_seconds=percentile(figures, 0.5),
        p95_seconds=percentile(figures, 0.95),
        backlog=figures.get(BACKLOG),
    )


def percentile(figures: Mapping[str, int], share: float) -> float | None:
    """Return the time within which ``share`` of the changes were in the LMS, in seconds; ``None`` without changes.

    The figures count classes of times. Within a class, times are taken to be spread evenly.
    """
    numbers = [figures.get(freshness_name(limit), 0) for limit in FRESHNESS_LIMITS]
    wanted, below = share * sum(numbers), 0.0
    lower = 0.0
    for limit, number in zip(FRESHNESS_LIMITS, numbers, strict=True):
        if number and below + number >= wanted:
            return lower + (limit - lower) * (wanted - below) / number
        below, lower = below + number, limit
    return None
