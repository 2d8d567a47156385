"""Configurations, and the parameters of their list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rest_framework import serializers

from enterprise_catalog.integrated_channels.api.pages import PageQuerySerializer
from enterprise_catalog.integrated_channels.api.serializers.strict import StrictSerializer
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import MAX_MESSAGE_LENGTH, ChannelConfiguration, Status
from enterprise_catalog.integrated_channels.models.configurations import MAX_GOAL_MINUTES, MIN_GOAL_MINUTES

if TYPE_CHECKING:
    from enterprise_catalog.web.rest.input import Values

#: Fields of a request's body that only operators may send: they decide which deletes need an operator's approval.
OPERATOR_FIELDS: Final = frozenset({"delete_limit_items", "delete_limit_percent", "skip_customer_check"})

#: Field of the API -> column, where they differ.
_COLUMNS: Final = {"channel": "channel_code", "enterprise_customer": "enterprise_customer_uuid"}
_FIELDS: Final = {column: field for field, column in _COLUMNS.items()}

_LIMITS: Final = (
    *("chunk_size", "max_chunks_per_run", "max_seconds_per_run", "sync_interval_minutes"),
    *("freshness_goal_minutes", "delete_limit_items", "delete_limit_percent"),
)


def columns_of(values: Values) -> Values:
    """Return the validated fields of a request by column, without the fields that are not columns."""
    others = ("credentials", "skip_customer_check", "reason")
    return {_COLUMNS.get(name, name): value for name, value in values.items() if name not in others}


def field_of(column: str) -> str:
    """Return the API's field that stands for a column."""
    return _FIELDS.get(column, column)


class ChannelField(serializers.CharField):
    """The code of a channel, such as ``MOODLE``."""

    def to_internal_value(self, data: str) -> str:
        code: str = super().to_internal_value(data)
        if code not in CHANNELS:
            raise serializers.ValidationError(f"Unknown channel. Available channels: {', '.join(CHANNELS)}.", "channel")
        return code


class ConfigurationQuerySerializer(PageQuerySerializer):
    enterprise_customer = serializers.UUIDField(required=False)
    channel = ChannelField(required=False)
    active = serializers.BooleanField(required=False, allow_null=True, default=None)
    state = serializers.ChoiceField(Status.choices, required=False)


class ConfigurationSerializer(serializers.ModelSerializer[ChannelConfiguration]):
    """A configuration. Credentials are never returned."""

    channel = serializers.CharField(source="channel_code", read_only=True)
    enterprise_customer = serializers.UUIDField(source="enterprise_customer_uuid", read_only=True)
    catalog_uuids = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    settings = serializers.DictField(read_only=True)
    has_credentials = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField(help_text="Status after the last run or decision.")

    class Meta:
        model = ChannelConfiguration
        fields = (
            *("id", "channel", "display_name", "enterprise_customer", "catalog_uuids", "active", "paused_at"),
            *("pause_reason", "state", "base_url"),
            *("settings", "has_credentials", *_LIMITS, "next_sync_at", "last_full_sync_at", "created_at"),
        )
        read_only_fields = fields

    def get_has_credentials(self, configuration: ChannelConfiguration) -> bool:
        """Return True if credentials are stored."""
        return bool(configuration.credentials)

    def get_state(self, configuration: ChannelConfiguration) -> str:
        """Return the state in the configuration's status row."""
        return configuration.status.state if hasattr(configuration, "status") else Status.NEVER_SYNCED.value


def _limit(
    *, most: int = 2**31 - 1, least: int = 1, allow_null: bool = False, help_text: str | None = None
) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, min_value=least, max_value=most, allow_null=allow_null, help_text=help_text
    )


class ConfigurationChangeSerializer(StrictSerializer):
    """The fields of a change; fields that are not sent keep their values."""

    display_name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=1_000, help_text="Empty for all of the customer."
    )
    active = serializers.BooleanField(required=False)
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=MAX_MESSAGE_LENGTH,
        help_text="For the decision log. Required if the configuration is deactivated.",
    )
    base_url = serializers.URLField(required=False, max_length=255, help_text="Another host needs new credentials.")
    settings = serializers.DictField(required=False, help_text="The channel's settings; replaces all of them.")
    credentials = serializers.DictField(
        required=False, write_only=True, help_text="The channel's credentials; replaces all of them. Never returned."
    )
    chunk_size = _limit(allow_null=True)
    max_chunks_per_run = _limit(allow_null=True)
    max_seconds_per_run = _limit(allow_null=True)
    sync_interval_minutes = _limit()
    freshness_goal_minutes = _limit(
        least=MIN_GOAL_MINUTES, most=MAX_GOAL_MINUTES, allow_null=True, help_text="null for the site's goal."
    )
    delete_limit_items = _limit(least=0, help_text="Only operators may send it.")
    delete_limit_percent = _limit(least=0, most=100, help_text="Only operators may send it.")

    def validate_catalog_uuids(self, value: list[object]) -> list[str]:
        """Return the UUIDs as text, as they are stored."""
        return [str(uuid) for uuid in value]


class ConfigurationCreateSerializer(ConfigurationChangeSerializer):
    """The fields of a new configuration."""

    channel = ChannelField()
    enterprise_customer = serializers.UUIDField()
    base_url = serializers.URLField(max_length=255)
    credentials = serializers.DictField(write_only=True, help_text="The channel's credentials. Never returned.")
    skip_customer_check = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Do not ask the catalog service for the customer. Only operators may send it.",
    )
