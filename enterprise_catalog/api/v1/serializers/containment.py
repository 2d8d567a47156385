"""Keys that a catalog or a customer has."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.fields import MAX_CATALOGS, MAX_MATCHED_KEYS, JoinedKeysField
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH


class KeyField(serializers.CharField):
    """One content key in a body."""

    def __init__(self) -> None:
        super().__init__(min_length=1, max_length=MAX_KEY_LENGTH, trim_whitespace=False)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.", "bad_key")
        return super().to_internal_value(data)


class FilterRequestSerializer(serializers.Serializer[object]):
    content_keys = serializers.ListField(child=KeyField(), max_length=MAX_MATCHED_KEYS)
    catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=MAX_CATALOGS,
        help_text="Only these catalogs of the customer; all if empty.",
    )


class FilteredKeysSerializer(serializers.Serializer[object]):
    filtered_content_keys = serializers.ListField(child=serializers.CharField(), help_text="In the order sent.")


class ContainmentQuerySerializer(serializers.Serializer[object]):
    course_run_ids = JoinedKeysField(
        required=False, help_text="Keys of courses or course runs. May be repeated, or joined with commas."
    )
    program_uuids = JoinedKeysField(
        required=False, help_text="UUIDs of programs or pathways. May be repeated, or joined with commas."
    )


class CustomerContainmentQuerySerializer(ContainmentQuerySerializer):
    get_catalogs_containing_specified_content_ids = serializers.CharField(
        required=False, allow_blank=True, help_text="Any text: return `catalog_list`."
    )
    get_catalog_list = serializers.CharField(
        required=False, allow_blank=True, help_text="The same, for earlier callers."
    )


class ContainmentSerializer(serializers.Serializer[object]):
    contains_content_items = serializers.BooleanField()


class CustomerContainmentSerializer(ContainmentSerializer):
    catalog_list = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="The catalogs that contain one of the items."
    )
