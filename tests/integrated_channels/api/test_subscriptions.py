"""``subscriptions/``: who manages which, no secret in a response, and test messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from werkzeug import Response

from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.api.throttles import LMSThrottle
from enterprise_catalog.integrated_channels.models import Delivery, Medium, Subscription
from enterprise_catalog.integrated_channels.reporting.notifications import subscriptions
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import Webhook, webhook_of
from tests.factories import DAY_ONE
from tests.factories.channels import SECRET, ConfigurationFactory, SubscriptionFactory
from tests.integrated_channels.api.endpoints import SUBSCRIPTIONS
from tests.integrated_channels.reporting.notifications.receivers import running_http_receiver, running_mail_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

pytestmark = pytest.mark.django_db

ACME: Final = UUID(int=7)  #: The customer of the factory's configurations.
OTHER: Final = UUID(int=8)
URL: Final = "https://93.184.215.14/services/T0000-secret-path"
BY_EMAIL: Final = {"medium": "email", "email": "ops@acme.example"}
BY_WEBHOOK: Final = {"medium": "webhook", "url": URL, "secret": SECRET}


@pytest.fixture
def configuration() -> ChannelConfiguration:
    return ConfigurationFactory.create()


@pytest.fixture
def admin(admin_of: Callable[[UUID], APIClient]) -> APIClient:
    """The admin of the customer of the factory's configurations."""
    return admin_of(ACME)


def place_of(subscription: Subscription) -> str:
    return f"{SUBSCRIPTIONS}{subscription.pk}/"


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [each["id"] for each in response.json()["results"]]


# --- create ---------------------------------------------------------------------------------------------------------


def test_an_admin_subscribes_to_a_configuration(admin: APIClient, configuration: ChannelConfiguration) -> None:
    response = admin.post(
        SUBSCRIPTIONS, BY_EMAIL | {"configuration": configuration.pk, "kinds": ["held", "late"], "digest": "daily"}
    )

    assert response.status_code == 201, response.content
    made = Subscription.objects.get()
    assert response.json() == {
        "id": made.pk,
        "configuration": configuration.pk,
        "enterprise_customer": None,
        "medium": "email",
        "email": "ops@acme.example",
        "webhook_host": "",
        "kinds": ["held", "late"],
        "with_recoveries": True,
        "digest": "daily",
        "muted": False,
        "is_customers": True,
        "created_by": "caller",
        "created_at": response.json()["created_at"],
    }
    assert (made.configuration, made.email, made.kinds) == (configuration, "ops@acme.example", ["held", "late"])


def test_an_admin_subscribes_to_all_configurations_of_the_customer(admin: APIClient) -> None:
    response = admin.post(SUBSCRIPTIONS, BY_EMAIL | {"enterprise_customer": str(ACME)})

    assert (response.status_code, response.json()["enterprise_customer"]) == (201, str(ACME))
    assert Subscription.objects.get().enterprise_customer_uuid == ACME


@pytest.mark.parametrize("body", [BY_WEBHOOK, BY_WEBHOOK | {"medium": "slack"}, {"medium": "slack", "url": URL}])
def test_the_url_and_secret_of_a_webhook_are_in_no_response(operator: APIClient, body: dict[str, Any]) -> None:
    responses = [operator.post(SUBSCRIPTIONS, body)]
    made = Subscription.objects.get()
    responses += [operator.get(place_of(made)), operator.get(SUBSCRIPTIONS)]
    responses += [operator.patch(place_of(made), {"digest": "hourly"})]

    for response in responses:
        assert response.status_code in {200, 201}, response.content
        assert b'"93.184.215.14"' in response.content
        assert b"T0000" not in response.content
        assert SECRET.encode() not in response.content
    assert webhook_of(made) == Webhook(URL, body.get("secret", ""))


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "medium", "required"),
        ({"medium": "fax"}, "medium", "invalid_choice"),
        ({"medium": "email"}, "email", "invalid"),
        ({"medium": "email", "email": "ops"}, "email", "invalid"),
        (BY_EMAIL | {"url": URL}, "url", "invalid"),
        (BY_WEBHOOK | {"email": "ops@acme.example"}, "email", "invalid"),
        ({"medium": "webhook", "secret": SECRET}, "url", "invalid"),
        ({"medium": "webhook", "url": URL}, "secret", "invalid"),
        (BY_WEBHOOK | {"secret": "short"}, "secret", "invalid"),
        (BY_WEBHOOK | {"secret": "s" * 1_001}, "secret", "max_length"),
        (BY_WEBHOOK | {"url": "https://127.0.0.1/hook"}, "url", "invalid"),
        (BY_WEBHOOK | {"url": "https://169.254.169.254/latest/meta-data"}, "url", "invalid"),
        (BY_WEBHOOK | {"url": "https://localhost/hook"}, "url", "invalid"),
        (BY_WEBHOOK | {"url": "http://93.184.215.14/hook"}, "url", "invalid"),
        (BY_WEBHOOK | {"url": "https://user:hunter2@93.184.215.14/hook"}, "url", "invalid"),
        (BY_EMAIL | {"kinds": ["unknown"]}, "kinds", "invalid_choice"),
        (BY_EMAIL | {"kinds": "late"}, "kinds", "not_a_list"),
        (BY_EMAIL | {"digest": "yearly"}, "digest", "invalid_choice"),
        (BY_EMAIL | {"muted": "perhaps"}, "muted", "invalid"),
        (BY_EMAIL | {"configuration": 1, "enterprise_customer": str(ACME)}, "enterprise_customer", "invalid"),
        (BY_EMAIL | {"customer": str(ACME)}, "customer", "unknown_field"),
        (BY_EMAIL | {"is_customers": True}, "is_customers", "unknown_field"),
    ],
)
def test_wrong_fields_are_named_and_nothing_is_saved(
    operator: APIClient, settings: Settings, body: dict[str, Any], field: str, code: str
) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False

    response = operator.post(SUBSCRIPTIONS, body)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert field in response.json()
    assert b"hunter2" not in response.content
    assert not Subscription.objects.exists()


def test_only_operators_for_all_customers_subscribe_to_all_configurations(
    admin: APIClient, operator: APIClient, client_with: Callable[..., APIClient]
) -> None:
    for client in (admin, client_with(f"enterprise_openedx_operator:{ACME}"), client_with("enterprise_admin:*")):
        response = client.post(SUBSCRIPTIONS, BY_EMAIL)
        assert (response.status_code, response.json()["code"]) == (403, "operator_required")
    assert not Subscription.objects.exists()

    assert operator.post(SUBSCRIPTIONS, BY_EMAIL).status_code == 201
    assert not Subscription.objects.get().is_customers


def test_an_admin_does_not_subscribe_to_another_customers_events(
    admin: APIClient, operator: APIClient, configuration: ChannelConfiguration
) -> None:
    other = ConfigurationFactory.create(enterprise_customer_uuid=OTHER)
    delete_configuration(configuration, by="ada", now=DAY_ONE)

    for about in (
        {"enterprise_customer": str(OTHER)},
        {"configuration": other.pk},
        {"configuration": configuration.pk},
        {"configuration": 999},
    ):
        assert admin.post(SUBSCRIPTIONS, BY_EMAIL | about).status_code == 403
    assert operator.post(SUBSCRIPTIONS, BY_EMAIL | {"configuration": 999}).status_code == 404
    assert not Subscription.objects.exists()


def test_the_admins_of_a_customer_create_a_limited_number_of_subscriptions(
    admin: APIClient, operator: APIClient, configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enterprise_catalog.integrated_channels.api.views.subscriptions.MAX_CUSTOMERS_SUBSCRIPTIONS", 2)
    SubscriptionFactory.create(configuration=configuration)  # Of staff; it does not count.
    for about in ({"configuration": configuration.pk}, {"enterprise_customer": str(ACME)}):
        assert admin.post(SUBSCRIPTIONS, BY_EMAIL | about).status_code == 201

    response = admin.post(SUBSCRIPTIONS, BY_EMAIL | {"configuration": configuration.pk})

    assert (response.status_code, response.json()["code"]) == (400, "too_many")
    assert operator.post(SUBSCRIPTIONS, BY_EMAIL | {"enterprise_customer": str(ACME)}).status_code == 201
    assert subscriptions.customers_subscriptions(ACME) == 2


# --- read -----------------------------------------------------------------------------------------------------------


def test_each_caller_sees_the_subscriptions_that_it_manages(
    operator: APIClient, client_with: Callable[..., APIClient], configuration: ChannelConfiguration
) -> None:
    other = ConfigurationFactory.create(enterprise_customer_uuid=OTHER)
    customers = [
        SubscriptionFactory.create(configuration=configuration, is_customers=True),
        SubscriptionFactory.create(enterprise_customer_uuid=ACME, is_customers=True),
    ]
    of_staff = [
        SubscriptionFactory.create(configuration=configuration),
        SubscriptionFactory.create(enterprise_customer_uuid=ACME),
    ]
    of_others = [
        SubscriptionFactory.create(configuration=other, is_customers=True),
        SubscriptionFactory.create(enterprise_customer_uuid=OTHER, is_customers=True),
    ]
    to_all = [SubscriptionFactory.create()]
    seen = {
        f"enterprise_admin:{ACME}": customers,
        f"enterprise_openedx_operator:{ACME}": customers + of_staff,
        "enterprise_admin:*": customers + of_others,
        "enterprise_openedx_operator:*": customers + of_staff + of_others + to_all,
    }

    for role, expected in seen.items():
        client = client_with(role)
        assert ids(client.get(SUBSCRIPTIONS)) == [each.pk for each in expected], role
        for each in Subscription.objects.all():
            assert (client.get(place_of(each)).status_code == 200) == (each in expected), (role, each.pk)
    assert ids(operator.get(SUBSCRIPTIONS, {"configuration": other.pk})) == [of_others[0].pk]
    assert ids(operator.get(SUBSCRIPTIONS, {"enterprise_customer": str(OTHER)})) == [of_others[1].pk]


def test_an_admin_neither_changes_nor_tests_what_it_does_not_see(
    admin: APIClient, configuration: ChannelConfiguration
) -> None:
    other = ConfigurationFactory.create(enterprise_customer_uuid=OTHER)
    hidden = [
        SubscriptionFactory.create(configuration=configuration),
        SubscriptionFactory.create(configuration=other, is_customers=True),
        SubscriptionFactory.create(enterprise_customer_uuid=OTHER, is_customers=True),
        SubscriptionFactory.create(),
    ]
    unknown = admin.get(f"{SUBSCRIPTIONS}999/").content

    for each in hidden:
        place = place_of(each)
        for response in (
            admin.get(place),
            admin.patch(place, {"muted": True}),
            admin.delete(place),
            admin.post(f"{place}test/"),
        ):
            assert (response.status_code, response.content) == (403, unknown)
    assert not Delivery.objects.exists()
    assert Subscription.objects.filter(muted=False).count() == len(hidden)


def test_an_admin_sees_no_names_of_other_users(admin: APIClient, operator: APIClient) -> None:
    made = SubscriptionFactory.create(enterprise_customer_uuid=ACME, is_customers=True, created_by="ada")

    assert admin.get(place_of(made)).json()["created_by"] == "Support"
    assert operator.get(place_of(made)).json()["created_by"] == "ada"


def test_a_page_of_subscriptions_takes_two_statements(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = [SubscriptionFactory.create(configuration=ConfigurationFactory.create()).pk for _ in range(5)]
    operator.get(SUBSCRIPTIONS)  # Creates the user.

    with django_assert_num_queries(2 + 1):  # And the user of the token.
        first = operator.get(SUBSCRIPTIONS, {"page_size": 3})

    assert ids(first) + ids(operator.get(first.json()["next"])) == made


# --- change and delete ----------------------------------------------------------------------------------------------


def test_a_change_keeps_the_other_fields(admin: APIClient) -> None:
    made = SubscriptionFactory.create(
        enterprise_customer_uuid=ACME, is_customers=True, medium=Medium.WEBHOOK, url=URL, kinds=["late"]
    )

    response = admin.patch(place_of(made), {"muted": True, "with_recoveries": False})

    assert (response.status_code, response.json()["muted"]) == (200, True)
    made.refresh_from_db()
    assert (made.muted, made.with_recoveries, made.kinds) == (True, False, ["late"])
    assert webhook_of(made) == Webhook(URL, SECRET)


@pytest.mark.parametrize("field", ["configuration", "enterprise_customer"])
def test_a_subscription_cannot_be_moved(operator: APIClient, field: str) -> None:
    response = operator.patch(place_of(SubscriptionFactory.create()), {field: 1})

    assert (response.status_code, response.json()["code"]) == (400, "unknown_field")


def test_the_secret_is_not_kept_for_another_receiver(operator: APIClient) -> None:
    made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=URL)

    refused = operator.patch(place_of(made), {"url": "https://93.184.215.15/hook"})
    assert (refused.status_code, [*refused.json()]) == (400, ["secret", "code"])
    assert operator.patch(place_of(made), {"url": "https://93.184.215.14/new"}).status_code == 200

    made.refresh_from_db()
    assert webhook_of(made) == Webhook("https://93.184.215.14/new", SECRET)


def test_a_webhook_is_changed_to_email_and_back(operator: APIClient) -> None:
    made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=URL)

    assert operator.patch(place_of(made), BY_EMAIL).json()["email"] == "ops@acme.example"
    made.refresh_from_db()
    assert (made.medium, made.webhook, made.webhook_host) == ("email", "", "")
    assert operator.patch(place_of(made), {"medium": "webhook"}).status_code == 400
    assert operator.patch(place_of(made), BY_WEBHOOK).json()["email"] == ""

    made.refresh_from_db()
    assert webhook_of(made) == Webhook(URL, SECRET)


def test_a_deleted_subscription_is_gone(admin: APIClient) -> None:
    made = SubscriptionFactory.create(enterprise_customer_uuid=ACME, is_customers=True)

    assert admin.delete(place_of(made)).status_code == 204

    assert admin.get(place_of(made)).status_code == 403
    assert not Subscription.objects.exists()


# --- test messages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "state"), [(200, "sent"), (500, "failed")])
def test_a_test_message_is_sent_at_once_and_its_result_returned(admin: APIClient, status: int, state: str) -> None:
    with running_http_receiver() as receiver:
        receiver.responses = [Response("the response", status=status)]
        made = SubscriptionFactory.create(
            enterprise_customer_uuid=ACME, is_customers=True, muted=True, medium=Medium.WEBHOOK, url=receiver.url
        )

        found = admin.post(f"{place_of(made)}test/").json()

        assert [body["is_test"] for body in receiver.bodies()] == [True]
    assert (found["state"], found["status_code"]) == (state, status)
    assert "the response" in found["response"]


def test_a_test_message_by_email(admin: APIClient, settings: Settings) -> None:
    made = SubscriptionFactory.create(enterprise_customer_uuid=ACME, is_customers=True)
    with running_mail_server() as server:
        settings.EMAIL_URL = "smtp://127.0.0.1"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port

        found = admin.post(f"{place_of(made)}test/").json()

    assert found["state"] == "sent", found
    assert [message["To"] for message in server.received] == ["ops@example.org"]


def test_a_webhook_that_moved_to_a_private_address_is_not_called(operator: APIClient, settings: Settings) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False
    with running_http_receiver() as receiver:
        made = SubscriptionFactory.create(medium=Medium.WEBHOOK, url=receiver.url)

        found = operator.post(f"{place_of(made)}test/").json()

    assert found["state"] == "failed"
    assert "public address" in found["response"]
    assert receiver.requests == []


def test_tests_have_a_rate_limit_of_their_own(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LMSThrottle, "rate", "2/day")
    made = SubscriptionFactory.create()

    statuses = [operator.post(f"{place_of(made)}test/").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert operator.get(place_of(made)).status_code == 200
