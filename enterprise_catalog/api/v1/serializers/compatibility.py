"""``generate_diff`` and ``get_content_metadata``: the formats that existing Open edX callers use."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.content_diff import MAX_DIFF_KEYS
from enterprise_catalog.api.v1.serializers.fields import AnyTextField, PageSizeField, keys_field
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH

#: Per URL; servers and proxies accept URLs of about 8 KB.
MAX_QUERY_KEYS: Final = 100


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
        "maxItems": MAX_QUERY_KEYS,
    }
)
class QueryKeysField(serializers.Field[list[str], list[str], list[str], object]):
    """Content keys in a URL; errors have the same format as for a body."""

    def to_internal_value(self, data: list[str]) -> list[str]:
        if len(data) > MAX_QUERY_KEYS:
            raise serializers.ValidationError(
                f"{len(data):,} keys; at most {MAX_QUERY_KEYS:,} are allowed.", "too_many_keys"
            )
        for position, key in enumerate(data):
            if not key:
                raise serializers.ValidationError(f"content_keys[{position}] is empty.", "bad_key")
            if len(key) > MAX_KEY_LENGTH:
                raise serializers.ValidationError(
                    f"content_keys[{position}] is longer than {MAX_KEY_LENGTH} characters.", "bad_key"
                )
        return data


class LegacyDiffRequestSerializer(serializers.Serializer[object]):
    content_keys = keys_field(max_length=MAX_DIFF_KEYS, help_text="A space in a key is interpreted as a plus sign.")


class LegacyDiffQuerySerializer(serializers.Serializer[object]):
    content_keys = QueryKeysField(required=False, default=list, help_text="May be repeated.")


class LegacyFoundSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    date_updated = serializers.DateTimeField()


class LegacyKeySerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()


class LegacyDiffSerializer(serializers.Serializer[object]):
    items_found = LegacyFoundSerializer(many=True)
    items_not_included = LegacyKeySerializer(many=True, help_text="In the catalog, not sent.")
    items_not_found = LegacyKeySerializer(many=True, help_text="Sent, not in the catalog.")


class LegacyPageQuerySerializer(serializers.Serializer[object]):
    page = serializers.IntegerField(required=False, default=1, min_value=1)
    page_size = PageSizeField()
    traverse_pagination = AnyTextField(help_text="Any text: return all pages as one.")
    content_keys = QueryKeysField(required=False, help_text="May be repeated. Omit it for all items.")


class LegacyMetadataSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField(help_text="Of the items on all pages.")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    num_pages = serializers.IntegerField(required=False, help_text="Left out if all pages are returned as one.")
    current_page = serializers.IntegerField(required=False, help_text="From 1; left out likewise.")
    start = serializers.IntegerField(required=False, help_text="The position of the first item; left out likewise.")
    results = serializers.ListField(child=serializers.DictField())
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
