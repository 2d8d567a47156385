"""Sending of messages: claims, order, retries, and the recorded result."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.models import Delivery, DeliveryState, Medium, Notification, Resolution
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries, outbox, webhooks
from enterprise_catalog.integrated_channels.tasks import remove_old_attempts
from tests.factories.channels import SECRET, NotificationFactory, SubscriptionFactory

if TYPE_CHECKING:
    from pytest_django import Settings

    from enterprise_catalog.integrated_channels.models import Subscription
    from tests.integrated_channels.conftest import Clock
    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription(receiver: HTTPReceiver) -> Subscription:
    """A subscription of ``receiver`` to all events."""
    return SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)


@pytest.fixture
def message(subscription: Subscription, clock: Clock) -> Delivery:
    """A message about one event that waits."""
    del subscription
    NotificationFactory.create()
    outbox.announce(now=clock.now)
    return Delivery.objects.get()


def send_due(clock: Clock) -> int:
    """Send all messages that are due; return their number."""
    due = deliveries.due(clock.now)
    for delivery_id in due:
        deliveries.send(delivery_id, clock=clock)
    return len(due)


def test_a_message_is_sent_once_and_its_result_is_recorded(
    message: Delivery, receiver: HTTPReceiver, clock: Clock
) -> None:
    assert [send_due(clock), send_due(clock)] == [1, 0]
    assert deliveries.send(message.pk, clock=clock) is None

    message.refresh_from_db()
    assert (message.state, message.attempts, message.status_code, message.response) == ("sent", 1, 200, "ok")
    assert (message.finished_at, message.next_attempt_at) == (clock.now, None)
    assert [body["id"] for body in receiver.bodies()] == [str(message.message_id)]


def test_a_claimed_message_is_sent_by_no_other_worker_until_the_claim_expires(
    message: Delivery, receiver: HTTPReceiver, clock: Clock
) -> None:
    Delivery.objects.update(attempts=1, next_attempt_at=clock.now + deliveries.CLAIM)  # By a worker that has died.
    assert deliveries.send(message.pk, clock=clock) is None
    assert receiver.requests == []

    clock.forward(minutes=5)
    send_due(clock)

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 2)


def test_the_result_of_an_attempt_does_not_replace_that_of_a_later_one(
    message: Delivery, receiver: HTTPReceiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.responses = [Response("broken", status=500)]
    post = webhooks.send

    def slow(*args: Any, **options: Any) -> tuple[int, str]:
        Delivery.objects.update(attempts=2)  # The claim has expired, and another worker has begun.
        return post(*args, **options)

    monkeypatch.setattr(webhooks, "send", slow)
    send_due(clock)

    message.refresh_from_db()
    assert (message.state, message.response) == ("waiting", "")


def test_failed_attempts_are_repeated_with_pauses_and_then_given_up(
    message: Delivery, receiver: HTTPReceiver, clock: Clock
) -> None:
    began, texts = clock.now, set()
    for _ in range(deliveries.MAX_ATTEMPTS):
        receiver.responses.append(Response(f"no token {SECRET}", status=500))
        message.refresh_from_db()
        assert message.next_attempt_at is not None
        clock.now = message.next_attempt_at
        assert send_due(clock) == 1
        texts.add(receiver.requests[-1][1])

    message.refresh_from_db()
    assert (message.state, message.status_code) == ("failed", 500)
    assert message.response == "The webhook returned 500: no token [secret]"
    assert timedelta(hours=20) < clock.now - began < timedelta(hours=24)
    assert len(texts) == 1, "every attempt sends the same text"
    assert not send_due(clock)


@pytest.mark.parametrize("response", [Response("gone", status=410)])
def test_a_receiver_that_is_gone_gets_no_further_attempt(
    message: Delivery, receiver: HTTPReceiver, clock: Clock, response: Response
) -> None:
    receiver.responses = [response]
    send_due(clock)

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 1)


def test_a_receiver_may_ask_for_a_longer_pause(message: Delivery, receiver: HTTPReceiver, clock: Clock) -> None:
    receiver.responses = [Response("slow down", status=429, headers={"Retry-After": "900"})]
    send_due(clock)

    message.refresh_from_db()
    assert message.next_attempt_at == clock.now + timedelta(minutes=15)


def test_later_events_wait_behind_a_message_that_is_retried(
    message: Delivery, receiver: HTTPReceiver, clock: Clock
) -> None:
    receiver.responses = [Response(status=500)]
    send_due(clock)
    for _ in range(3):
        NotificationFactory.create(next_step_at=clock.now)
        outbox.announce(now=clock.now)
    assert send_due(clock) == 0
    later = Delivery.objects.latest("pk")
    assert deliveries.send(later.pk, clock=clock) is None

    clock.forward(minutes=1)
    assert [send_due(clock), send_due(clock)] == [1, 1]

    assert [len(body["events"]) for body in receiver.bodies()] == [1, 1, 3]
    assert receiver.bodies()[1]["id"] == str(message.message_id)


def test_an_event_that_ends_before_its_message_is_sent_is_reported_as_ended(
    message: Delivery, receiver: HTTPReceiver, clock: Clock
) -> None:
    events.resolve([Notification.objects.get().pk], Resolution.RECOVERED, now=clock.now)
    outbox.announce(now=clock.now)
    send_due(clock)

    [body] = receiver.bodies()
    assert [event["state"] for event in body["events"]] == ["resolved"]
    assert "syncs again" in body["subject"]
    message.refresh_from_db()
    assert message.state == "sent"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_messages_of_muted_and_deleted_subscriptions_are_skipped(
    message: Delivery, subscription: Subscription, receiver: HTTPReceiver, clock: Clock, *, is_deleted: bool
) -> None:
    if is_deleted:
        subscription.delete()
    else:
        subscription.muted = True
        subscription.save()
    send_due(clock)

    message.refresh_from_db()
    assert (message.state, message.recipient) == ("skipped", "127.0.0.1")
    assert receiver.requests == []


def test_a_test_message_is_sent_at_once_and_not_retried(
    message: Delivery, subscription: Subscription, receiver: HTTPReceiver, clock: Clock
) -> None:
    receiver.responses = [Response(status=500), Response(status=404), Response("ok")]
    send_due(clock)
    refused, accepted = (deliveries.send_test(subscription, clock=clock) for _ in range(2))

    assert [refused.state, accepted.state] == ["failed", "sent"]
    assert [body["is_test"] for body in receiver.bodies()] == [False, True, True]
    message.refresh_from_db()
    assert message.state == DeliveryState.WAITING


def test_old_messages_and_events_are_removed_but_not_open_ones(
    message: Delivery, clock: Clock, settings: Settings
) -> None:
    send_due(clock)
    Notification.objects.update(resolved_at=clock.now)
    NotificationFactory.create(next_step_at=None)
    settings.ATTEMPT_RETENTION_DAYS = 1

    remove_old_attempts()

    assert not Delivery.objects.filter(pk=message.pk).exists()
    assert [event.is_open for event in Notification.objects.all()] == [True]
