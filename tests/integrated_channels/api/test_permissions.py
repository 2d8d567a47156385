"""Callers see only the rows of customers that they have a role for, at every endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.urls import resolve
from rest_framework.test import APIClient

from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.api.urls import urlpatterns
from enterprise_catalog.integrated_channels.api.views.actions import ACTIONS
from enterprise_catalog.integrated_channels.api.views.operations import STARTING
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.factories import DAY_ONE
from tests.factories.channels import (
    ConfigurationFactory,
    OperationFactory,
    RunFactory,
    SubscriptionFactory,
    TransmissionFactory,
)
from tests.integrated_channels.api.endpoints import (
    ATTEMPTS,
    CONFIGURATIONS,
    DECISIONS,
    OPERATIONS,
    ROOT,
    RUNS,
    SUBSCRIPTIONS,
    TRANSMISSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

OTHER: Final = UUID(int=8)
NOTHING: Final = 999
OPEN_EDX: Final = ("integrated_channels", "channel_integrations")


@pytest.fixture
def configuration() -> ChannelConfiguration:
    """A configuration with one run, one transmission, one attempt, one operation and one subscription."""
    configuration = TransmissionFactory.create(transmitted=True).configuration
    SubscriptionFactory.create(configuration=configuration, is_customers=True)
    OperationFactory.create(configuration=configuration)
    return configuration


def places_of(configuration: ChannelConfiguration | None) -> list[str]:
    """Return the URLs of a configuration and its records; of rows that do not exist without a configuration."""
    pk = run = item = operation = subscription = NOTHING
    if configuration is not None:
        pk, run = configuration.pk, configuration.runs.get().pk
        item, operation = configuration.transmissions.get().pk, configuration.operations.get().pk
        subscription = configuration.subscriptions.get().pk
    return [
        f"{CONFIGURATIONS}{pk}/",
        f"{RUNS}?configuration={pk}",
        f"{RUNS}{run}/",
        f"{TRANSMISSIONS}?configuration={pk}",
        f"{TRANSMISSIONS}{item}/",
        f"{ATTEMPTS}?run={run}",
        f"{ATTEMPTS}?transmission={item}",
        f"{DECISIONS}?configuration={pk}",
        f"{OPERATIONS}{operation}/",
        f"{OPERATIONS}{operation}/items/",
        f"{SUBSCRIPTIONS}?configuration={pk}",
        f"{SUBSCRIPTIONS}{subscription}/",
        *(f"/{prefix}/api/v1/moodle/configuration/{pk}/" for prefix in OPEN_EDX),
        *(f"/{prefix}/api/v1/logs/content_sync_status/{UUID(int=7)}/moodle/{pk}" for prefix in OPEN_EDX),
        *(f"/{prefix}/api/v1/configs/health-check?channel_code=MOODLE&uuid={UUID(int=pk)}" for prefix in OPEN_EDX),
    ]


def test_each_url_with_an_id_is_among_those_that_are_tested(configuration: ChannelConfiguration) -> None:
    tested = {resolve(urlsplit(place).path).route for place in places_of(configuration)}

    with_ids = {f"{ROOT[1:]}{pattern.pattern}" for pattern in urlpatterns if "<" in str(pattern.pattern)}
    actions = {f"{ROOT[1:]}configurations/<int:pk>/{action}/" for action in (*ACTIONS, *STARTING)}
    assert with_ids - actions - {f"{SUBSCRIPTIONS[1:]}<int:pk>/test/"} <= tested


def test_a_deleted_configuration_and_its_records_look_like_none(
    configuration: ChannelConfiguration, operator: APIClient, admin_of: Callable[[UUID], APIClient]
) -> None:
    delete_configuration(configuration, by="ada", now=DAY_ONE)
    admin = admin_of(configuration.enterprise_customer_uuid)

    for place in places_of(configuration):
        assert (operator.get(place).status_code, admin.get(place).status_code) == (404, 403), place
    for action in (*ACTIONS, *STARTING):
        place = f"{CONFIGURATIONS}{configuration.pk}/{action}/"
        assert (operator.post(place).status_code, admin.post(place).status_code) == (404, 403), place
    key = configuration.transmissions.get().content_key
    assert operator.get(TRANSMISSIONS, {"content_key": key}).json()["results"] == []


def test_the_lists_of_all_runs_and_decisions_keep_those_of_a_deleted_configuration(
    configuration: ChannelConfiguration, operator: APIClient
) -> None:
    delete_configuration(configuration, by="ada", now=DAY_ONE)

    assert len(operator.get(RUNS).json()["results"]) == 1
    assert [each["action"] for each in operator.get(DECISIONS).json()["results"]] == ["delete"]


def test_the_customers_admin_sees_the_customers_rows(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient]
) -> None:
    ChannelConfiguration.objects.update(base_url="http://127.0.0.1:9")
    client = admin_of(configuration.enterprise_customer_uuid)

    assert {client.get(place).status_code for place in places_of(configuration)} == {200}
    assert [row["id"] for row in client.get(CONFIGURATIONS).json()["results"]] == [configuration.pk]


def test_an_admin_cannot_distinguish_another_customers_row_from_no_row(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient]
) -> None:
    client = admin_of(OTHER)

    for known, unknown in zip(places_of(configuration), places_of(None), strict=True):
        responses = [client.get(place) for place in (known, unknown)]
        assert [response.status_code for response in responses] == [403, 403]
        assert responses[0].content == responses[1].content
    assert client.get(CONFIGURATIONS).json()["results"] == []


def test_an_operator_learns_that_a_row_does_not_exist(operator: APIClient) -> None:
    assert {operator.get(place).status_code for place in places_of(None)} == {404}


@pytest.mark.parametrize("roles", [(), ("enterprise_learner:*",), ("enterprise_admin:",), ("enterprise_admin:x",)])
def test_learners_and_callers_without_a_customer_see_nothing(
    configuration: ChannelConfiguration, client_with: Callable[..., APIClient], roles: tuple[str, ...]
) -> None:
    client = client_with(*roles)

    assert {client.get(place).status_code for place in [*places_of(configuration), CONFIGURATIONS]} == {403}


def test_a_caller_without_a_token_is_not_authenticated(configuration: ChannelConfiguration) -> None:
    assert {APIClient().get(place).status_code for place in [*places_of(configuration), CONFIGURATIONS]} == {401}


def test_the_list_of_another_customer_is_refused(admin_of: Callable[[UUID], APIClient]) -> None:
    response = admin_of(OTHER).get(CONFIGURATIONS, {"enterprise_customer": str(UUID(int=7))})

    assert response.status_code == 403


def test_an_item_is_found_in_the_callers_configurations_only(
    admin_of: Callable[[UUID], APIClient], operator: APIClient
) -> None:
    for customer in (UUID(int=7), OTHER):
        configuration = ConfigurationFactory.create(enterprise_customer_uuid=customer)
        TransmissionFactory.create(configuration=configuration, content_key="edX+DemoX")

    found = admin_of(OTHER).get(TRANSMISSIONS, {"content_key": "edX+DemoX"}).json()["results"]

    assert [row["configuration"] for row in found] == [configuration.pk]
    assert len(operator.get(TRANSMISSIONS, {"content_key": "edX+DemoX"}).json()["results"]) == 2


def test_an_admin_lists_the_runs_of_one_configuration_at_a_time(
    admin_of: Callable[[UUID], APIClient], operator: APIClient
) -> None:
    RunFactory.create()

    response = admin_of(UUID(int=7)).get(RUNS)

    assert (response.status_code, response.json()["code"]) == (400, "required")
    assert len(operator.get(RUNS).json()["results"]) == 1


def test_a_site_without_keys_rejects_every_token(operator: APIClient, settings: Settings) -> None:
    settings.JWT_AUTH = {**settings.JWT_AUTH, "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}'}

    assert operator.get(CONFIGURATIONS).status_code == 401
