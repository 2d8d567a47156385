"""The diff of a catalog."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.fields import keys_field

MAX_DIFF_KEYS: Final = 250_000


class DiffRequestSerializer(serializers.Serializer[object]):
    content_keys = keys_field(
        max_length=MAX_DIFF_KEYS, help_text="The keys already sent, in any order; duplicates count once."
    )


class ExistingItemSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    updated_at = serializers.DateTimeField(help_text="When the item last changed, in UTC.")


class DiffSerializer(serializers.Serializer[object]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField(help_text="Opaque; changes whenever the catalog's content changes.")
    existing = ExistingItemSerializer(many=True, help_text="Sent, and in the catalog.")
    to_create = serializers.ListField(child=serializers.CharField(), help_text="In the catalog, not sent.")
    to_delete = serializers.ListField(child=serializers.CharField(), help_text="Sent, not in the catalog.")
