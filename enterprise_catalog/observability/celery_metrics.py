"""Metrics of Celery: how long tasks waited and took, and the lengths of the queues."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.utils.dateparse import parse_datetime
from kombu import Queue
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily

from enterprise_catalog.celery import app
from enterprise_catalog.observability.broker import BrokerUnreachableError, connected
from enterprise_catalog.observability.metrics import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

WAITS: Final = Histogram(
    "celery_task_wait_seconds",
    "Time from queueing a task, or from the time for which it was planned, to its start.",
    ["task"],
    buckets=(0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400),
)
DURATIONS: Final = Histogram(
    "celery_task_duration_seconds",
    "Duration of tasks by their state at the end.",
    ["task", "state"],
    buckets=(0.1, 1, 5, 15, 60, 300, 900, 1_800),
)
#: Header of a message: when it was queued, in seconds since 1970.
QUEUED_AT: Final = "queued_at"


class _Task(Protocol):
    """The part of Celery's tasks that is used here."""

    name: str
    request: dict[str, object]


@before_task_publish.connect
def _note_time(headers: dict[str, object], **_: object) -> None:
    headers[QUEUED_AT] = time.time()


@task_prerun.connect
def _measure_wait(task: _Task, **_: object) -> None:
    request = vars(task.request)
    request["began"] = time.monotonic()
    if isinstance(queued_at := request.get(QUEUED_AT), (int, float)):
        eta = request.get("eta")
        planned_at = parse_datetime(eta) if isinstance(eta, str) else None
        since = max(queued_at, planned_at.timestamp()) if planned_at is not None else queued_at
        WAITS.labels(task.name).observe(max(time.time() - since, 0))


@task_postrun.connect
def _measure_duration(task: _Task, state: str | None = None, **_: object) -> None:
    if isinstance(began := vars(task.request).get("began"), float):
        DURATIONS.labels(task.name, state or "REJECTED").observe(time.monotonic() - began)


def queue_lengths() -> Iterator[Metric]:
    """Yield the number of messages that wait in each queue. Messages that a worker has taken do not count.

    Raises:
        SourceError: the broker is unreachable.
    """
    lengths = GaugeMetricFamily("celery_queue_length", "Messages that wait for a worker.", labels=["queue"])
    for name in app.amqp.queues:
        try:
            lengths.add_metric([name], queue_length(name))
        except BrokerUnreachableError as error:
            raise SourceError(str(error)) from error
    yield lengths


def queue_length(name: str) -> int:
    """Return the number of waiting messages; 0 if the queue does not exist, as an empty one in Redis.

    Raises:
        BrokerUnreachableError: the broker does not respond.
    """
    with connected(app.connection_for_read) as connection:
        lengths: list[int] = []
        queue = Queue(name, channel=connection.default_channel, on_declared=lambda *found: lengths.append(found[1]))
        with suppress(*connection.channel_errors):
            queue.queue_declare(passive=True)
        return sum(lengths)
