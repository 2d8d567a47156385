"""Authentication of a portal that polls a feed: by password or by token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.core import signing

from enterprise_catalog.sandbox.cornerstone.portal import PASSWORD, USERNAME, CornerstoneSandbox, Poll
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.feed.portal_requests import FEED, basic, token_of
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("with_token", [False, True])
def test_the_portal_shows_a_password_or_a_token(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
    *,
    with_token: bool,
) -> None:
    portal.with_token = with_token
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)

    assert poll().taken == 1


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(basic("x"), basic(password="x"), basic("", ""), basic(USERNAME.upper())),
        *({"Authorization": text} for text in ("Basic", "Basic §", "Basic /w==", "Bearer", "Bearer x", "JWT x")),
        {"Authorization": f"Bearer {signing.dumps(1, salt='another')}"},
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_unauthenticated_callers_receive_nothing(
    client: Client, configuration: ChannelConfiguration, headers: dict[str, str], *, exists: bool
) -> None:
    customer = configuration.enterprise_customer_uuid if exists else uuid4()

    answer = client.get(FEED, {"ciid": str(customer)}, headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Authentication is required: send the configuration's user name and password, or a token."
    }
    assert "Basic" in answer["WWW-Authenticate"]


def test_a_poll_names_its_customer(client: Client, configuration: ChannelConfiguration) -> None:
    answer = client.get(FEED, headers=basic())

    assert (answer.status_code, answer.json()) == (400, {"message": "The parameter ciid is required."})
    assert client.get(FEED, {"ciid": "no uuid"}, headers=basic()).status_code == 401
    assert configuration.pk


def test_a_token_is_for_its_own_customer_and_only_while_the_configuration_is_active(
    client: Client, configuration: ChannelConfiguration
) -> None:
    token = token_of(client, client_id=USERNAME, client_secret=PASSWORD).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    customer = str(configuration.enterprise_customer_uuid)

    assert client.get(FEED, {"ciid": customer.upper()}, headers=headers).status_code == 200
    assert client.get(FEED, {"ciid": str(uuid4())}, headers=headers).status_code == 403
    configuration.active = False
    configuration.save()
    assert client.get(FEED, {"ciid": customer}, headers=headers).status_code == 404
    assert client.get(FEED, {"ciid": customer}, headers=basic()).status_code == 401


def test_a_token_expires(client: Client, configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(client, client_id=USERNAME, client_secret=PASSWORD).json()["access_token"]
    monkeypatch.setattr("enterprise_catalog.integrated_channels.feed.views.TOKEN_SECONDS", -1)

    answer = client.get(
        FEED,
        {"ciid": str(configuration.enterprise_customer_uuid)},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 401


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_id": USERNAME, "client_secret": "x"}, 401, "invalid_client"),
        ({}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_request_is_rejected_as_specified_by_oauth_2(
    client: Client, configuration: ChannelConfiguration, form: dict[str, str], status: int, error: str
) -> None:
    answer = token_of(client, **form)

    assert configuration.pk
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_passwords_cannot_be_tried_out(client: Client, configuration: ChannelConfiguration, settings: Settings) -> None:
    settings.FEED_THROTTLE_RATE = "3/minute"
    asked = {"ciid": str(configuration.enterprise_customer_uuid)}

    answers = [client.get(FEED, asked, headers=basic(password=str(number))) for number in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1]["Retry-After"]) > 0


@pytest.mark.usefixtures("no_cache")
def test_polls_are_rejected_while_they_cannot_be_counted(client: Client, configuration: ChannelConfiguration) -> None:
    answer = client.get(FEED, {"ciid": str(configuration.enterprise_customer_uuid)}, headers=basic())

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
