"""Heartbeats of the workers, the scheduler's last tick, and the health checks that read them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery import bootsteps
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from enterprise_catalog.celery import app
from enterprise_catalog.db.brief_connection import brief_connection
from enterprise_catalog.integrated_channels.models import ChangeCursor, WorkerHeartbeat
from enterprise_catalog.observability.broker import BrokerUnreachableError, connected
from enterprise_catalog.observability.health_checks import OK, DegradedError

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 30
#: A worker without a heartbeat for longer counts as dead.
SILENCE: Final = timedelta(minutes=2)
#: Age at which a dead worker's row is deleted. Pod names are never reused.
FORGOTTEN_AFTER: Final = timedelta(days=1)
#: Longer than a restart of the scheduler takes, on another machine too.
SCHEDULER_LAG: Final = timedelta(minutes=6)
SCHEDULED_TASK: Final = "sync_changed_configurations"
#: Age of the catalog service's last answer about changes at which the answers count as missing.
CHANGES_LAG: Final = timedelta(minutes=5)

_TABLE: Final = WorkerHeartbeat._meta.db_table


def beat(name: str, *, now: datetime) -> None:
    """Record that the worker ``name`` is alive, and delete rows of dead workers.

    Uses a connection of its own with short timeouts, because it runs in the worker's main process. That process must
    not wait for a database that hangs, and must not pass a connection on to the processes that it forks.

    Raises:
        DatabaseError, InterfaceError: the database does not respond.
    """
    with brief_connection() as connection, connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        oldest = connection.ops.adapt_datetimefield_value(now - FORGOTTEN_AFTER)
        cursor.execute(f"UPDATE {_TABLE} SET seen_at = %s WHERE name = %s", [moment, name])  # noqa: S608  (constant)
        if not cursor.rowcount:
            cursor.execute(f"INSERT INTO {_TABLE} (name, seen_at) VALUES (%s, %s)", [name, moment])  # noqa: S608
        cursor.execute(f"DELETE FROM {_TABLE} WHERE seen_at < %s", [oldest])  # noqa: S608  (constant)


class Heartbeat(bootsteps.StartStopStep):
    """Calls :func:`beat` every 30 seconds in each worker, independently of its tasks."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        """Start with the worker."""
        self._beat(parent.hostname)
        self._timer = parent.timer.call_repeatedly(HEARTBEAT_SECONDS, self._beat, (parent.hostname,))

    def stop(self, parent: object) -> None:
        """Stop with the worker."""
        self._timer.cancel()

    @staticmethod
    def _beat(hostname: str) -> None:
        try:
            beat(hostname[:255], now=timezone.now())
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat_not_written", worker=hostname, error=type(error).__name__)


def check_broker() -> str:
    """Check the connection to Celery's broker.

    Raises:
        DegradedError: the broker is unreachable.
    """
    try:
        with connected(app.connection_for_write):
            return OK
    except BrokerUnreachableError as error:
        raise DegradedError(f"no connection ({error})") from error


def check_workers() -> str:
    """Return the number of live workers as text: ``2 running``.

    Raises:
        DegradedError: no worker is alive.
    """
    seen = list(WorkerHeartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True)[:1_000])
    alive = sum(moment > timezone.now() - SILENCE for moment in seen)
    if not alive:
        raise DegradedError(f"no worker is running; last heartbeat: {_format(seen[0] if seen else None)}")
    return f"{alive} running"


def check_scheduler() -> str:
    """Return when the scheduler last queued ``sync_changed_configurations``.

    Raises:
        DegradedError: the scheduler is late, or its schedule is disabled or deleted.
    """
    task = PeriodicTask.objects.filter(task=SCHEDULED_TASK, enabled=True).select_related("interval").first()
    if task is None:
        raise DegradedError("the sync schedule is disabled or deleted; see Schedule in the admin")
    last = task.last_run_at
    every = task.interval.schedule.run_every if task.interval else timedelta(days=1)
    if last is None or last < timezone.now() - 2 * every - SCHEDULER_LAG:
        raise DegradedError(f"not running or late; last tick: {_format(last)}")
    return f"last tick: {_format(last)}"


def check_changes() -> str:
    """Return when the catalog service last answered which customers changed.

    Raises:
        DegradedError: it has not answered for minutes. Changes reach the LMSs only with the next scheduled sync.
    """
    row = ChangeCursor.objects.first()
    if row is None or row.answered_at is None or row.answered_at < timezone.now() - CHANGES_LAG:
        answered_at = row.answered_at if row else None
        problem = f"; {row.problem}" if row and row.problem else ""
        raise DegradedError(f"no answer from the catalog service; last answer: {_format(answered_at)}{problem}")
    return f"last answer: {_format(row.answered_at)}"


def _format(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "never"
