"""Validation of configurations, and creating a channel from a configuration. Error messages never repeat secrets."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import pytest
from cryptography.fernet import Fernet

from enterprise_catalog.integrated_channels.access.configurations import (
    catalog_problems,
    credentials_problems,
    make_configuration,
    open_channel,
    settings_problems,
)
from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.lms.ssrf import DeadlineTransport
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from pytest_django import Settings

SECRET: Final = "swordfish-and-chips"
CUSTOMER: Final = uuid.UUID("11111111-1111-4111-8111-111111111111")


def a_configuration(credentials: dict[str, Any], **columns: Any) -> ChannelConfiguration:
    """Return an unsaved configuration."""
    defaults = {"channel_code": "MOODLE", "base_url": "https://moodle.test/", "enterprise_customer_uuid": CUSTOMER}
    return ChannelConfiguration(**{**defaults, **columns}, credentials=encrypt(credentials))


def failure_of(configuration: ChannelConfiguration) -> str:
    with pytest.raises(ConfigurationError) as raised, open_channel(configuration):
        pass
    return raised.value.message


def test_a_channel_gets_its_settings_and_credentials() -> None:
    with open_channel(a_configuration({"token": SECRET}, settings={"category_id": 7})) as channel:
        assert isinstance(channel, Moodle)
        assert channel.settings.category_id == 7
        assert channel.credentials.token is not None
        assert channel.credentials.token.get_secret_value() == SECRET
        assert channel.client.base_url == "https://moodle.test"


@pytest.mark.parametrize("credentials", [{"token": SECRET}, {"username": "bot", "password": SECRET}])
def test_its_client_redacts_the_secrets_from_messages(credentials: dict[str, str]) -> None:
    with open_channel(a_configuration(credentials)) as channel:
        assert channel.client.redacted(f"not {SECRET}, bot") == "not [secret], bot"


def test_its_connections_are_closed_in_the_end() -> None:
    with patch.object(DeadlineTransport, "close", autospec=True) as close:
        with open_channel(a_configuration({"token": SECRET})) as channel:
            assert not close.called

        close.assert_called_once_with(channel.client._transport)


def test_a_channel_that_does_not_exist_any_more_is_named() -> None:
    message = failure_of(a_configuration({}, channel_code="BLACKBORED"))

    assert (
        message == "Unknown channel 'BLACKBORED'. Available channels: BLACKBOARD, CANVAS, CSOD, DEGREED2, MOODLE, SAP."
    )


def test_everything_that_does_not_fit_is_named_at_once_and_no_value_is() -> None:
    settings = {"category_id": SECRET, "max_input_vars": 99, "colour": "red"}

    message = failure_of(a_configuration({"password": SECRET, "passwort": SECRET}, settings=settings))

    for field in ("category_id", "max_input_vars", "colour", "passwort"):
        assert field in message
    assert SECRET not in message
    assert "red" not in message.partition("colour")[2]


def test_unreadable_credentials_are_distinguished_from_wrong_ones(settings: Settings) -> None:
    configuration = a_configuration({"token": SECRET})
    settings.CREDENTIALS_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert failure_of(configuration).startswith("The credentials cannot be decrypted")


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({}, []),
        ({"category_id": 4, "service": "x", "fullname_length": 1_333, "max_input_vars": 5_000}, []),
        ({"category_id": 0}, ["category_id: Input should be greater than or equal to 1"]),
        ({"colour": "red"}, ["colour: Extra inputs are not permitted"]),
        (None, ["Input should be a valid dictionary or instance of MoodleSettings"]),
        ([1], ["Input should be a valid dictionary or instance of MoodleSettings"]),
    ],
)
def test_faults_of_settings_are_sentences(settings: Any, faults: list[str]) -> None:
    assert settings_problems("MOODLE", settings) == faults


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"token": ""},
        {"username": "bot"},
        {"password": SECRET},
        {"username": "", "password": SECRET},
        {"username": "bot", "password": ""},
    ],
)
def test_incomplete_credentials_are_rejected(credentials: dict[str, str]) -> None:
    assert credentials_problems("MOODLE", credentials) == ["give a token, or a username and a password"]


@pytest.mark.parametrize("value", [5, [SECRET], {"is": SECRET}, None])
def test_faults_of_credentials_repeat_no_value(value: object) -> None:
    faults = credentials_problems("MOODLE", {"token": value, "username": [SECRET]})

    assert any(fault.startswith("username: ") for fault in faults)
    assert SECRET not in " ".join(faults)


@pytest.mark.parametrize(
    ("catalogs", "faults"),
    [
        ([], []),
        ([str(CUSTOMER)], []),
        ([str(CUSTOMER), "x", 5, None], ["'x' is not a UUID", "5 is not a UUID", "None is not a UUID"]),
        ("x", ["Enter a list of UUIDs."]),
        (None, ["Enter a list of UUIDs."]),
    ],
)
def test_faults_of_catalogs_name_the_entries(catalogs: object, faults: list[str]) -> None:
    assert catalog_problems(catalogs) == faults


@pytest.mark.django_db
def test_a_new_configuration_is_saved_with_its_credentials_encrypted() -> None:
    made = make_configuration(
        channel_code="MOODLE",
        customer_uuid=CUSTOMER,
        base_url="https://moodle.test",
        settings={"category_id": 2},
        credentials={"token": SECRET},
        catalog_uuids=[CUSTOMER],
    )

    stored = ChannelConfiguration.objects.get(pk=made.pk)
    assert SECRET not in stored.credentials
    assert decrypt(stored.credentials) == {"token": SECRET}
    assert (stored.settings, stored.catalog_uuids) == ({"category_id": 2}, [str(CUSTOMER)])
    assert (stored.active, stored.next_sync_at) == (True, None)


@pytest.mark.django_db
def test_a_new_configuration_that_does_not_fit_is_not_saved() -> None:
    with pytest.raises(ConfigurationError, match=r"category_id: .*; give a token") as raised:
        make_configuration(
            channel_code="MOODLE",
            customer_uuid=CUSTOMER,
            base_url="https://moodle.test",
            settings={"category_id": "x"},
            credentials={"password": SECRET},
        )

    assert SECRET not in raised.value.message
    assert not ChannelConfiguration.objects.exists()
