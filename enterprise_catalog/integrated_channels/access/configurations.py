"""Build channels from configurations, and validate configurations."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext
from pydantic import SecretStr, ValidationError

from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt, rotated
from enterprise_catalog.integrated_channels.audit import leases, status
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, SyncError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock
from enterprise_catalog.integrated_channels.lms.ssrf import is_public
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.channels.base import Channel, ChannelSettings, SaveCredentials
    from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates
    from enterprise_catalog.integrated_channels.lms.client import BeforeCall

log = structlog.get_logger(__name__)


@contextmanager
def open_channel(
    configuration: ChannelConfiguration,
    *,
    before_each_call: BeforeCall | None = None,
    call_clock: CallClock | None = None,
    save_credentials: SaveCredentials | None = None,
) -> Iterator[Channel]:
    """Yield the configuration's channel, ready to call its LMS; close its connections at the end.

    Args:
        before_each_call: called before each request to the LMS; an exception prevents the request.
        call_clock: limits the duration of calls; ``None`` means ``LMS_CALL_SECONDS`` each.
        save_credentials: stores credentials that the LMS has replaced.

    Raises:
        ConfigurationError: the channel is unknown, or rejects the settings or credentials; the message names the
            fields.
        SyncError: raised by the block; its secrets are redacted.
    """
    settings, credentials = validate(configuration)
    with LMSClient(
        configuration.base_url,
        secrets=_secrets_of(credentials),
        before_each_call=before_each_call,
        private_addresses=django_settings.LMS_PRIVATE_ADDRESSES,
        call_clock=call_clock or CallClock(seconds=django_settings.LMS_CALL_SECONDS),
        channel_code=configuration.channel_code,
    ) as client:
        channel = CHANNELS[configuration.channel_code](client, settings, credentials)
        if save_credentials is not None:
            channel.save_credentials = save_credentials
        channel.note_duplicates = partial(_log_duplicates, configuration.pk)
        try:
            yield channel
        except SyncError as error:
            error.redact(client.redacted)  # The channel may have quoted the LMS without redacting.
            raise


def _log_duplicates(configuration_id: int, duplicates: Duplicates) -> None:
    log.warning(
        "lms_has_duplicates",
        configuration_id=configuration_id,
        content_key=duplicates.content_key,
        used=duplicates.used,
        unused=list(duplicates.unused),
    )


def validate(configuration: ChannelConfiguration) -> tuple[ChannelSettings, ChannelSettings]:
    """Return the configuration's settings and credentials, validated by its channel's models.

    Raises:
        ConfigurationError: see :func:`open_channel`.
    """
    channel_class = CHANNELS.get(configuration.channel_code)
    if channel_class is None:
        raise ConfigurationError(
            f"Unknown channel {configuration.channel_code!r}. Available channels: {', '.join(CHANNELS)}."
        )
    problems = settings_problems(configuration.channel_code, configuration.settings)
    credentials = decrypt(configuration.credentials)
    problems += credentials_problems(configuration.channel_code, credentials)
    if problems:
        raise ConfigurationError(f"Settings or credentials are invalid: {'; '.join(problems)}.")
    settings = channel_class.settings_class.model_validate(configuration.settings)
    return settings, channel_class.credentials_class.model_validate(credentials)


def save_credentials(
    configuration: ChannelConfiguration, changes: Mapping[str, str], *, lease: Lease, now: datetime
) -> None:
    """Store credentials that the LMS has replaced, for this process and all others.

    Safe to call from a thread that has no database connection yet.

    Raises:
        LeaseLostError: another worker has the lease, and may have newer credentials.
    """
    credentials = encrypt({**decrypt(configuration.credentials), **changes})
    try:
        with leases.fenced(lease, now=now):
            ChannelConfiguration.objects.filter(pk=configuration.pk).update(credentials=credentials)
    finally:
        if threading.current_thread() is not threading.main_thread() and not connection.in_atomic_block:
            connection.close()  # Django does not close it when the thread ends.
    configuration.credentials = credentials


def rotate_credentials() -> tuple[int, list[int]]:
    """Encrypt all credentials with the newest key.

    Safe to repeat, and safe during runs. Credentials that a run replaces at the same time are left for the next call.

    Returns:
        The number of encrypted credentials, and the ids of configurations whose credentials no key can decrypt.
    """
    done, unreadable = 0, []
    stored = ChannelConfiguration.objects.exclude(credentials="").order_by("pk")
    for pk, text in stored.values_list("pk", "credentials").iterator():
        try:
            anew = rotated(text)
        except ConfigurationError:
            unreadable.append(pk)
            continue
        done += ChannelConfiguration.objects.filter(pk=pk, credentials=text).update(credentials=anew)
    return done, unreadable


def base_url_problems(base_url: str) -> list[str]:
    """Return the problems of an LMS's base URL. It is visible to all users, so it must not contain a password.

    A host name is not resolved here: each connection checks its addresses (``lms/ssrf.py``).
    """
    parts = urlsplit(base_url)
    if "@" in parts.netloc:
        return [gettext("The base URL must not contain a user name or password. Enter them as credentials.")]
    if parts.scheme not in ("http", "https"):
        return [gettext("The base URL must begin with http:// or https://.")]
    if not django_settings.LMS_PRIVATE_ADDRESSES and _is_private_address(parts.hostname or ""):
        return [gettext("The base URL must not be a private address.")]
    return []


def settings_problems(channel_code: str, settings: Mapping[str, object]) -> list[str]:
    """Return the problems of a channel's settings, one sentence per field; an empty list if there are none."""
    return _problems(CHANNELS[channel_code].settings_class, settings)


def credentials_problems(channel_code: str, credentials: Mapping[str, object]) -> list[str]:
    """Return the problems of a channel's credentials, one sentence per field, without the values."""
    return _problems(CHANNELS[channel_code].credentials_class, credentials)


def field_problems(model: type[BaseModel], values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the name of a field and a sentence without values, for each problem; the name is empty for several fields.

    Args:
        model: a channel's settings or credentials class.
    """
    return [
        (str(location[0]) if location else "", _sentence(location[1:], message))
        for location, message in _details(model, values)
    ]


def channel_problems(configuration: ChannelConfiguration) -> list[str]:
    """Return problems of a configuration whose parts are valid, but do not fit together. Sends nothing.

    Example: the credentials are not the kind that the settings require. The configuration may be unsaved.
    """
    try:
        with open_channel(configuration):
            return []
    except ConfigurationError as error:
        return [error.message]


def catalog_problems(catalog_uuids: object) -> list[str]:
    """Return the problems of a configuration's list of catalogs."""
    if not isinstance(catalog_uuids, list):
        return [gettext("Enter a list of UUIDs.")]
    return [gettext("%(value)r is not a UUID") % {"value": value} for value in catalog_uuids if not _is_uuid(value)]


def new_configuration(
    *,
    channel_code: str,
    customer_uuid: UUID,
    base_url: str,
    settings: dict[str, object],
    credentials: dict[str, object],
    catalog_uuids: Iterable[UUID] = (),
    display_name: str = "",
) -> ChannelConfiguration:
    """Return a new configuration, validated but not saved.

    Raises:
        ConfigurationError: the URL contains a password, or settings or credentials are invalid or do not fit together.
    """
    problems = [
        *base_url_problems(base_url),
        *settings_problems(channel_code, settings),
        *credentials_problems(channel_code, credentials),
    ]
    if problems:
        raise ConfigurationError("; ".join(problems))
    configuration = ChannelConfiguration(
        channel_code=channel_code,
        enterprise_customer_uuid=customer_uuid,
        display_name=display_name,
        base_url=base_url,
        settings=settings,
        credentials=encrypt(credentials),
        catalog_uuids=[str(catalog_uuid) for catalog_uuid in catalog_uuids],
    )
    if problems := channel_problems(configuration):
        raise ConfigurationError("; ".join(problems))
    return configuration


def make_configuration(**columns: Any) -> ChannelConfiguration:
    """Save a new configuration; its first sync is due at once. Arguments and errors: :func:`new_configuration`."""
    configuration = new_configuration(**columns)
    save_configuration(configuration)
    return configuration


def save_configuration(configuration: ChannelConfiguration, columns: Collection[str] | None = None) -> None:
    """Save a configuration, and write its status: a new one has none yet, and an edit may pause it.

    The sync is due at once: an edit may change what belongs in the LMS.

    Args:
        columns: names of the columns to write; ``None`` writes all.
    """
    now = timezone.now()
    with transaction.atomic():
        configuration.save(update_fields=columns)
        with_keys(ChannelConfiguration.objects.all(), [configuration.pk], active=True).make_due(now)
        status.refresh([configuration.pk], now=now)


def _problems(model: type[BaseModel], values: Mapping[str, object]) -> list[str]:
    return [_sentence(location, message) for location, message in _details(model, values)]


def _details(model: type[BaseModel], values: Mapping[str, object]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            yield detail["loc"], detail["msg"]


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    path = ".".join(map(str, location))
    text = message.removeprefix("Value error, ")
    return f"{path}: {text}" if path else text


def _secrets_of(credentials: BaseModel) -> list[str]:
    return [value.get_secret_value() for _, value in credentials if isinstance(value, SecretStr)]


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_private_address(host: str) -> bool:
    """Return True if ``host`` is an IP address, not a name, and not public."""
    try:
        return not is_public(host)
    except ValueError:
        return False
