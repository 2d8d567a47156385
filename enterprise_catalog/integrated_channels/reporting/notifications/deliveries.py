"""Claims a message, sends it, and records the result; retries.

A subscriber's messages are sent in order, one at a time. While one is retried, later events wait in the next message,
so an unreachable receiver has at most two waiting messages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.models import Delivery, DeliveryState, Medium, Notification
from enterprise_catalog.integrated_channels.reporting.notifications import mail, webhooks
from enterprise_catalog.integrated_channels.reporting.notifications.errors import SendError
from enterprise_catalog.integrated_channels.reporting.notifications.messages import compose

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

    from enterprise_catalog.db.batched_deletes import BatchedDeletes
    from enterprise_catalog.integrated_channels.models import Subscription

log = structlog.get_logger(__name__)

#: Time after which a claimed message counts as not sent: its worker has died. Longer than any attempt takes.
CLAIM: Final = timedelta(minutes=5)
#: Minutes from one attempt to the next; after the last, a message has failed.
RETRY_MINUTES: Final = (1, 5, 15, 60, 180, 360, 720)
MAX_ATTEMPTS: Final = len(RETRY_MINUTES) + 1
#: Messages that one look queues at most.
MESSAGES_AT_ONCE: Final = 500
_MAX_RESPONSE: Final = 500

_EARLIER: Final = Delivery.objects.filter(
    subscription=OuterRef("subscription"), state=DeliveryState.WAITING, is_test=False, pk__lt=OuterRef("pk")
)


def due(now: datetime) -> list[int]:
    """Return the ids of the messages to send now, the longest waiting first."""
    return list(_sendable(now).order_by("next_attempt_at").values_list("pk", flat=True)[:MESSAGES_AT_ONCE])


def _sendable(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        Q(is_test=True) | ~Exists(_EARLIER), state=DeliveryState.WAITING, next_attempt_at__lte=now
    )


def send(delivery_id: int, *, clock: Callable[[], datetime]) -> Delivery | None:
    """Send a message that is due, and record the result. Safe to repeat, and safe on several workers.

    Returns:
        The message with its new state; ``None`` if it is not due, or another worker sends it.
    """
    delivery = _claim(delivery_id, now=clock())
    if delivery is None or delivery.state != DeliveryState.WAITING:
        return delivery
    assert delivery.subscription is not None
    assert delivery.message is not None
    try:
        status_code, response = _hand_over(delivery, delivery.subscription, now=clock())
    except SendError as error:
        _record_failure(delivery, error, now=clock())
    else:
        _end(delivery, DeliveryState.SENT, response, status_code, now=clock())
    return delivery


def send_test(subscription: Subscription, *, clock: Callable[[], datetime]) -> Delivery:
    """Send a test message at once, whatever else waits. It is recorded, and not retried."""
    now = clock()
    delivery = Delivery.objects.create(
        subscription=subscription, recipient=str(subscription), is_test=True, created_at=now, next_attempt_at=now
    )
    return send(delivery.pk, clock=clock) or delivery


def _claim(delivery_id: int, *, now: datetime) -> Delivery | None:
    """Take a message and write its text, unless an earlier attempt has. Later attempts send the same text."""
    if not _sendable(now).filter(pk=delivery_id).exists():
        return None
    with transaction.atomic():
        rows = Delivery.objects.all()
        waiting = with_keys(rows, [delivery_id], state=DeliveryState.WAITING, next_attempt_at__lte=now)
        # Before the events are read: an event that ends later gets a message of its own.
        if not waiting.update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIM):
            return None
        delivery = Delivery.objects.select_related("subscription").get(pk=delivery_id)
        subscription = delivery.subscription
        if subscription is None or (subscription.muted and not delivery.is_test):
            _end(delivery, DeliveryState.SKIPPED, "", None, now=now)
        elif delivery.attempts > MAX_ATTEMPTS:
            _end(delivery, DeliveryState.FAILED, "Each attempt was cut short.", None, now=now)
        elif delivery.message is None:
            delivery.message = compose(delivery, now=now)
            delivery.save(update_fields=["message"])
    return delivery


def _hand_over(delivery: Delivery, subscription: Subscription, *, now: datetime) -> tuple[int | None, str]:
    """Send the message; return the HTTP status and the beginning of the response.

    Raises:
        SendError: the receiver has not accepted the message.
    """
    if subscription.medium == Medium.EMAIL:
        return None, mail.send(delivery, subscription.email)
    return webhooks.send(delivery, subscription, now=now)


def _record_failure(delivery: Delivery, error: SendError, *, now: datetime) -> None:
    is_last = error.is_permanent or delivery.is_test or delivery.attempts >= MAX_ATTEMPTS
    if is_last:
        _end(delivery, DeliveryState.FAILED, error.message, error.status_code, now=now)
        return
    pause = timedelta(minutes=RETRY_MINUTES[delivery.attempts - 1])
    wait = max(pause, timedelta(seconds=error.retry_after_seconds or 0))
    _write(delivery, next_attempt_at=now + wait, response=error.message, status_code=error.status_code)
    log.warning("notification_not_sent", delivery_id=delivery.pk, attempts=delivery.attempts)


def _end(delivery: Delivery, state: DeliveryState, response: str, status_code: int | None, *, now: datetime) -> None:
    _write(delivery, state=state, response=response, status_code=status_code, finished_at=now, next_attempt_at=None)
    log.info("notification_ended", delivery_id=delivery.pk, state=state.value, attempts=delivery.attempts)


def _write(delivery: Delivery, **columns: object) -> None:
    """Write the result of an attempt, unless a later attempt has begun meanwhile."""
    rows = Delivery.objects.all()
    mine = with_keys(rows, [delivery.pk], state=DeliveryState.WAITING, attempts=delivery.attempts)
    columns["response"] = str(columns["response"])[:_MAX_RESPONSE]
    if mine.update(**columns):
        for name, value in columns.items():
            setattr(delivery, name, value)


def remove_old(deletes: BatchedDeletes, *, before: datetime) -> None:
    """Delete ended messages and events from before a time."""
    deletes.delete(
        Delivery.objects.filter(created_at__lt=before).order_by("created_at", "pk"),
        only=~Q(state=DeliveryState.WAITING),
    )
    deletes.delete(
        Notification.objects.filter(opened_at__lt=before).order_by("opened_at", "pk"),
        only=Q(resolved_at__isnull=False, delivered=None),
    )
