"""The queries behind catalogs, and content filters."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.fields import MAX_CATALOGS
from enterprise_catalog.catalog.discovery.filters import FilterError, check_filter
from enterprise_catalog.catalog.models import CatalogQuery

#: MariaDB stores JSON of at most 32 levels.
MAX_FILTER_DEPTH: Final = 20


@extend_schema_field({"type": "object", "additionalProperties": True})
class ContentFilterField(serializers.Field[dict[str, object], object, dict[str, object], object]):
    """A content filter of course-discovery's search, an object. Members that the service does not know are kept."""

    def to_internal_value(self, data: object) -> dict[str, object]:
        try:
            content_filter = check_filter(data)
        except FilterError as error:
            raise serializers.ValidationError(error.message, "bad_filter") from None
        if _is_deeper(data, MAX_FILTER_DEPTH):
            raise serializers.ValidationError(f"Has more than {MAX_FILTER_DEPTH} levels.", "too_deep")
        return content_filter


def _is_deeper(value: object, levels: int) -> bool:
    """Return True if objects and lists are nested more than ``levels`` deep."""
    nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return nested is not None and (levels == 0 or any(_is_deeper(each, levels - 1) for each in nested))


class QuerySerializer(serializers.Serializer[CatalogQuery]):
    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    content_filter = serializers.DictField()
    content_filter_hash = serializers.CharField(
        allow_null=True, help_text="MD5, in hexadecimal; null for a query that is filled from imported files."
    )


class QueryPageSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = QuerySerializer(many=True)


class QueryHashSerializer(serializers.Serializer[object]):
    hash = serializers.RegexField("^[0-9a-f]{32}$", help_text="MD5 of a content filter, in hexadecimal.")


class DistinctQueriesRequestSerializer(serializers.Serializer[object]):
    enterprise_catalog_uuids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_CATALOGS)


class DistinctQueriesSerializer(serializers.Serializer[object]):
    num_distinct_query_ids = serializers.IntegerField()
    catalog_uuids_by_catalog_query_id = serializers.DictField(
        child=serializers.ListField(child=serializers.UUIDField()), help_text="By the id of the query."
    )
