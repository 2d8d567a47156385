"""E-mails, sent to a real mail server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.integrated_channels.models import Delivery
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries, outbox
from tests.factories.channels import ConfigurationFactory, NotificationFactory, SubscriptionFactory

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.integrated_channels.conftest import Clock
    from tests.integrated_channels.reporting.notifications.receivers import MailServer

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

REMEDY: Final = (
    "Correct the credentials or settings of the configuration, and check its connection. The next sync then continues."
)


def deliver(clock: Clock) -> Delivery:
    """Announce all events and send the only message; return it."""
    outbox.announce(now=clock.now)
    [message] = Delivery.objects.all()
    assert message.next_attempt_at is not None
    clock.now = max(clock.now, message.next_attempt_at)
    deliveries.send(message.pk, clock=clock)
    message.refresh_from_db()
    return message


def test_an_email_says_what_happened_why_and_what_to_do(mail_server: MailServer, clock: Clock) -> None:
    event, subscription = NotificationFactory.create(), SubscriptionFactory.create()

    message = deliver(clock)

    [mail] = mail_server.received
    assert message.state == "sent"
    assert (mail["From"], mail["To"]) == ("Catalog <catalog@example.org>", "ops@example.org")
    assert mail["Message-ID"] == f"<{message.message_id}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    customer = event.configuration.enterprise_customer_uuid
    assert mail["Subject"] == f"Moodle of {customer} has stopped: nothing is sent to its LMS"
    pages = "https://admin.example.org/admin/integrated_channels"
    assert mail.get_content().splitlines() == [
        f"Moodle of {customer} has stopped: nothing is sent to its LMS.",
        "The LMS returned 401: Invalid token.",
        REMEDY,
        f"{pages}/channelconfiguration/{event.configuration.pk}/change/",
        "",
        f"Change or mute these messages: {pages}/subscription/{subscription.pk}/change/",
    ]


def test_an_email_to_a_customers_own_subscriber_has_no_link_to_the_admin(mail_server: MailServer, clock: Clock) -> None:
    event = NotificationFactory.create()
    customer = event.configuration.enterprise_customer_uuid
    SubscriptionFactory.create(enterprise_customer_uuid=customer, is_customers=True)

    deliver(clock)

    [mail] = mail_server.received
    assert mail.get_content().splitlines() == [
        f"Moodle of {customer} has stopped: nothing is sent to its LMS.",
        "The LMS returned 401: Invalid token.",
        REMEDY,
    ]


def test_names_cannot_add_headers(mail_server: MailServer, clock: Clock) -> None:
    configuration = ConfigurationFactory.create(display_name="Evil\r\nBcc: all@example.org")
    NotificationFactory.create(configuration=configuration)
    SubscriptionFactory.create()

    deliver(clock)

    [mail] = mail_server.received
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Evil Bcc: all@example.org (Moodle of ")


@pytest.mark.parametrize(
    ("reply", "state"),
    [("451 Try again later", "waiting"), ("554 Transaction failed", "waiting")],
)
def test_a_message_that_the_server_refuses_is_retried(
    mail_server: MailServer, clock: Clock, reply: str, state: str
) -> None:
    NotificationFactory.create()
    SubscriptionFactory.create()
    mail_server.replies = [reply]
    message = deliver(clock)
    assert message.state == state
    assert reply.partition(" ")[2] in message.response

    assert message.next_attempt_at is not None
    clock.now = message.next_attempt_at
    deliveries.send(message.pk, clock=clock)

    assert len(mail_server.received) == 1
    assert mail_server.received[0]["Message-ID"] == f"<{message.message_id}@example.org>"


@pytest.mark.parametrize(("reply", "state"), [("550 No such user", "failed"), ("450 Mailbox busy", "waiting")])
def test_an_unknown_recipient_is_not_tried_again(mail_server: MailServer, clock: Clock, reply: str, state: str) -> None:
    NotificationFactory.create()
    SubscriptionFactory.create()
    mail_server.recipient_reply = reply

    assert deliver(clock).state == state


def test_without_a_mail_server_the_message_fails_with_the_reason(clock: Clock, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    NotificationFactory.create()
    SubscriptionFactory.create()

    message = deliver(clock)

    assert message.state == "waiting"
    assert message.response == "E-mail is not set up: set EMAIL_URL and DEFAULT_FROM_EMAIL."


def test_a_daily_digest_is_one_email_about_all_events(mail_server: MailServer, clock: Clock) -> None:
    SubscriptionFactory.create(digest="daily")
    for _ in range(60):
        NotificationFactory.create()
        outbox.announce(now=clock.now)
        clock.forward(minutes=1)
    assert not deliveries.due(clock.now)

    deliver(clock)

    [mail] = mail_server.received
    assert mail["Subject"].startswith("60 events of integrated channels")
    assert mail.get_content().count("has stopped") == 50
    assert "And 10 more events." in mail.get_content()
    assert (clock.now.hour, clock.now.minute) == (outbox.DAILY_HOUR, 0)
