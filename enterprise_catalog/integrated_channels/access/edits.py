"""Create, change and deactivate configurations, for programs that are not the admin.

Every change is validated as a whole before it is saved: a rejected change leaves nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction

from enterprise_catalog.integrated_channels.access.configurations import (
    base_url_problems,
    channel_problems,
    credentials_problems,
    save_configuration,
    settings_problems,
)
from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.access.entry_checks import find_customer_problems, find_twin_problems
from enterprise_catalog.integrated_channels.audit import decisions, status
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, DecisionAction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: Columns that identify what the transmissions of a configuration belong to.
_FIXED: Final = ("channel_code", "enterprise_customer_uuid")


class InvalidConfigurationError(ConfigurationError):
    """A configuration that cannot be saved."""

    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(text for texts in problems.values() for text in texts))
        self.problems = problems  #: Column, or ``credentials`` -> one sentence per problem.


def create_configuration(
    columns: Mapping[str, Any], credentials: Mapping[str, object], *, skip_customer_check: bool = False
) -> ChannelConfiguration:
    """Save and return a new configuration. If it is active, its first sync is due at once.

    Args:
        columns: values by column, without credentials.
        skip_customer_check: do not ask the catalog service for the customer and the catalogs.

    Raises:
        InvalidConfigurationError: the values are invalid, do not fit together, or equal those of another configuration.
        CatalogUnavailableError: the catalog service gave no usable response.
    """
    configuration = ChannelConfiguration(**columns)
    _check_columns(configuration, {*columns})
    _check_credentials(configuration, credentials)
    _raise({"base_url": find_twin_problems(configuration)})
    if not skip_customer_check:
        _raise({"enterprise_customer_uuid": find_customer_problems(configuration)})
    configuration.credentials = encrypt(dict(credentials))
    save_configuration(configuration)
    return configuration


@transaction.atomic
def change_configuration(
    pk: int,
    columns: Mapping[str, object],
    credentials: Mapping[str, object] | None = None,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    keeps_others: bool = False,
) -> ChannelConfiguration:
    """Change some columns of a configuration, and its credentials unless ``None``; return the configuration.

    Unchanged values are not validated: a configuration that no longer fits its channel can still be deactivated.

    Args:
        by: name of the user, for the decision log.
        reason: the user's own text, for the decision log.
        keeps_others: keep the stored credentials that ``credentials`` does not name. Not possible together with a new
            host: the stored credentials would be sent to it.

    Raises:
        InvalidConfigurationError: the values are invalid or do not fit together.
        ChannelConfiguration.DoesNotExist: there is no such configuration.
    """
    configuration = ChannelConfiguration.objects.select_for_update().get(pk=pk)
    hosts = hosts_of(configuration)
    changed = {name for name, value in columns.items() if getattr(configuration, name) != value}
    _raise({name: ["Cannot be changed. Create another configuration."] for name in changed.intersection(_FIXED)})
    for name in changed:
        setattr(configuration, name, columns[name])
    _check_columns(configuration, changed)
    is_moved = hosts_of(configuration) != hosts
    if is_moved and credentials is None:
        raise InvalidConfigurationError({"credentials": ["Enter the credentials again for the new address."]})
    if credentials is not None and keeps_others and not is_moved:
        credentials = {**decrypt(configuration.credentials), **credentials}
    if credentials is not None or changed & {"base_url", "settings"}:
        _check_credentials(configuration, credentials)
    if credentials is not None:
        configuration.credentials = encrypt(dict(credentials))
        changed.add("credentials")
        decisions.record(configuration, DecisionAction.REPLACE_CREDENTIALS, by=by, now=now, reason=reason)
    save_configuration(configuration, changed - {"active"})
    if "active" in changed:
        _switch(configuration, by=by, now=now, reason=reason)
    return configuration


def _switch(configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str) -> None:
    """Resume or pause a configuration, according to its new value of ``active``."""
    switch = decisions.resume if configuration.active else decisions.pause
    switch(configuration, by=by, now=now, reason=reason)
    configuration.refresh_from_db()


@transaction.atomic
def delete_configuration(
    configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str = "Deleted through the API."
) -> None:
    """Deactivate and hide a configuration. Its records are kept, and so are the items in the LMS."""
    ChannelConfiguration.objects.filter(pk=configuration.pk).update(
        active=False, deleted_at=now, paused_at=now, pause_reason=reason
    )
    decisions.record(configuration, DecisionAction.DELETE, by=by, now=now, reason=reason)
    status.refresh([configuration.pk], now=now)


def _check_columns(configuration: ChannelConfiguration, changed: set[str]) -> None:
    """Validate the changed columns, each on its own."""
    _raise(_column_problems(configuration, changed))
    if "base_url" in changed:
        _raise({"base_url": base_url_problems(configuration.base_url)})
    if "settings" in changed:
        _raise({"settings": settings_problems(configuration.channel_code, configuration.settings)})


def _check_credentials(configuration: ChannelConfiguration, credentials: Mapping[str, object] | None) -> None:
    """Validate the new credentials, and how they, or else the stored ones, fit the settings."""
    code, stored = configuration.channel_code, configuration.credentials
    if credentials is not None:
        _raise({"credentials": credentials_problems(code, credentials)})
        stored = encrypt(dict(credentials))
    to_be = ChannelConfiguration(
        channel_code=code, base_url=configuration.base_url, settings=configuration.settings, credentials=stored
    )
    _raise({"credentials": channel_problems(to_be)})


def _column_problems(configuration: ChannelConfiguration, changed: set[str]) -> dict[str, list[str]]:
    """Return the problems that the columns' own validators find."""
    others = {field.name for field in ChannelConfiguration._meta.get_fields()} - changed
    try:
        configuration.clean_fields(exclude=others)
    except ValidationError as error:
        return {name: [*map(str, messages)] for name, messages in error.message_dict.items()}
    return {}


def _raise(problems: Mapping[str, list[str]]) -> None:
    if found := {name: texts for name, texts in problems.items() if texts}:
        raise InvalidConfigurationError(found)


def hosts_of(configuration: ChannelConfiguration) -> list[tuple[str, str]]:
    """Return the hosts that the credentials are sent to: the LMS's, and that of its token endpoint."""
    urls = (configuration.base_url, configuration.settings.get("token_base_url") or "")
    return [(parts.scheme.lower(), parts.netloc.lower()) for parts in map(urlsplit, urls)]
