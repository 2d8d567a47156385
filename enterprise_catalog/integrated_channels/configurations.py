"""Makes a channel of a configuration, and checks what people enter into one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import SecretStr, ValidationError

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.http import LMSClient
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from enterprise_catalog.integrated_channels.channels.base import Channel


@contextmanager
def channel_for(
    configuration: ChannelConfiguration, *, before_each_call: Callable[[], None] | None = None
) -> Iterator[Channel[Any, Any]]:
    """Give the configuration's channel, ready to call its LMS, and close its connections in the end.

    Args:
        before_each_call: called before each request to the LMS; what it raises keeps the request from being sent.

    Raises:
        ConfigurationError: unknown channel, settings or credentials that do not fit it; the message names the fields.
    """
    channel_class = CHANNELS.get(configuration.channel_code)
    if channel_class is None:
        raise ConfigurationError(
            f"There is no channel {configuration.channel_code!r}; there are {', '.join(CHANNELS)}."
        )
    faults = settings_faults(configuration.channel_code, configuration.settings)
    credentials = decrypt(configuration.credentials)
    faults += credentials_faults(configuration.channel_code, credentials)
    if faults:
        raise ConfigurationError(f"The configuration does not fit its channel: {'; '.join(faults)}.")
    checked = channel_class.credentials_class.model_validate(credentials)
    settings = channel_class.settings_class.model_validate(configuration.settings)
    secrets = _secrets_of(checked)
    with LMSClient(configuration.base_url, secrets=secrets, before_each_call=before_each_call) as client:
        yield channel_class(client, settings, checked)


def base_url_faults(base_url: str) -> list[str]:
    """Return what is wrong with an LMS's address; it is shown to everyone, hence may hold no password."""
    if "@" in urlsplit(base_url).netloc:
        return ["Name and password belong in the credentials, not in the address."]
    return []


def settings_faults(channel_code: str, settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a channel's settings, a sentence per field; an empty list if nothing is."""
    return _faults(CHANNELS[channel_code].settings_class, settings)


def credentials_faults(channel_code: str, credentials: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a channel's credentials, a sentence per field, without their values."""
    return _faults(CHANNELS[channel_code].credentials_class, credentials)


def catalog_faults(catalog_uuids: object) -> list[str]:
    """Return what is wrong with a configuration's list of catalogs."""
    if not isinstance(catalog_uuids, list):
        return ["a list of UUIDs is needed"]
    return [f"{value!r} is not a UUID" for value in catalog_uuids if not _is_uuid(value)]


def make_configuration(
    *,
    channel_code: str,
    customer_uuid: UUID,
    base_url: str,
    settings: dict[str, Any],
    credentials: dict[str, Any],
    catalog_uuids: Iterable[UUID] = (),
) -> ChannelConfiguration:
    """Save a new configuration; its first sync is due at once.

    Raises:
        ConfigurationError: the address holds a password, or settings or credentials do not fit the channel.
    """
    faults = [
        *base_url_faults(base_url),
        *settings_faults(channel_code, settings),
        *credentials_faults(channel_code, credentials),
    ]
    if faults:
        raise ConfigurationError("; ".join(faults))
    return ChannelConfiguration.objects.create(
        channel_code=channel_code,
        enterprise_customer_uuid=customer_uuid,
        base_url=base_url,
        settings=settings,
        credentials=encrypt(credentials),
        catalog_uuids=[str(catalog_uuid) for catalog_uuid in catalog_uuids],
    )


def _faults(model: type[BaseModel], values: Mapping[str, Any]) -> list[str]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [_sentence(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False, include_url=False)]
    return []


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    place = ".".join(map(str, location))
    text = message.removeprefix("Value error, ")
    return f"{place}: {text}" if place else text


def _secrets_of(credentials: BaseModel) -> list[str]:
    return [value.get_secret_value() for _, value in credentials if isinstance(value, SecretStr)]


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return isinstance(value, str)
