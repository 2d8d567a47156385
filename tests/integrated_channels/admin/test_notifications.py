"""Admin pages of subscriptions, events and messages: who may use them, and no secret on any page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from enterprise_catalog.integrated_channels.models import (
    Delivery,
    DeliveryState,
    EventKind,
    Medium,
    Notification,
    Subscription,
)
from enterprise_catalog.integrated_channels.reporting.notifications import outbox
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import Webhook, webhook_of
from tests.admin_pages.list_actions import answer
from tests.factories import DAY_ONE
from tests.factories.channels import SECRET, ConfigurationFactory, NotificationFactory, SubscriptionFactory
from tests.integrated_channels.admin.test_actions import action_page, member_of
from tests.integrated_channels.pages import CONFIGURATIONS, shown, text_of
from tests.integrated_channels.reporting.notifications.receivers import running_http_receiver
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import Settings

    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

SUBSCRIPTIONS = "/admin/integrated_channels/subscription/"
EVENTS = "/admin/integrated_channels/notification/"
DELIVERIES = "/admin/integrated_channels/delivery/"
URL = "https://93.184.215.14/services/T0000-secret-path"


@pytest.fixture
def receiver() -> Iterator[HTTPReceiver]:
    """An HTTP receiver."""
    with running_http_receiver() as receiver:
        yield receiver


@pytest.fixture
def operator() -> Client:
    """A member of the operators' group."""
    return member_of("Integration operator")


def form(**fields: Any) -> dict[str, Any]:
    """Return the data of the form, as a browser sends it."""
    return {"medium": "email", "email": "", "url": "", "secret": "", "configuration": "", "digest": "at_once"} | fields


def errors(response: Any) -> dict[str, list[str]]:
    """Return field -> errors of a form that was not saved."""
    assert response.status_code == 200
    return {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}


def test_an_operator_adds_a_subscription_by_email(operator: Client) -> None:
    configuration = ConfigurationFactory.create()

    response = operator.post(
        f"{SUBSCRIPTIONS}add/",
        form(email="ops@example.org", configuration=configuration.pk, kinds=["held", "late"], digest="daily"),
    )

    assert response.status_code == 302
    made = Subscription.objects.get()
    assert (made.email, made.configuration, made.kinds) == ("ops@example.org", configuration, ["held", "late"])
    assert (made.digest, made.with_recoveries, made.created_by) == ("daily", False, "Integration operator")


def test_the_url_and_secret_of_a_webhook_are_on_no_page_and_kept_when_left_empty(operator: Client) -> None:
    webhook = form(medium="webhook", url=URL, secret=SECRET)
    assert operator.post(f"{SUBSCRIPTIONS}add/", webhook).status_code == 302
    made = Subscription.objects.get()
    page = f"{SUBSCRIPTIONS}{made.pk}/change/"

    rejected = operator.post(page, webhook | {"enterprise_customer_uuid": "not a UUID"})
    for text in (text_of(operator.get(SUBSCRIPTIONS)), text_of(operator.get(page)), text_of(rejected)):
        assert "93.184.215.14" in text
        assert "T0000" not in text
        assert SECRET not in text

    assert operator.post(page, form(medium="webhook", digest="hourly")).status_code == 302
    made.refresh_from_db()
    assert (made.digest, webhook_of(made)) == ("hourly", Webhook(URL, SECRET))


def test_the_secret_is_not_kept_for_another_receiver(operator: Client) -> None:
    made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=URL)

    response = operator.post(
        f"{SUBSCRIPTIONS}{made.pk}/change/", form(medium="webhook", url="https://93.184.215.15/hook")
    )

    assert [*errors(response)] == ["secret"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "email"),
        ({"medium": "webhook", "secret": SECRET}, "url"),
        ({"medium": "webhook", "url": URL}, "secret"),
        ({"medium": "slack", "url": "https://127.0.0.1/hook"}, "url"),
        ({"medium": "slack", "url": "http://93.184.215.14/hook"}, "url"),
        ({"email": "a@example.org", "kinds": ["unknown"]}, "kinds"),
        ({"email": "a@example.org", "digest": "yearly"}, "digest"),
    ],
)
def test_wrong_entries_are_explained(operator: Client, settings: Settings, fields: dict[str, Any], name: str) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False

    assert [*errors(operator.post(f"{SUBSCRIPTIONS}add/", form(**fields)))] == [name]
    assert not Subscription.objects.exists()


def test_a_subscription_is_about_a_configuration_or_a_customer(operator: Client) -> None:
    configuration = ConfigurationFactory.create()
    both = form(
        email="a@example.org",
        configuration=configuration.pk,
        enterprise_customer_uuid=configuration.enterprise_customer_uuid,
    )

    assert [*errors(operator.post(f"{SUBSCRIPTIONS}add/", both))] == ["enterprise_customer_uuid"]


def test_changing_to_email_removes_the_webhook(operator: Client) -> None:
    made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=URL)

    operator.post(f"{SUBSCRIPTIONS}{made.pk}/change/", form(email="ops@example.org"))

    made.refresh_from_db()
    assert (made.medium, made.webhook, made.webhook_host) == (Medium.EMAIL, "", "")


@pytest.mark.parametrize("status", [200, 500])
def test_a_test_message_leads_to_its_result(operator: Client, receiver: HTTPReceiver, status: int) -> None:
    receiver.responses = [Response("the response", status=status)]
    made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)
    page = action_page(made, "send_test_message")
    response = answer(operator, page, operator.get(page))

    delivery = Delivery.objects.get()
    assert delivery.state == (DeliveryState.SENT if status == 200 else DeliveryState.FAILED)
    assert "the response" in text_of(response)
    assert [body["is_test"] for body in receiver.bodies()] == [True]


@pytest.mark.parametrize("group", ["Integration auditor", "Integration support"])
def test_others_see_subscriptions_and_messages_but_change_none(group: str) -> None:
    client, made = member_of(group), SubscriptionFactory.create()
    NotificationFactory.create()
    outbox.announce(now=DAY_ONE)

    for address in (SUBSCRIPTIONS, EVENTS, DELIVERIES, f"{SUBSCRIPTIONS}{made.pk}/change/"):
        assert client.get(address).status_code == 200
    assert client.get(f"{SUBSCRIPTIONS}add/").status_code == 403
    assert client.post(f"{SUBSCRIPTIONS}{made.pk}/change/", form(email="x@example.org")).status_code == 403
    assert client.get(action_page(made, "mute")).status_code == 403


def test_the_page_of_a_configuration_shows_its_open_events(operator: Client) -> None:
    event = NotificationFactory.create()
    ended = NotificationFactory.create(configuration=event.configuration, kind=EventKind.LATE, resolved_at=DAY_ONE)

    text = text_of(operator.get(f"{CONFIGURATIONS}{event.configuration.pk}/change/"))

    assert "Open events" in text
    assert f"/notification/{event.pk}/change/" in text
    assert "Correct the credentials or settings" in text
    assert f"/notification/{ended.pk}/change/" not in text


def test_an_event_shows_who_was_notified_and_how(operator: Client) -> None:
    event = NotificationFactory.create()
    SubscriptionFactory.create()
    outbox.announce(now=DAY_ONE)

    page = text_of(operator.get(f"{EVENTS}{event.pk}/change/"))
    assert "ops@example.org" in page
    assert "waiting" in page

    message = text_of(operator.get(f"{DELIVERIES}{Delivery.objects.get().pk}/change/"))
    assert "Written at the first attempt." in message


@pytest.mark.parametrize(
    ("address", "query"),
    [
        (EVENTS, {}),
        (EVENTS, {"is_open__exact": "1"}),
        (EVENTS, {"kind__exact": "stopped"}),
        (DELIVERIES, {}),
        (DELIVERIES, {"state__exact": "waiting"}),
    ],
)
def test_lists_read_their_first_page_from_an_index(operator: Client, address: str, query: dict[str, str]) -> None:
    for number in range(60):
        NotificationFactory.create(opened_at=DAY_ONE + timedelta(hours=number))
        SubscriptionFactory.create()
    outbox.announce(now=DAY_ONE + timedelta(days=9))
    model = Notification if address == EVENTS else Delivery

    plan = plan_of(lambda: shown(operator, address, **query), of=model)

    assert "USE TEMP B-TREE" not in plan
    assert "USING" in plan
