"""Runs, transmissions and attempts, and the parameters of their lists."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH
from enterprise_catalog.integrated_channels.api.pages import PageQuerySerializer
from enterprise_catalog.integrated_channels.domain import Outcome, State
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
    TransmissionAttempt,
)


class RunQuerySerializer(PageQuerySerializer):
    configuration = serializers.IntegerField(
        required=False, min_value=0, help_text="Required, except for callers with a role for all customers."
    )
    state = serializers.ChoiceField(RunState.choices, required=False)


class RunSerializer(serializers.ModelSerializer[SyncRun]):
    counts = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        read_only=True,
        help_text="Action -> outcome -> number of items.",
    )

    class Meta:
        model = SyncRun
        fields = (
            *("id", "configuration", "state", "reason", "started_at", "finished_at", "counts", "matched", "waiting"),
            *("backlog", "dead", "staged", "held", "kept", "comparison", "changes_since"),
        )
        read_only_fields = fields


class TransmissionQuerySerializer(PageQuerySerializer):
    configuration = serializers.IntegerField(
        required=False, min_value=0, help_text="Required, unless `content_key` or `search` is given."
    )
    content_key = serializers.CharField(required=False, max_length=MAX_KEY_LENGTH, trim_whitespace=False)
    state = serializers.ChoiceField([state.value for state in State], required=False)
    search = serializers.CharField(
        required=False,
        max_length=MAX_KEY_LENGTH,
        trim_whitespace=False,
        help_text="The beginning of a content key, title or reason, an id in the LMS, or a customer's UUID; "
        "`key:`, `title:`, `reason:`, `remote:` and `customer:` choose one of them.",
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """Require one of three filters: a list of all items would be read from the beginning each time."""
        if not {"configuration", "content_key", "search"} & attrs.keys():
            text = "Send configuration, content_key or search."
            raise serializers.ValidationError({"configuration": [text]}, "required")
        return attrs


class TransmissionSerializer(serializers.ModelSerializer[ContentMetadataItemTransmission]):
    class Meta:
        model = ContentMetadataItemTransmission
        fields = (
            *("id", "configuration", "content_key", "content_title", "catalog_uuid", "state", "action", "reason"),
            *("presence", "remote_id", "remote_created_at", "remote_updated_at", "remote_deleted_at"),
            *("content_updated_at", "attempted_updated_at", "attempts", "last_attempt_at", "next_attempt_at"),
            *("due_since", "created_at", "deleted_at"),
        )
        read_only_fields = fields


class AttemptQuerySerializer(PageQuerySerializer):
    transmission = serializers.IntegerField(required=False, min_value=0, help_text="Required, unless `run` is given.")
    run = serializers.IntegerField(required=False, min_value=0)
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome], required=False)

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """Require exactly one of the two filters."""
        if ("transmission" in attrs) == ("run" in attrs):
            raise serializers.ValidationError({"transmission": ["Send either transmission or run."]}, "required")
        return attrs


class AttemptSerializer(serializers.ModelSerializer[TransmissionAttempt]):
    outcome = serializers.CharField(read_only=True, help_text="Empty until the call has ended.")

    class Meta:
        model = TransmissionAttempt
        fields = (
            *("id", "transmission", "run", "action", "content_updated_at", "started_at", "finished_at", "outcome"),
            *("status_code", "vendor_code", "message"),
        )
        read_only_fields = fields
