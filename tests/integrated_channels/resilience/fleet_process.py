"""A process of a site that plays the operators of a fleet, lets time pass for dead workers, and reads the tables.

It carries out orders like ``admin_process.py``, which has most of them.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError

from enterprise_catalog.catalog.models import EnterpriseCatalog
from enterprise_catalog.db.contention import retry
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Delivery,
    DeliveryState,
    Notification,
    RunState,
    Subscription,
    SyncLease,
    SyncRun,
)
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import wants
from enterprise_catalog.integrated_channels.tasks import queue_sync
from enterprise_catalog.observability.broker import BrokerUnreachableError
from enterprise_catalog.observability.celery_metrics import queue_length
from tests.factories.channels import SubscriptionFactory
from tests.integrated_channels.resilience import admin_process
from tests.integrated_channels.resilience.model.catalogs import Backup
from tests.integrated_channels.resilience.tables import forget_changes, items_of, recorded_state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: Longer than any pause after a failure that these tests cause, and shorter than the interval of a day.
_LONG_PAUSE: Final = timedelta(hours=23)
_backups: Final[list[Backup]] = []


def main() -> None:
    """Carry out orders until standard input ends."""
    admin_process.carry_out(ORDERS)


def set_schedule(seconds: int) -> None:
    """Set the interval at which the scheduler looks for changes and for events."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    changed = PeriodicTask.objects.filter(task__in=("sync_changed_configurations", "notify"))
    assert changed.update(interval=interval) == 2


def subscribe(**columns: str) -> int:
    """Create a subscription and return its ID."""
    return SubscriptionFactory.create(**columns).pk


def compare_all(configuration: int) -> None:
    """Choose **Sync now** with a full comparison. If the broker is away, the scheduler finds the sync."""
    decisions.sync_now(
        ChannelConfiguration.objects.get(pk=configuration), by="operator", now=timezone.now(), compare_all=True
    )
    with contextlib.suppress(OperationalError):
        queue_sync(configuration)


def sync_full(configuration: int) -> None:
    """Run ``sync_channels --full`` in this process. It may find that a worker syncs the configuration."""
    with contextlib.suppress(SystemExit):
        call_command("sync_channels", configuration=configuration, full=True, stdout=io.StringIO())


def back_up() -> None:
    """Back up the tables of the catalog service."""
    _backups[:] = [Backup.make({}, {}, {})]


def restore() -> None:
    """Restore the backup. No process of the catalog service may run."""
    [backup] = _backups
    retry(backup.restore_tables)


def activity() -> dict[str, int]:
    """Return the number of running runs and of messages to subscribers that a worker has begun to send."""
    return {
        "runs": SyncRun.objects.filter(state=RunState.RUNNING).count(),
        "messages": len(_in_flight()),
        "claims": ChannelConfiguration.objects.filter(queued_at__isnull=False).count(),
    }


def _in_flight() -> list[str]:
    begun = Delivery.objects.filter(state=DeliveryState.WAITING, attempts__gt=0)
    return [str(message_id) for message_id in begun.values_list("message_id", flat=True)]


def expire_claims() -> list[str]:
    """End the leases and claims of dead workers, as five minutes would. No worker that syncs or sends may run.

    Returns the IDs of the messages that the workers were sending.
    """
    now = timezone.now()
    SyncLease.objects.filter(expires_at__gt=now).update(expires_at=now - timedelta(seconds=1))
    in_flight = _in_flight()
    Delivery.objects.filter(message_id__in=in_flight).update(next_attempt_at=now)
    return in_flight


def let_pauses_end() -> None:
    """Let the time pass for which items and configurations wait after a failure. Changes no lease and no claim."""
    now = timezone.now()
    items = ContentMetadataItemTransmission.objects.filter(next_attempt_at__gt=now)
    retry(lambda: items.update(next_attempt_at=now))
    waiting = ChannelConfiguration.objects.filter(next_sync_at__gt=now, next_sync_at__lt=now + _LONG_PAUSE)
    retry(lambda: waiting.update(next_sync_at=now, not_before=None))


def open_events(configuration: int) -> dict[str, bool]:
    """Return kind -> True if subscribers were notified, for each open event of a configuration."""
    events = Notification.objects.filter(configuration=configuration, is_open=True)
    return {event.kind: event.announced_at is not None for event in events}


def unsettled() -> list[str]:
    """Return what is still due, queued, running, open or unsent, as sentences."""
    now = timezone.now()
    counts = {
        "configurations are due": ChannelConfiguration.objects.due(now).count(),
        "syncs are queued, or the broker does not respond": _queued(),
        "claims are left": ChannelConfiguration.objects.filter(queued_at__isnull=False).count(),
        "leases are held": SyncLease.objects.filter(expires_at__gt=now).count(),
        "runs have no end": SyncRun.objects.filter(finished_at=None).count(),
        "events are open": Notification.objects.filter(is_open=True).count(),
        "events are to be announced": Notification.objects.filter(next_step_at__isnull=False).count(),
        "messages are unsent": Delivery.objects.filter(state=DeliveryState.WAITING).count(),
    }
    return [f"{number} {what}" for what, number in counts.items() if number]


def _queued() -> int:
    try:
        return sum(queue_length(name) for name in ("interactive", "changes", "sweep"))
    except BrokerUnreachableError:
        return 1


def recorded(configuration: int, catalogs: Iterable[str]) -> dict[str, Any]:
    """Return the recorded state of a configuration, and the items of its catalogs."""
    found = EnterpriseCatalog.objects.select_related("enterprise_customer").filter(pk__in=catalogs)
    return {
        "state": asdict(recorded_state_of(configuration)),
        "catalogs": {str(catalog.pk): items_of(catalog) for catalog in found},
    }


def comparisons() -> list[str]:
    """Return why runs have compared all items or only changes, once each."""
    return list(SyncRun.objects.exclude(comparison="").values_list("comparison", flat=True).distinct())


def news() -> dict[str, Any]:
    """Return the events that were announced, and the messages to each subscription."""
    events = Notification.objects.select_related("configuration").filter(announced_at__isnull=False)
    columns = ("subscription_id", "message_id", "state", "attempts", "message")
    return {
        "events": [
            {
                "id": event.pk,
                "kind": event.kind,
                "resolution": event.resolution,
                "subscriptions": [each.pk for each in Subscription.objects.all() if wants(each, event)],
            }
            for event in events
        ],
        "messages": list(Delivery.objects.order_by("pk").values(*columns)),
    }


def _functions() -> Iterator[Callable[..., Any]]:
    yield from (
        set_schedule,
        subscribe,
        compare_all,
        sync_full,
        forget_changes,
        back_up,
        restore,
        activity,
        expire_claims,
    )
    yield from (let_pauses_end, open_events, unsettled, recorded, comparisons, news)


ORDERS: Final[Mapping[str, Callable[..., Any]]] = {
    **admin_process.ORDERS,
    **{function.__name__: function for function in _functions()},
}
