"""The figures of each day and channel: outcomes, time from change to LMS, backlog.

Runs add up their own figures. A chart therefore reads a few rows per day, and never the rows of items and attempts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import F, Sum

from enterprise_catalog.integrated_channels.audit.bulk import increment
from enterprise_catalog.integrated_channels.domain import Action, Exported, Outcome
from enterprise_catalog.integrated_channels.models import ConfigurationStatus, DailyFigure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission

BACKLOG: Final = "backlog"
#: Upper limits of the classes of the time from change to LMS, in seconds.
FRESHNESS_LIMITS: Final = tuple(
    60 * minutes for minutes in (1, 5, 15, 30, 60, 120, 240, 480, 1_440, 2_880, 5_760, 10_080, 43_200)
)
#: Outcomes that a day counts. The others need no call.
OUTCOMES: Final = (Outcome.DONE, Outcome.STAGED, Outcome.RETRY, Outcome.REJECTED, Outcome.SKIPPED, Outcome.THROTTLED)
_UNIQUE: Final = ("day", "channel_code", "name")


def freshness_name(seconds: float) -> str:
    """Return the name of the figure that counts items with this time from change to LMS."""
    limit = FRESHNESS_LIMITS[min(bisect_left(FRESHNESS_LIMITS, seconds), len(FRESHNESS_LIMITS) - 1)]
    return f"fresh_{limit}"


def changed_at(
    row: ContentMetadataItemTransmission, action: Action, exported: Exported, *, run_since: datetime, earlier: datetime
) -> datetime | None:
    """Return when the catalogs changed so that ``action`` became due; ``None`` if they did not change.

    The catalog dates changes of content, but not of membership. An item that joined or left the catalogs therefore
    counts from the latest time at which it is known not to have been due. The result is never too late.

    Args:
        row: before the action.
        run_since: when the run started.
        earlier: when an earlier run compared the LMS with the catalogs.
    """
    if action is Action.UPDATE:
        return exported.updated_at if exported.updated_at != row.content_updated_at else None
    joined = row.due_since if row.due_since is not None and row.due_since < run_since else earlier
    is_newer = action is Action.CREATE and exported.updated_at is not None and exported.updated_at > joined
    return exported.updated_at if is_newer else joined


def add_run(channel_code: str, outcomes: Iterable[Mapping[str, int]], fresh: Mapping[str, int], *, day: date) -> None:
    """Add a run's figures to its day, in the run's last transaction; one statement, or none without figures.

    Args:
        outcomes: outcome -> number of items, for each action.
        fresh: see :func:`freshness_name`.
    """
    figures = Counter(fresh)
    for numbers in outcomes:
        figures.update({name: number for name, number in numbers.items() if name in OUTCOMES})
    rows = [
        DailyFigure(day=day, channel_code=channel_code, name=name, value=number)
        for name, number in sorted(figures.items())  # In the same order in all runs, so that none deadlock.
    ]
    increment(rows, column="value", unique=_UNIQUE)


def record_backlog(*, now: datetime) -> None:
    """Store the current number of items that are not up to date, per channel, as the backlog of the day."""
    late = Sum(F("behind") + F("failing") + F("held") + F("dead"))
    totals = ConfigurationStatus.objects.values_list("configuration__channel_code").annotate(late=late).order_by()
    rows = [DailyFigure(day=now.date(), channel_code=code, name=BACKLOG, value=number) for code, number in totals]
    has_target = connection.features.supports_update_conflicts_with_target
    DailyFigure.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["value"], unique_fields=_UNIQUE if has_target else None
    )
