"""Long actions and the items that they found."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.integrated_channels.api.pages import PageQuerySerializer
from enterprise_catalog.integrated_channels.api.privacy import PrivateSerializer
from enterprise_catalog.integrated_channels.models import Operation, OperationItem


class OperationSerializer(PrivateSerializer[Operation]):
    user_field = "started_by"

    kind = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True, help_text="waiting, running, done or failed.")
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Operation
        fields = (
            *("id", "configuration", "kind", "state", "done", "total", "message", "counts", "started_by", "reason"),
            *("created_at", "started_at", "finished_at"),
        )
        read_only_fields = fields


class OperationItemQuerySerializer(PageQuerySerializer):
    kind = serializers.CharField(required=False, max_length=16, help_text="Such as create, or missing.")


class OperationItemSerializer(serializers.ModelSerializer[OperationItem]):
    class Meta:
        model = OperationItem
        fields = ("content_key", "kind", "details")
        read_only_fields = fields
