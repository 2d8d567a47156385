"""Celery tasks of syncs: queue the due configurations, sync one configuration.

The lease allows only one run per configuration, on however many workers.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from typing import Final

from celery.exceptions import Reject
from celery.signals import worker_shutting_down
from django.utils import timezone

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.lms.stopping import request_stop, stop_requested
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync.engine import sync

#: Seconds after SIGTERM at which a worker that is still running terminates its tasks. A run ends long before that,
#: unless something without its own limit hangs, such as a database. Brokers deliver a terminated task again.
LAST_RESORT_SECONDS: Final = 40.0


@worker_shutting_down.connect
def _stop_syncs(**_: object) -> None:
    """End syncs soon after SIGTERM. The worker's main process gets the signal; its pool sees the stop request."""
    is_first = not stop_requested()
    request_stop()
    if is_first and sys.platform != "win32":
        timer = threading.Timer(LAST_RESORT_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
        timer.daemon = True
        timer.start()


@app.task(name="sync_due_configurations")
def sync_due_configurations() -> int:
    """Queue a sync of each due configuration; return their number. The scheduler calls this every few minutes."""
    due = ChannelConfiguration.objects.due(timezone.now()).order_by("next_sync_at").values_list("pk", flat=True)
    for pk in due:
        sync_configuration.delay(pk, only_if_due=True)
    return len(due)


#: Interval at which the scheduler looks for due configurations, unless it was changed in the admin.
SCHEDULER_INTERVAL: Final = timedelta(minutes=5)


@app.task(name="sync_configuration")
def sync_configuration(configuration_id: int, *, only_if_due: bool = False) -> None:
    """Sync one configuration, unless it was deactivated after it was queued.

    Args:
        only_if_due: do nothing if a sync has run since; a slow queue contains several tasks of one configuration.
    """
    if stop_requested():
        raise Reject("The worker is shutting down.", requeue=True)
    configurations = ChannelConfiguration.objects.filter(pk=configuration_id, active=True)
    configuration = (configurations.due(timezone.now()) if only_if_due else configurations).first()
    if configuration is not None and sync(configuration, clock=timezone.now, in_worker=True) is not None:
        _queue_if_due_soon(configuration)


def _queue_if_due_soon(configuration: ChannelConfiguration) -> None:
    """Queue the next run of a configuration that is due again before the scheduler looks.

    So a run that was cut short continues, and a run that waits for its LMS to accept more calls occupies no worker.
    """
    configuration.refresh_from_db(fields=["next_sync_at"])
    next_sync_at = configuration.next_sync_at
    if next_sync_at is not None and next_sync_at < timezone.now() + SCHEDULER_INTERVAL:
        sync_configuration.apply_async((configuration.pk,), {"only_if_due": True}, eta=next_sync_at)
