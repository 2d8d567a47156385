"""Documents by identifier."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.fields import AnyTextField, JoinedKeysField, PageSizeField


class CustomerDocumentQuerySerializer(serializers.Serializer[object]):
    skip_customer_fetch = AnyTextField(help_text="Any text: leave out the enrollment URLs.")


class PlainDocumentQuerySerializer(serializers.Serializer[object]):
    coerce_to_parent_course = AnyTextField(help_text="Any text: return the course of a run.")


class PlainPageQuerySerializer(PlainDocumentQuerySerializer):
    content_identifiers = JoinedKeysField(
        required=False, help_text="Keys, UUIDs of content or row numbers. Omit it for all items."
    )
    page = serializers.IntegerField(required=False, default=1, min_value=1)
    page_size = PageSizeField()


class PlainPageSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())
