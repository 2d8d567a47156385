"""Messages to the subscribers of an event: each subscriber gets the beginning and the end once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.models import (
    Delivery,
    DeliveryItem,
    DeliveryState,
    Digest,
    EventKind,
    Notification,
    Resolution,
)
from enterprise_catalog.integrated_channels.reporting.notifications import outbox
from enterprise_catalog.integrated_channels.reporting.notifications.messages import compose
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, NotificationFactory, SubscriptionFactory

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import Subscription

NOW = DAY_ONE + timedelta(minutes=1)


def sent_about(subscription: Subscription) -> list[tuple[int, bool]]:
    """Return event and ``is_recovery`` of all that the subscriber is notified of."""
    items = DeliveryItem.objects.filter(subscription=subscription).order_by("pk")
    return list(items.values_list("notification_id", "is_recovery"))


def resolve(event: Notification, *, now: datetime = NOW) -> None:
    events.resolve([event.pk], Resolution.RECOVERED, now=now)


def end_all(state: DeliveryState, *, attempts: int = 1) -> None:
    Delivery.objects.update(state=state, attempts=attempts)


@pytest.mark.django_db
def test_a_subscriber_is_notified_of_the_beginning_and_of_the_end_once() -> None:
    event, subscription = NotificationFactory.create(), SubscriptionFactory.create()
    for _ in range(2):
        outbox.announce(now=NOW)
    assert sent_about(subscription) == [(event.pk, False)]

    end_all(DeliveryState.SENT)
    resolve(event)
    for _ in range(2):
        outbox.announce(now=NOW)

    assert sent_about(subscription) == [(event.pk, False), (event.pk, True)]
    assert Delivery.objects.count() == 2


@pytest.mark.django_db
def test_an_event_is_not_announced_before_its_time() -> None:
    NotificationFactory.create(next_step_at=NOW + timedelta(seconds=1))
    SubscriptionFactory.create()

    assert outbox.announce(now=NOW) == 0
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_events_reach_the_subscriptions_of_their_configuration_customer_and_kind() -> None:
    event = NotificationFactory.create()
    configuration, customer = event.configuration, event.configuration.enterprise_customer_uuid
    other = ConfigurationFactory.create(enterprise_customer_uuid="22222222-0000-4000-8000-000000000000")
    wanted = [
        SubscriptionFactory.create(),
        SubscriptionFactory.create(configuration=configuration),
        SubscriptionFactory.create(enterprise_customer_uuid=customer),
        SubscriptionFactory.create(kinds=["held", "stopped"]),
    ]
    unwanted = [
        SubscriptionFactory.create(configuration=other),
        SubscriptionFactory.create(enterprise_customer_uuid=other.enterprise_customer_uuid),
        SubscriptionFactory.create(kinds=["held"]),
        SubscriptionFactory.create(muted=True),
    ]

    outbox.announce(now=NOW)

    assert [sent_about(each) for each in wanted] == [[(event.pk, False)]] * 4
    assert [sent_about(each) for each in unwanted] == [[]] * 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "attempts", "with_recoveries", "is_news"),
    [
        (DeliveryState.SENT, 1, True, True),
        (DeliveryState.SENT, 1, False, False),
        (DeliveryState.WAITING, 1, True, True),  # The receiver may have got it.
        (DeliveryState.WAITING, 0, True, False),  # Its text is written later.
        (DeliveryState.FAILED, 8, True, False),
        (DeliveryState.SKIPPED, 0, True, False),
    ],
)
def test_a_recovery_is_news_only_to_those_who_may_know_of_the_event(
    state: DeliveryState, attempts: int, with_recoveries: bool, is_news: bool
) -> None:
    event, subscription = NotificationFactory.create(), SubscriptionFactory.create(with_recoveries=with_recoveries)
    outbox.announce(now=NOW)
    end_all(state, attempts=attempts)

    resolve(event)
    outbox.announce(now=NOW)

    assert sent_about(subscription)[1:] == ([(event.pk, True)] if is_news else [])


@pytest.mark.django_db
@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.SENT])
def test_an_end_that_the_message_about_the_beginning_reports_is_no_news(state: DeliveryState) -> None:
    event, subscription = NotificationFactory.create(), SubscriptionFactory.create()
    outbox.announce(now=NOW)
    resolve(event)
    message = Delivery.objects.get()
    message.message, message.state, message.attempts = compose(message, now=NOW), state, 1
    message.save()

    outbox.announce(now=NOW)

    assert sent_about(subscription) == [(event.pk, False)]
    assert [record["state"] for record in message.message["events"]] == ["resolved"]


@pytest.mark.django_db
def test_a_subscription_that_was_made_later_gets_no_recovery() -> None:
    event = NotificationFactory.create()
    outbox.announce(now=NOW)
    subscription = SubscriptionFactory.create()

    resolve(event)
    outbox.announce(now=NOW)

    assert sent_about(subscription) == []


@pytest.mark.django_db
def test_events_join_the_message_that_waits_and_not_one_that_is_being_sent() -> None:
    SubscriptionFactory.create()
    for _ in range(3):
        NotificationFactory.create()
    outbox.announce(now=NOW)
    NotificationFactory.create()
    outbox.announce(now=NOW)
    [message] = Delivery.objects.all()
    assert message.events.count() == 4

    end_all(DeliveryState.WAITING)
    NotificationFactory.create()
    outbox.announce(now=NOW)

    assert [each.events.count() for each in Delivery.objects.order_by("pk")] == [4, 1]


@pytest.mark.django_db
def test_thousands_of_events_take_few_statements(django_assert_max_num_queries: Any) -> None:
    configurations = [ConfigurationFactory.create() for _ in range(3)]
    SubscriptionFactory.create()
    for configuration in configurations:
        for number in range(400):
            NotificationFactory.create(configuration=configuration, resolved_at=DAY_ONE, kind=EventKind.LATE)
            del number
    with django_assert_max_num_queries(50):
        assert outbox.announce(now=NOW) == 1_200


@pytest.mark.django_db(transaction=True)
def test_an_announcement_that_fails_is_repeated_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    event, subscription = NotificationFactory.create(), SubscriptionFactory.create()

    with monkeypatch.context() as patch:
        patch.setattr(DeliveryItem.objects, "bulk_create", fail)
        with pytest.raises(DatabaseError):
            outbox.announce(now=NOW)
    assert not Delivery.objects.exists()

    outbox.announce(now=NOW)

    assert sent_about(subscription) == [(event.pk, False)]


def fail(*_: object, **__: object) -> None:
    raise DatabaseError


@given(now=st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_digests_are_sent_on_the_next_hour_and_the_next_morning(now: datetime) -> None:
    hourly, daily = outbox.next_time(Digest.HOURLY, now), outbox.next_time(Digest.DAILY, now)

    assert timedelta(0) < hourly - now <= timedelta(hours=1)
    assert timedelta(0) < daily - now <= timedelta(days=1)
    assert (hourly.minute, daily.hour, daily.minute) == (0, outbox.DAILY_HOUR, 0)
    assert outbox.next_time(Digest.AT_ONCE, now) == now
