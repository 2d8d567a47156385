"""Subscriptions to events, the parameters of their list, and the result of a test message."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.integrated_channels.api.pages import PageQuerySerializer
from enterprise_catalog.integrated_channels.api.privacy import SUPPORT, may_see_words_of
from enterprise_catalog.integrated_channels.api.serializers.strict import StrictSerializer
from enterprise_catalog.integrated_channels.models import Delivery, Digest, EventKind, Medium, Subscription
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import (
    MAX_SECRET_LENGTH,
    MAX_URL_LENGTH,
)


class SubscriptionQuerySerializer(PageQuerySerializer):
    configuration = serializers.IntegerField(required=False, min_value=0)
    enterprise_customer = serializers.UUIDField(
        required=False, help_text="Subscriptions to all of the customer's configurations."
    )


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A subscription. The URL and the secret of a webhook are never returned. The context must contain the request."""

    enterprise_customer = serializers.UUIDField(source="enterprise_customer_uuid", read_only=True, allow_null=True)
    kinds = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Empty for all events.")
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (
            *("id", "configuration", "enterprise_customer", "medium", "email", "webhook_host", "kinds"),
            *("with_recoveries", "digest", "muted", "is_customers", "created_by", "created_at"),
        )
        read_only_fields = fields

    def get_created_by(self, subscription: Subscription) -> str:
        """Return the name of the user who created it, if the caller may see it."""
        name = subscription.created_by
        return name if may_see_words_of(name, self.context["request"]) else SUPPORT


class SubscriptionChangeSerializer(StrictSerializer):
    """The fields of a change; fields that are not sent keep their values."""

    medium = serializers.ChoiceField(Medium.choices, required=False)
    email = serializers.EmailField(required=False, max_length=254)
    url = serializers.CharField(
        required=False,
        write_only=True,
        max_length=MAX_URL_LENGTH,
        help_text="URL of the webhook. Another host needs a new secret. Never returned.",
    )
    secret = serializers.CharField(
        required=False,
        write_only=True,
        max_length=MAX_SECRET_LENGTH,
        help_text="Signs each message of a webhook. Slack needs none. Never returned.",
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(EventKind.choices),
        required=False,
        max_length=len(EventKind),
        help_text="Empty for all events.",
    )
    with_recoveries = serializers.BooleanField(required=False)
    digest = serializers.ChoiceField(Digest.choices, required=False)
    muted = serializers.BooleanField(required=False)


class SubscriptionCreateSerializer(SubscriptionChangeSerializer):
    """The fields of a new subscription. Without a configuration and a customer, it is about all configurations."""

    medium = serializers.ChoiceField(Medium.choices)
    configuration = serializers.IntegerField(required=False, min_value=0)
    enterprise_customer = serializers.UUIDField(required=False)


class TestMessageSerializer(serializers.ModelSerializer[Delivery]):
    """The result of a test message."""

    state = serializers.CharField(read_only=True, help_text="sent or failed.")

    class Meta:
        model = Delivery
        fields = ("state", "status_code", "response")
        read_only_fields = fields
