"""The diagnosis of one content key, and its parameters."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH
from enterprise_catalog.integrated_channels.api.serializers.strict import StrictSerializer
from enterprise_catalog.integrated_channels.domain import Action
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.sentences import Remedy
from enterprise_catalog.integrated_channels.reporting.steps import StepName, StepState


class DiagnosisQuerySerializer(StrictSerializer):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField(
        max_length=MAX_KEY_LENGTH,
        trim_whitespace=False,
        help_text="Compared exactly. For a similar key, a run key or the beginning of a title, there are suggestions.",
    )


class LiveDiagnosisSerializer(DiagnosisQuerySerializer):
    configuration = serializers.IntegerField(min_value=0, help_text="The configuration whose LMS is called.")


class StepSerializer(serializers.Serializer[object]):
    name = serializers.ChoiceField([name.value for name in StepName])
    title = serializers.CharField(source="label")
    state = serializers.ChoiceField([state.value for state in StepState])
    detail = serializers.CharField(help_text="A sentence; empty if the step was not reached.")


class FindingSerializer(serializers.Serializer[object]):
    configuration = serializers.IntegerField(source="configuration_id")
    name = serializers.CharField(source="configuration")
    channel = serializers.CharField(help_text="Display name of the LMS.")
    transmission = serializers.IntegerField(source="transmission_id", allow_null=True)
    cause = serializers.ChoiceField([cause.value for cause in Cause])
    sentence = serializers.CharField(help_text="Why the item is, or is not, in the LMS.")
    what_to_do = serializers.CharField()
    action = serializers.CharField(allow_null=True, help_text=f"The action that helps: {', '.join(Remedy)}.")
    next_action = serializers.CharField(
        allow_null=True,
        help_text=f"What the next sync does with the item in the LMS: {', '.join(Action)}; null for nothing.",
    )
    steps = StepSerializer(many=True)


class SuggestedItemSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    title = serializers.CharField()
    content_type = serializers.CharField()
    match = serializers.ChoiceField(["spaces", "case", "run", "title"])


class DiagnosisSerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField()
    title = serializers.CharField(help_text="Empty if unknown.")
    problem = serializers.CharField(help_text="The reason why the findings are incomplete; empty if they are complete.")
    findings = FindingSerializer(many=True)
    suggestions = SuggestedItemSerializer(many=True)
