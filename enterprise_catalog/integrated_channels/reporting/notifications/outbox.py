"""Queues a message for each subscriber of an event that begins or ends.

One transaction writes the messages and marks the events, so an event is announced exactly once, whenever a process
dies. Events that are announced while a subscriber's last message waits are added to that message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Digest,
    Notification,
    Subscription,
)
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import wants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Events per transaction.
EVENTS_AT_ONCE: Final = 500
#: Hour of daily messages, UTC.
DAILY_HOUR: Final = 6


def announce(*, now: datetime) -> int:
    """Queue messages about all events that begin or end; return the number of events. Safe on several workers."""
    announced = 0
    while number := _announce_some(now):
        announced += number
    return announced


def _announce_some(now: datetime) -> int:
    due = Notification.objects.filter(next_step_at__lte=now).order_by("next_step_at")
    chosen = dict(due.values_list("pk", "configuration_id")[:EVENTS_AT_ONCE])
    if not chosen:
        return 0
    with transaction.atomic():
        # Each writer of an event locks its configuration first: a run at its end, the periodic check, and this.
        list(ChannelConfiguration.objects.filter(pk__in=chosen.values()).order_by("pk").select_for_update())
        found = due.filter(pk__in=chosen).select_related("configuration")
        events = list(found)
        if events:
            _queue(events, now)
            Notification.objects.filter(pk__in=[event.pk for event in events], resolved_at=None).update(
                announced_at=now
            )
            Notification.objects.filter(pk__in=[event.pk for event in events]).update(next_step_at=None)
    return len(chosen)


def _queue(events: Sequence[Notification], now: datetime) -> None:
    """Add the events to messages: to each subscriber's message that waits, or to a new one."""
    subscriptions = _subscriptions_for(events)
    waiting = _unsent(subscriptions)
    in_message = _states_of_beginnings([event for event in events if not event.is_open])
    items = []
    for subscription in subscriptions:
        wanted = [event for event in events if _is_news(event, subscription, in_message)]
        if wanted:
            delivery = waiting.get(subscription.pk) or _new_message(subscription, now)
            items += [
                DeliveryItem(
                    delivery=delivery, notification=event, subscription=subscription, is_recovery=not event.is_open
                )
                for event in wanted
            ]
    DeliveryItem.objects.bulk_create(items, batch_size=1_000)


def _subscriptions_for(events: Sequence[Notification]) -> list[Subscription]:
    """Return the subscriptions that may be about the events, locked: two processes must not add a message each."""
    configurations = {event.configuration_id for event in events}
    customers = {event.configuration.enterprise_customer_uuid for event in events}
    about = (
        Q(configuration__in=configurations)
        | Q(enterprise_customer_uuid__in=customers)
        | Q(configuration=None, enterprise_customer_uuid=None)
    )
    rows = Subscription.objects.filter(about, muted=False).order_by("pk").select_for_update()
    return list(rows)


def _unsent(subscriptions: Sequence[Subscription]) -> dict[int | None, Delivery]:
    """Return subscription -> its message that no worker has begun to send, locked."""
    rows = Delivery.objects.filter(
        subscription__in=subscriptions, state=DeliveryState.WAITING, attempts=0, is_test=False
    )
    return {delivery.subscription_id: delivery for delivery in rows.select_for_update()}


def _states_of_beginnings(ended: Sequence[Notification]) -> Mapping[tuple[int | None, int], Delivery]:
    """Return subscription and event -> the message about the event's beginning, locked."""
    if not ended:
        return {}
    items = DeliveryItem.objects.filter(notification__in=ended, is_recovery=False)
    found = {
        (subscription, event): delivery
        for subscription, event, delivery in items.values_list("subscription_id", "notification_id", "delivery_id")
    }
    messages = Delivery.objects.select_for_update().in_bulk(set(found.values()))
    return {key: messages[delivery] for key, delivery in found.items()}


def _is_news(
    event: Notification, subscription: Subscription, in_message: Mapping[tuple[int | None, int], Delivery]
) -> bool:
    """Return True if the subscriber is to be notified of the event's beginning or end, whichever is the news.

    An end is news only for a subscriber who may have read of the beginning. A message that no worker has begun to send
    is written later, and then says that the event has ended. So may a message that has been written since the end.
    """
    if not wants(subscription, event):
        return False
    if event.is_open:
        return True
    message = in_message.get((subscription.pk, event.pk))
    if message is None or not subscription.with_recoveries:
        return False
    has_begun = message.state == DeliveryState.SENT or (message.state == DeliveryState.WAITING and message.attempts > 0)
    return has_begun and not _reports_end(message, event)


def _reports_end(message: Delivery, event: Notification) -> bool:
    """Return True if a message that has been written says that the event has ended."""
    records = message.message["events"] if message.message else []
    return any(record["id"] == event.pk and record["state"] == "resolved" for record in records)


def _new_message(subscription: Subscription, now: datetime) -> Delivery:
    return Delivery.objects.create(
        subscription=subscription,
        recipient=str(subscription),
        created_at=now,
        next_attempt_at=next_time(Digest(subscription.digest), now),
    )


def next_time(digest: Digest, now: datetime) -> datetime:
    """Return when the next message of a digest is sent: now, on the next hour, or on the next morning."""
    if digest is Digest.AT_ONCE:
        return now
    hour = now.replace(minute=0, second=0, microsecond=0)
    if digest is Digest.HOURLY:
        return hour + timedelta(hours=1)
    morning = hour.replace(hour=DAILY_HOUR)
    return morning if morning > now else morning + timedelta(days=1)
