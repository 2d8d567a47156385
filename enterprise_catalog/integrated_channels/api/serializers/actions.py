"""Actions of users on configurations and items: what they send, what they get, and the decisions that remain."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH
from enterprise_catalog.integrated_channels.api.pages import PageQuerySerializer
from enterprise_catalog.integrated_channels.api.privacy import PrivateSerializer
from enterprise_catalog.integrated_channels.api.serializers.strict import StrictSerializer
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import MAX_MESSAGE_LENGTH, Decision, DecisionAction

_FAILED = [state.value for state in (State.RETRYING, State.REJECTED, State.DEAD_LETTER)]


class ActionSerializer(StrictSerializer):
    """The body of an action; may be left out."""

    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_MESSAGE_LENGTH, help_text="For the decision log."
    )


class PauseSerializer(ActionSerializer):
    reason = serializers.CharField(max_length=MAX_MESSAGE_LENGTH, help_text="For the decision log.")


class ItemsSerializer(ActionSerializer):
    """The body of an action on items of a configuration."""

    content_keys = serializers.ListField(
        child=serializers.CharField(max_length=MAX_KEY_LENGTH, trim_whitespace=False),
        required=False,
        min_length=1,
        max_length=1_000,
        help_text="Omit it for all items that the action is for.",
    )


class FailedItemsSerializer(ItemsSerializer):
    state = serializers.ChoiceField(_FAILED, required=False, help_text="Only items in this state.")


class ItemCountSerializer(serializers.Serializer[object]):
    items = serializers.IntegerField(help_text="Number of items that the action has changed.")


class SyncQueuedSerializer(serializers.Serializer[object]):
    is_queued = serializers.BooleanField(help_text="False if the broker is unreachable: the sync runs when it is due.")


class ProblemsSerializer(serializers.Serializer[object]):
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="What would prevent a sync, one sentence each; empty if nothing would."
    )


class DecisionQuerySerializer(PageQuerySerializer):
    configuration = serializers.IntegerField(
        required=False, min_value=0, help_text="Required, except for callers with a role for all customers."
    )
    action = serializers.ChoiceField(DecisionAction.choices, required=False)


class DecisionSerializer(PrivateSerializer[Decision]):
    user_field = "made_by"

    action = serializers.CharField(read_only=True, help_text="A value of the list's parameter `action`.")
    sample = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Content keys of the first items."
    )

    class Meta:
        model = Decision
        fields = ("id", "configuration", "action", "made_at", "made_by", "reason", "items", "sample")
        read_only_fields = fields
