"""The status of all configurations, and the parameters of its list."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.integrated_channels.models import Status
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import Day
from enterprise_catalog.integrated_channels.reporting.overview import Row


class OverviewQuerySerializer(serializers.Serializer[object]):
    state = serializers.ChoiceField(
        Status.choices,
        required=False,
        help_text="Omit it for the configurations that need attention. `up_to_date` includes `up_to_date_except`.",
    )
    page = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=1_000_000, help_text="From 1; beyond the last, the last page."
    )


class OverviewRowSerializer(serializers.Serializer[Row]):
    configuration = serializers.IntegerField(source="status.pk")
    display_name = serializers.CharField(source="status.configuration.display_name")
    channel = serializers.CharField(source="status.configuration.channel_code")
    enterprise_customer = serializers.UUIDField(source="status.configuration.enterprise_customer_uuid")
    customer_name = serializers.CharField(source="status.customer_name", help_text="Empty if it is unknown.")
    state = serializers.ChoiceField(Status.choices)
    is_overdue = serializers.BooleanField(help_text="No sync has started for an hour after it was due.")
    since = serializers.DateTimeField(source="status.since", help_text="When the state began.")
    reason = serializers.CharField(help_text="One or more sentences; empty if the configuration is up to date.")
    failing = serializers.IntegerField(source="status.failing", help_text="Items that failed and are retried.")
    dead = serializers.IntegerField(source="status.dead", help_text="Items that failed too often to be retried.")
    held = serializers.IntegerField(source="status.held", help_text="Deletes that wait for approval.")
    behind = serializers.IntegerField(source="status.behind", help_text="Items that are still to be sent or fetched.")
    rejected = serializers.IntegerField(source="status.rejected", help_text="Items that are rejected.")
    kept = serializers.IntegerField(source="status.kept", help_text="Items that an operator keeps.")
    last_full_sync_at = serializers.DateTimeField(source="status.configuration.last_full_sync_at", allow_null=True)
    next_sync_at = serializers.DateTimeField(source="status.configuration.next_sync_at", allow_null=True)


class DaySerializer(serializers.Serializer[Day]):
    day = serializers.DateField(help_text="In UTC.")
    accepted = serializers.IntegerField(help_text="Items that the LMS accepted, or that were put into a feed.")
    rejected = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Temporary failures.")
    not_sent = serializers.IntegerField(help_text="Items that were not sent because a run had to stop.")
    p50_seconds = serializers.FloatField(allow_null=True, help_text="Median time from change to LMS.")
    p95_seconds = serializers.FloatField(allow_null=True)
    backlog = serializers.IntegerField(allow_null=True, help_text="Items that were not up to date at the day's end.")


class OverviewSerializer(serializers.Serializer[object]):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="State -> number of configurations.")
    page = serializers.IntegerField()
    last_page = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Configurations on all pages.")
    results = OverviewRowSerializer(many=True)
    days = DaySerializer(
        many=True, allow_null=True, help_text="The last 28 days; null unless the caller's role covers all customers."
    )
