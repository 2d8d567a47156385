"""Celery tasks of syncs: find changed customers, queue the due configurations, sync one configuration.

The lease allows only one run per configuration, on however many workers.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

import structlog
from celery.exceptions import Reject
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.lms.stopping import request_stop, stop_requested
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.tasks import changes, claims
from enterprise_catalog.observability.celery_metrics import queue_length

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger(__name__)

#: Seconds after SIGTERM at which a worker that is still running terminates its tasks. A run ends long before that,
#: unless something without its own limit hangs, such as a database. Brokers deliver a terminated task again.
LAST_RESORT_SECONDS: Final = 40.0
#: Age at which a message of the scheduler is dropped; the scheduler has sent others since.
TICK_EXPIRES_SECONDS: Final = 30.0


@worker_shutting_down.connect
def _stop_syncs(**_: object) -> None:
    """End syncs soon after SIGTERM. The worker's main process gets the signal; its pool sees the stop request."""
    is_first = not stop_requested()
    request_stop()
    if is_first and sys.platform != "win32":
        timer = threading.Timer(LAST_RESORT_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
        timer.daemon = True
        timer.start()


@app.task(name="sync_changed_configurations")
def sync_changed_configurations() -> None:
    """Make the configurations of changed customers due, and queue what is due. The scheduler calls this every 5 s."""
    changes.find_changes(timezone.now)
    sync_due_configurations.apply_async(expires=TICK_EXPIRES_SECONDS)


@app.task(name="sync_due_configurations")
def sync_due_configurations() -> int:
    """Queue the syncs that have been due for longest, as far as the queues have places; return their number.

    Sends at most ``SYNC_QUEUE_SIZE`` messages to each queue, and five statements. Also finds lost messages; their
    configurations are queued by the next call.
    """
    now = timezone.now()
    load = claims.read_load(now)
    if lost := load.with_old_claims(now):
        released = sum(claims.release_lost(queue, is_empty=queue_length(queue) == 0, now=now) for queue in lost)
        log.info("lost_messages", queues=[*lost], released=released)
    return _send(claims.claim_due(load, now=now))


@app.task(name="sync_configuration")
def sync_configuration(configuration_id: int, *, only_if_due: bool = False, token: int | None = None) -> None:
    """Sync one configuration, unless it was deactivated after it was queued.

    Args:
        only_if_due: do nothing if a sync has run since.
        token: of the claim, see ``claims.py``; the sync must be due. ``None`` for a sync without a claim.
    """
    if stop_requested():
        raise Reject("The worker is shutting down.", requeue=True)
    if token is not None and not claims.take(configuration_id, token):
        return
    configurations = ChannelConfiguration.objects.filter(pk=configuration_id, active=True)
    is_due = only_if_due or token is not None
    configuration = (configurations.due(timezone.now()) if is_due else configurations).first()
    if configuration is not None:
        sync(configuration, clock=timezone.now, in_worker=True)
    if token is not None:
        _refill()


def queue_sync(configuration_id: int) -> None:
    """Queue the sync of an active configuration for a user who is waiting. Safe to repeat: it is queued once.

    Raises:
        OperationalError: the message broker is unreachable. The sync stays due, and the scheduler queues it.
    """
    if claim := claims.claim_now(configuration_id, now=timezone.now()):
        _send([claim])


def _refill() -> None:
    """Queue the next syncs if a queue is half empty, without waiting for the scheduler."""
    now = timezone.now()
    least = max(settings.SYNC_QUEUE_SIZE // 2, 1)
    try:
        _send(claims.claim_due(claims.read_load(now), now=now, least=least))
    except OperationalError:
        log.warning("syncs_not_queued")  # The scheduler tries again.


def _send(claimed: Sequence[claims.Claim]) -> int:
    """Send the messages of claims; return their number.

    Raises:
        OperationalError: the message broker is unreachable. The claims without a message have ended.
    """
    for position, claim in enumerate(claimed):
        try:
            sync_configuration.apply_async((claim.configuration_id,), {"token": claim.token}, queue=claim.queue)
        except OperationalError:
            claims.release(claimed[position:])
            raise
    return len(claimed)
