"""The figures of each day and channel, and the metrics of runs: outcomes, time from change to LMS, backlog.

Runs add up their own figures. A chart therefore reads a few rows per day, and never the rows of items and attempts.
Metrics count the same facts for Prometheus, in the process that runs; their labels never name a customer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import F, Sum
from prometheus_client import Counter as CounterMetric
from prometheus_client import Histogram, Summary

from enterprise_catalog.integrated_channels.audit.bulk import increment
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Action, Exported, Outcome
from enterprise_catalog.integrated_channels.models import ConfigurationStatus, DailyFigure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime, timedelta

    from enterprise_catalog.integrated_channels.domain import ItemResult
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, SyncRun

BACKLOG: Final = "backlog"
#: Upper limits of the classes of the time from change to LMS, in seconds.
FRESHNESS_LIMITS: Final = tuple(
    60 * minutes for minutes in (1, 5, 15, 30, 60, 120, 240, 480, 1_440, 2_880, 5_760, 10_080, 43_200)
)
#: Outcomes that a day counts. The others need no call.
OUTCOMES: Final = (Outcome.DONE, Outcome.STAGED, Outcome.RETRY, Outcome.REJECTED, Outcome.SKIPPED, Outcome.THROTTLED)
_UNIQUE: Final = ("day", "channel_code", "name")

RUNS: Final = Histogram(
    "channels_run_duration_seconds",
    "Duration of runs by their state at the end.",
    ["channel", "state"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800),
)
ATTEMPTS: Final = CounterMetric(
    "channels_attempts_total",
    "Items that runs sent or could not send, by outcome and class of the HTTP status of a failure.",
    ["channel", "action", "outcome", "status"],
)
FRESHNESS: Final = Histogram(
    "channels_freshness_seconds",
    "Time from a change in the catalog to its confirmation by the LMS.",
    ["channel"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 14_400, 86_400, 604_800),
)
PAUSES: Final = Summary(
    "channels_pause_seconds",
    "Pauses that runs leave an LMS because of a rate limit or a slow response.",
    ["channel", "cause"],
)
TAKEOVERS: Final = CounterMetric(
    "channels_lease_takeovers_total", "Runs that took over from a run whose worker died.", ["channel"]
)
for _code in CHANNELS:  # A counter that begins at 1 does not increase, for Prometheus.
    TAKEOVERS.labels(_code)
    FRESHNESS.labels(_code)


def freshness_name(seconds: float) -> str:
    """Return the name of the figure that counts items with this time from change to LMS."""
    limit = FRESHNESS_LIMITS[min(bisect_left(FRESHNESS_LIMITS, seconds), len(FRESHNESS_LIMITS) - 1)]
    return f"fresh_{limit}"


def changed_at(
    row: ContentMetadataItemTransmission, action: Action, exported: Exported, *, run_since: datetime, earlier: datetime
) -> datetime | None:
    """Return when the catalogs changed so that ``action`` became due; ``None`` if they did not change.

    The catalog dates changes of content, but not of membership. An item that joined or left the catalogs therefore
    counts from the latest time at which it is known not to have been due. The result is never later
    than the change, so the time from change to LMS is never underestimated.

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


def measure_attempts(channel_code: str, action: Action, results: Iterable[ItemResult]) -> None:
    """Count the results of items for Prometheus."""
    numbers = Counter((result.outcome, _class_of(result.status_code)) for result in results)
    for (outcome, status), number in numbers.items():
        ATTEMPTS.labels(channel_code, action, outcome, status).inc(number)


def measure_run(channel_code: str, row: SyncRun, *, pause: timedelta | None) -> None:
    """Measure a run that has ended, and the pause after it, for Prometheus."""
    assert row.finished_at is not None
    RUNS.labels(channel_code, row.state).observe(max((row.finished_at - row.started_at).total_seconds(), 0))
    if pause is not None:
        PAUSES.labels(channel_code, row.stop_cause).observe(pause.total_seconds())


def _class_of(status_code: int | None) -> str:
    """Return the class of an HTTP status, such as ``5xx``; ``none`` without one, as after a success."""
    return f"{status_code // 100}xx" if status_code else "none"
