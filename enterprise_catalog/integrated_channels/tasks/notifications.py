"""Celery tasks of notifications: look for events and messages every minute, and send one message."""

from __future__ import annotations

from django.utils import timezone

from enterprise_catalog.celery import app
from enterprise_catalog.db.contention import retry
from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries, outbox


@app.task(name="notify")
def notify() -> int:
    """Find events, queue messages to their subscribers, and send all messages that are due; return their number.

    The scheduler calls this every minute. A lost task changes nothing: the next call finds the same messages.
    """
    now = timezone.now()
    retry(lambda: events.check(now=now))
    retry(lambda: outbox.announce(now=now))
    due = deliveries.due(now)
    for delivery_id in due:
        send_message.delay(delivery_id)
    return len(due)


@app.task(name="send_message")
def send_message(delivery_id: int) -> None:
    """Send one message, unless another worker has."""
    deliveries.send(delivery_id, clock=timezone.now)
