"""Gauges of the whole fleet for Prometheus: six statements that read rolled-up rows, whatever the number of items."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min, Sum
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily

from enterprise_catalog.db.time_limit import time_limit
from enterprise_catalog.integrated_channels.audit.heartbeats import SCHEDULED_TASK, SILENCE
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    EventKind,
    Notification,
    Status,
    SyncQueue,
    WorkerHeartbeat,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from prometheus_client import Metric

#: Time limit of each statement. A scrape must not wait for a busy database.
STATEMENT_SECONDS: Final = 5
#: Column of the status -> label of the items that it counts.
_ITEMS: Final = {
    "matched": "up_to_date",
    "behind": "behind",
    "failing": "failing",
    "held": "held",
    "dead": "dead_letter",
    "rejected": "rejected",
    "kept": "kept",
}


def fleet_gauges() -> Iterator[Metric]:
    """Yield the gauges of all configurations, and of the processes that sync them.

    Raises:
        DatabaseError, TimeLimitError: the database does not respond in time.
    """
    now = timezone.now()
    with time_limit(STATEMENT_SECONDS):
        yield from _Fleet.read().gauges(now)
        yield _late_gauge()
        yield from _due_gauges(now)
        yield from _queue_gauges(now)
        yield from _process_gauges(now)


@dataclass(slots=True)
class _Fleet:
    """Sums over the status rows of all configurations, by channel."""

    states: Counter[tuple[str, str]] = field(default_factory=Counter)  #: Configurations by channel and state.
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)  #: By channel and cause.
    items: Counter[tuple[str, str]] = field(default_factory=Counter)  #: By channel and state.
    due_since: dict[str, datetime] = field(default_factory=dict)  #: Channel -> when its oldest due item became due.

    @classmethod
    def read(cls) -> _Fleet:
        """Read each status row once, and the channel of its configuration; one statement."""
        fleet = cls()
        groups = ConfigurationStatus.objects.values_list("configuration__channel_code", "state", "stop_cause")
        sums = [Sum(column) for column in _ITEMS]
        for channel, state, cause, number, due_since, *items in groups.annotate(
            Count("pk"), Min("due_since"), *sums
        ).order_by():
            fleet.states[channel, state] += number
            fleet.items.update({(channel, label): item for label, item in zip(_ITEMS.values(), items, strict=True)})
            if state == Status.PAUSED:  # Nothing is expected of it until it is activated.
                continue
            if cause:
                fleet.stopped[channel, cause] += number
            if due_since is not None:
                fleet.due_since[channel] = min(due_since, fleet.due_since.get(channel, due_since))
        return fleet

    def gauges(self, now: datetime) -> Iterator[Metric]:
        """Yield the gauges, with zeros for all channels, so that no series ever ends."""
        channels = sorted({*CHANNELS, *(channel for channel, _ in self.states)})
        yield _gauge(
            "channels_configurations",
            "Configurations by state.",
            ("channel", "state"),
            {(channel, state.value): self.states[channel, state.value] for channel in channels for state in Status},
        )
        yield _gauge(
            "channels_configurations_stopped",
            "Active configurations whose last run ended early, by cause.",
            ("channel", "cause"),
            {(channel, cause.value): self.stopped[channel, cause.value] for channel in channels for cause in StopCause},
        )
        yield _gauge(
            "channels_items",
            "Items by state.",
            ("channel", "state"),
            {(channel, label): self.items[channel, label] for channel in channels for label in _ITEMS.values()},
        )
        late = ("behind", "failing", "held", "dead_letter")
        yield _gauge(
            "channels_backlog_items",
            "Items that are not up to date: behind, failing, held or dead letters.",
            ("channel",),
            {(channel,): sum(self.items[channel, label] for label in late) for channel in channels},
        )
        yield _gauge(
            "channels_oldest_due_item_age_seconds",
            "Time since the item that waits longest fell out of date; 0 if no item is due.",
            ("channel",),
            {(channel,): _age(self.due_since.get(channel), now) for channel in channels},
        )


def _late_gauge() -> Metric:
    """Return the gauge of configurations that are late. One statement; reads the open events in an index."""
    late = Notification.objects.filter(is_open=True, kind=EventKind.LATE).order_by()
    found = dict(late.values_list("configuration__channel_code").annotate(Count("pk")))
    return _gauge(
        "channels_configurations_late",
        "Configurations that miss their freshness goal.",
        ("channel",),
        {(channel,): found.get(channel, 0) for channel in sorted({*CHANNELS, *found})},
    )


def _due_gauges(now: datetime) -> Iterator[Metric]:
    """Yield the gauges of configurations whose sync is due. One statement; reads an index."""
    due = ChannelConfiguration.objects.due(now).aggregate(number=Count("pk"), oldest=Min("next_sync_at"))
    yield _gauge("channels_configurations_due", "Configurations whose next sync is due.", (), {(): due["number"]})
    yield _gauge(
        "channels_oldest_due_configuration_age_seconds",
        "Time since the sync of the configuration that waits longest became due; 0 if none is due.",
        (),
        {(): _age(due["oldest"], now)},
    )


def _queue_gauges(now: datetime) -> Iterator[Metric]:
    """Yield the gauges of queued syncs. One statement; reads an index, and the few syncs that are queued."""
    queued = ChannelConfiguration.objects.filter(queued_at__isnull=False).order_by().values_list("queue")
    found = {queue: (number, oldest) for queue, number, oldest in queued.annotate(Count("pk"), Min("queued_at"))}
    numbers: dict[tuple[str, ...], float] = {}
    ages: dict[tuple[str, ...], float] = {}
    for queue in SyncQueue:
        number, oldest = found.get(queue.value, (0, None))
        numbers[queue.value,], ages[queue.value,] = number, _age(oldest, now)
    yield _gauge("channels_queued_syncs", "Syncs that are queued or running.", ("queue",), numbers)
    yield _gauge(
        "channels_oldest_queued_sync_age_seconds",
        "Time since the sync that waits or runs longest was queued; 0 if none is queued.",
        ("queue",),
        ages,
    )


def _process_gauges(now: datetime) -> Iterator[Metric]:
    """Yield the gauges of workers and scheduler. Two statements."""
    alive = WorkerHeartbeat.objects.filter(seen_at__gt=now - SILENCE).count()
    yield _gauge("channels_workers", "Workers with a heartbeat within the last two minutes.", (), {(): alive})
    schedule = PeriodicTask.objects.filter(task=SCHEDULED_TASK, enabled=True)
    last = schedule.values_list("last_run_at", flat=True).first()
    yield _gauge(
        "channels_scheduler_tick_age_seconds",
        "Time since the scheduler last looked for due configurations. Absent before the first time, or if disabled.",
        (),
        {(): _age(last, now)} if last is not None else {},
    )


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)


def _gauge(name: str, text: str, labels: Iterable[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=list(labels))
    for of_labels, value in values.items():
        gauge.add_metric(list(of_labels), value)
    return gauge
