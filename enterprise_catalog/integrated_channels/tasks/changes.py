"""Changed customers: one question to the catalog service for all configurations, every few seconds.

The answers are applied at least once: a cursor is stored in the transaction that makes the configurations due. Several
schedulers may ask at the same time. Then one of them applies its answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from django.db import transaction
from django.db.models import Case, DateTimeField, F, OuterRef, Subquery, Value, When
from django.db.models.lookups import Exact

from enterprise_catalog.db.contention import retry
from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.models import (
    ChangeCursor,
    ChannelConfiguration,
    ConfigurationStatus,
    SyncQueue,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

log = structlog.get_logger(__name__)

#: Maximum duration of a question, in seconds. The next tick asks again.
SECONDS: Final = 10.0
#: An answer without changes is recorded at this interval.
RECORDING_INTERVAL: Final = timedelta(minutes=1)
#: Without a cursor, all configurations become due within so many minutes, spread evenly.
SPREAD_MINUTES: Final = 60
_GONE: Final = 410
_PK: Final = 1
#: Longest stored problem, in characters.
_MAX_PROBLEM_LENGTH: Final = 1_000


def find_changes(clock: Callable[[], datetime]) -> None:
    """Make the configurations of all customers due whose catalogs changed since the last question.

    Sends one request, and at most five statements. If the catalog service gives no answer, the next call asks with the
    same cursor. If the cursor is too old, the next call gets a new one, and makes all configurations due within an
    hour; so does the first call.
    """
    row, _ = ChangeCursor.objects.get_or_create(pk=_PK)
    try:
        with CatalogClient(read_timeout_seconds=SECONDS, run_seconds_left=lambda: SECONDS) as catalog:
            answer = catalog.changed_customers(row.cursor)
    except CatalogUnavailableError as error:
        if error.status_code == _GONE:
            log.warning("changes_expired")
            _move(row, "", now=clock())
        else:
            _record_problem(row, error.message)
        return
    except RunDeadlineError:
        _record_problem(row, f"The catalog service did not respond within {SECONDS:g} seconds.")
        return
    now = clock()
    if not row.cursor:
        retry(lambda: _apply(row, answer.cursor, None, now=now), seconds=SECONDS)
    elif answer.customers:
        configurations = ChannelConfiguration.objects.filter(active=True, enterprise_customer_uuid__in=answer.customers)
        ids = sorted(configurations.values_list("pk", flat=True))
        retry(lambda: _apply(row, answer.cursor, ids, now=now), seconds=SECONDS)
    elif row.cursor != answer.cursor or _is_stale(row, now):
        _move(row, answer.cursor, now=now)


def _is_stale(row: ChangeCursor, now: datetime) -> bool:
    return bool(row.problem) or row.answered_at is None or now - row.answered_at >= RECORDING_INTERVAL


def _move(row: ChangeCursor, cursor: str, *, now: datetime) -> bool:
    """Store the new cursor; return False if another scheduler has stored one since ``row`` was read."""
    unchanged = ChangeCursor.objects.filter(pk=row.pk, cursor=row.cursor)
    return bool(unchanged.update(cursor=cursor, answered_at=now, problem=""))


def _record_problem(row: ChangeCursor, problem: str) -> None:
    log.warning("changes_unknown", reason=problem)
    problem = problem[:_MAX_PROBLEM_LENGTH]
    if problem != row.problem:
        ChangeCursor.objects.filter(pk=row.pk).update(problem=problem)


@transaction.atomic
def _apply(row: ChangeCursor, cursor: str, ids: Collection[int] | None, *, now: datetime) -> None:
    """Store the cursor, and make configurations due; do neither if another scheduler has applied an answer.

    Args:
        ids: of the configurations; ``None`` for all, spread over an hour.
    """
    if not _move(row, cursor, now=now):
        return
    active, statuses = ChannelConfiguration.objects.filter(active=True), ConfigurationStatus.objects.all()
    if ids is None:
        active.make_due(now, at=_spread(now))
    elif ids:
        # By ID, so that the rows are locked in this order, as everywhere.
        _make_changed_due(with_keys(ChannelConfiguration.objects.all(), ids, active=True), now=now)
        statuses = statuses.filter(pk__in=ids)
    else:
        return
    of_configuration = ChannelConfiguration.objects.filter(pk=OuterRef("pk"), active=True).values("next_sync_at")
    statuses.filter(configuration__active=True).update(next_sync_at=Subquery(of_configuration))


def _make_changed_due(configurations: ConfigurationQuerySet, *, now: datetime) -> None:
    # A message in the sweep's queue becomes void: it may wait there for long. Assigned before ``queue``, because
    # MariaDB assigns from left to right.
    in_sweep, interactive = (
        When(queue=SyncQueue.SWEEP, then=Value(None)),
        When(queue=SyncQueue.INTERACTIVE, then="queue"),
    )
    configurations.make_due(
        now,
        queued_at=Case(in_sweep, default="queued_at", output_field=DateTimeField()),
        queue=Case(interactive, default=Value(SyncQueue.CHANGES)),
    )


def _spread(now: datetime) -> Case:
    """Return a time within the next hour, which depends on the configuration's ID."""
    times = [
        When(Exact(F("pk") % SPREAD_MINUTES, minute), then=Value(now + timedelta(minutes=minute)))
        for minute in range(SPREAD_MINUTES)
    ]
    return Case(*times, output_field=DateTimeField())
