"""A configuration as Open edX returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from pydantic import SecretStr, ValidationError

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.api.open_edx.members import (
    DEFAULT_CHUNK_SIZE,
    MASK,
    MEMBERS_BY_CODE,
    Members,
    member_of,
    old_name,
)
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.models import RunState, SyncRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

#: The portal reports longer names as incorrect.
MAX_NAME_LENGTH: Final = 20

_FAILED: Final = (RunState.STOPPED, RunState.ABANDONED, RunState.INCOMPLETE)


def with_run_times(configurations: ConfigurationQuerySet) -> ConfigurationQuerySet:
    """Add when the last run began, and when the last run that failed began."""
    runs = SyncRun.objects.filter(configuration=OuterRef("pk")).order_by("-started_at").values("started_at")
    failed = runs.filter(state__in=_FAILED)
    return configurations.annotate(attempted_at=Subquery(runs[:1]), errored_at=Subquery(failed[:1]))


def uuid_of(configuration: ChannelConfiguration) -> UUID:
    """Return the UUID that stands for the configuration: its id."""
    return UUID(int=configuration.pk)


def as_open_edx(configuration: Any, request: Request, *, is_old: bool) -> dict[str, object]:
    """Return a configuration of :func:`with_run_times` as a plug-in returns it, with masked secrets.

    Args:
        is_old: the old plug-in's names.
    """
    members = MEMBERS_BY_CODE[configuration.channel_code]
    credentials = _readable_credentials(configuration)
    attempted, errored = configuration.attempted_at, configuration.errored_at
    return {
        "id": configuration.pk,
        "uuid": str(uuid_of(configuration)),
        "display_name": configuration.display_name,
        "channel_code": configuration.channel_code,
        "enterprise_customer": str(configuration.enterprise_customer_uuid),
        "idp_id": "",
        "active": configuration.active,
        "is_valid": validity(configuration, members, credentials),
        "last_sync_attempted_at": attempted,
        "last_content_sync_attempted_at": attempted,
        "last_learner_sync_attempted_at": None,
        "last_sync_errored_at": errored,
        "last_content_sync_errored_at": errored,
        "last_learner_sync_errored_at": None,
        "transmission_chunk_size": configuration.chunk_size or DEFAULT_CHUNK_SIZE,
        "last_modified_at": configuration.created_at,
        members.base_url: configuration.base_url,
        **{member: configuration.settings.get(name, "") for member, name in members.settings.items()},
        **_shown_credentials(members, credentials, is_old=is_old),
        **members.constants,
        **_consent(configuration, members, request),
    }


def _readable_credentials(configuration: ChannelConfiguration) -> dict[str, object]:
    """Return the stored credentials; none if no key can decrypt them."""
    try:
        return decrypt(configuration.credentials)
    except ConfigurationError:
        return {}


def _shown_credentials(members: Members, credentials: dict[str, object], *, is_old: bool) -> dict[str, object]:
    """Return the members with credentials: names of users and clients, and a mask for each secret."""
    if is_old and not members.shows_credentials_in_old_plug_in:
        return {}
    fields = CHANNELS[members.code].credentials_class.model_fields
    shown = {}
    for member, name in members.credentials.items():
        value = credentials.get(name) or ""
        is_secret = SecretStr.__name__ in str(fields[name].annotation)  # Such as ``SecretStr | None``.
        shown[old_name(member) if is_old else member] = MASK if is_secret and value else value
    return shown


def _consent(configuration: ChannelConfiguration, members: Members, request: Request) -> dict[str, object]:
    if not members.has_consent:
        return {}
    path = reverse("channel-consent", args=[configuration.pk])
    return {"oauth_authorization_url": request.build_absolute_uri(path)}


def validity(
    configuration: ChannelConfiguration, members: Members, credentials: dict[str, object]
) -> list[dict[str, list[str]]]:
    """Return ``[{"missing": […]}, {"incorrect": […]}]``: names of members, or a text for a choice of members."""
    missing: list[str] = []
    incorrect: list[str] = []
    channel = CHANNELS[members.code]
    for name, is_missing in (
        *_problems(channel.settings_class, configuration.settings),
        *_problems(channel.credentials_class, credentials),
    ):
        (missing if is_missing else incorrect).append(member_of(name, members))
    if members.has_consent and not credentials.get("refresh_token"):
        missing.append("refresh_token")
    if len(configuration.display_name) > MAX_NAME_LENGTH:
        incorrect.append("display_name")
    return [{"missing": missing}, {"incorrect": incorrect}]


def _problems(model: type[BaseModel], values: object) -> Iterator[tuple[str, bool]]:
    """Yield the name of each invalid field, and True if it is missing; a text if several fields are missing."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            field = ".".join(map(str, detail["loc"]))
            yield field or detail["msg"].removeprefix("Value error, "), not field or detail["type"] == "missing"
