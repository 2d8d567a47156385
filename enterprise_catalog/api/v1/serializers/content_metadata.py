"""The documents of a catalog, by key and page by page."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.fields import CursorField, keys_field

MAX_METADATA_KEYS: Final = 1_000


class MetadataRequestSerializer(serializers.Serializer[object]):
    content_keys = keys_field(min_length=1, max_length=MAX_METADATA_KEYS)


class MissingItemSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    reason = serializers.CharField()


class MetadataSerializer(serializers.Serializer[object]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField()
    results = serializers.ListField(child=serializers.DictField(), help_text="Documents, ascending by content_key.")
    missing = MissingItemSerializer(many=True)


class MetadataPageSerializer(serializers.Serializer[object]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField(help_text="Differs between two pages if the catalog changed in between.")
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class PageQuerySerializer(serializers.Serializer[object]):
    cursor = CursorField(
        required=False, help_text="Opaque; copy it from the previous page's `next`. Omit it for the first page."
    )
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MAX_METADATA_KEYS)
