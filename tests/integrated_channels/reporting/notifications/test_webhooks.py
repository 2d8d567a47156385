"""Webhooks: signature, body, addresses, and limits."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from werkzeug import Response

from enterprise_catalog.integrated_channels.exceptions import DeadlineExceededError
from enterprise_catalog.integrated_channels.models import Delivery, DeliveryState, Medium
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries, subscriptions, webhooks
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import (
    Webhook,
    secret_problems,
    set_webhook,
    url_problems,
    webhook_of,
)
from tests.factories.channels import SECRET, SubscriptionFactory

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.integrated_channels.conftest import Clock
    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


def test_a_request_is_signed_with_the_time_and_has_an_id(receiver: HTTPReceiver, clock: Clock) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)
    delivery = deliveries.send_test(subscription, clock=clock)

    [(headers, _)] = receiver.requests
    assert receiver.is_signed(0, SECRET)
    assert not receiver.is_signed(0, "another secret")
    assert headers["enterprise-catalog-signature"].startswith(f"t={int(clock.now.timestamp())},v1=")
    assert headers["enterprise-catalog-message-id"] == str(delivery.message_id)
    assert headers["content-type"] == "application/json"


def test_a_known_body_has_a_known_signature() -> None:
    # Computed with: printf '1764417600.{}' | openssl dgst -sha256 -hmac secret
    assert webhooks.signature("secret", b"{}", at=1764417600) == (
        "t=1764417600,v1=5edfce01623672e2f08fe6685b300acfee2d15733320b73f9166d9bc846898cf"
    )


def test_slack_gets_text_in_which_names_cannot_mention_people(receiver: HTTPReceiver, clock: Clock) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.SLACK, url=receiver.url, secret="")
    delivery = Delivery.objects.create(
        subscription=subscription,
        created_at=clock.now,
        next_attempt_at=clock.now,
        message={"subject": "<!channel> & co", "events": [], "omitted": 0},
    )
    deliveries.send(delivery.pk, clock=clock)

    [(headers, _)] = receiver.requests
    [body] = receiver.bodies()
    assert [*body] == ["text"]
    assert body["text"].startswith("*&lt;!channel&gt; &amp; co*")
    assert "enterprise-catalog-signature" not in headers


def test_a_redirect_is_not_followed(receiver: HTTPReceiver, clock: Clock) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)
    receiver.responses = [Response(status=302, headers={"Location": receiver.url})]

    delivery = deliveries.send_test(subscription, clock=clock)

    assert (delivery.state, delivery.status_code) == ("failed", 302)
    assert len(receiver.requests) == 1


def test_only_the_beginning_of_a_response_is_read_and_stored_without_secrets(
    receiver: HTTPReceiver, clock: Clock
) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)
    sent = 0

    def endless() -> Any:
        nonlocal sent
        while True:
            sent += 1
            yield f"{receiver.url} {SECRET} ".encode() * 100

    receiver.responses = [Response(endless(), status=500)]
    delivery = deliveries.send_test(subscription, clock=clock)

    assert sent < 5_000
    assert len(delivery.response) < 500
    assert SECRET not in delivery.response
    assert "T0000" not in delivery.response


def test_a_slow_receiver_is_given_up(receiver: HTTPReceiver, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)

    def too_late() -> float:
        raise DeadlineExceededError("too late")

    monkeypatch.setattr(webhooks, "check_call", too_late)
    delivery = deliveries.send_test(subscription, clock=clock)

    assert (delivery.state, delivery.response) == ("failed", "The webhook did not respond in time.")


def test_an_unreachable_receiver_is_a_failure_without_the_url(clock: Clock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/T0000-secret-path"
        delivery = deliveries.send_test(SubscriptionFactory.create(medium=Medium.WEBHOOK, url=url), clock=clock)

    assert delivery.state == DeliveryState.FAILED
    assert delivery.response.startswith("The webhook did not respond: ")
    assert "T0000" not in delivery.response


def test_a_private_address_is_refused_when_it_is_sent(receiver: HTTPReceiver, clock: Clock, settings: Settings) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        delivery = deliveries.send_test(SubscriptionFactory.create(medium=Medium.WEBHOOK, url=url), clock=clock)
        assert delivery.response == "The host of the webhook does not have a public address."

    assert receiver.requests == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://93.184.215.14/hook", ""),
        ("http://93.184.215.14/hook", "must begin with https"),
        ("ftp://93.184.215.14/hook", "must begin with https"),
        ("https://user:word@93.184.215.14/", "user name or password"),
        ("https://127.0.0.1/hook", "public address"),
        ("https://localhost/hook", "public address"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("https://[::1]/", "public address"),
        ("https://[fd00::1]/", "public address"),
        ("https://no-such-host.invalid/", "could not be resolved"),
        (f"https://{'a' * 64}.example.org/", "could not be resolved"),
        ("https://", "is invalid"),
        ("https://[broken/", "is invalid"),
        ("https://example.org:port/", "is invalid"),
        ("https://example.org/a b", "is invalid"),
        (f"https://93.184.215.14/{'a' * 2_000}", "is invalid"),
        ("not a url", "is invalid"),
    ],
)
def test_urls_are_checked_when_they_are_entered(url: str, problem: str, settings: Settings) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False

    problems = url_problems(url)

    assert len(problems) == bool(problem)
    assert problem in "".join(problems)


@pytest.mark.parametrize(
    ("secret", "medium", "is_valid"),
    [
        ("s" * 16, Medium.WEBHOOK, True),
        ("s" * 15, Medium.WEBHOOK, False),
        ("", Medium.WEBHOOK, False),
        ("", Medium.SLACK, True),
        ("s", Medium.SLACK, False),
    ],
)
def test_a_webhook_needs_a_long_secret_but_slack_none(secret: str, medium: str, is_valid: bool) -> None:
    assert (not secret_problems(secret, medium)) == is_valid


def test_the_url_and_the_secret_are_stored_encrypted_and_follow_the_newest_key(settings: Settings) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, url="https://hooks.example.org/T0000")
    assert "T0000" not in subscription.webhook
    assert subscription.webhook_host == "hooks.example.org"
    old, new = settings.CREDENTIALS_ENCRYPTION_KEYS, Fernet.generate_key().decode()

    settings.CREDENTIALS_ENCRYPTION_KEYS = [new, *old]
    assert subscriptions.rotate_webhooks() == (1, [])
    settings.CREDENTIALS_ENCRYPTION_KEYS = [new]

    subscription.refresh_from_db()
    assert webhook_of(subscription) == Webhook("https://hooks.example.org/T0000", SECRET)


def test_a_webhook_that_no_key_decrypts_fails_with_the_reason(clock: Clock) -> None:
    subscription = SubscriptionFactory.create(medium=Medium.WEBHOOK, webhook="unreadable", webhook_host="h")

    delivery = deliveries.send_test(subscription, clock=clock)

    assert delivery.response.startswith("The webhook cannot be decrypted")
    assert subscriptions.rotate_webhooks() == (0, [subscription.pk])
    set_webhook(subscription, Webhook("https://hooks.example.org/", SECRET))
    subscription.save()
    assert subscriptions.rotate_webhooks() == (1, [])
