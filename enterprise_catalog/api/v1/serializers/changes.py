"""Changes since a version of a catalog, or of all catalogs."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.content_diff import ExistingItemSerializer
from enterprise_catalog.api.v1.serializers.fields import CursorField

#: Per page of changes.
MAX_CHANGES: Final = 10_000


class ContentChangesQuerySerializer(serializers.Serializer[object]):
    since = serializers.CharField(help_text="A `catalog_version` of this catalog.")
    cursor = CursorField(
        required=False, help_text="Opaque; copy it from the previous page's `next`. Omit it for the first page."
    )
    page_size = serializers.IntegerField(required=False, default=1_000, min_value=1, max_value=MAX_CHANGES)


class ContentChangesSerializer(serializers.Serializer[object]):
    catalog_uuid = serializers.UUIDField()
    created = ExistingItemSerializer(many=True, help_text="Added since the previous page. Ascending by content_key.")
    changed = ExistingItemSerializer(many=True, help_text="In the catalog before, with another document.")
    removed = serializers.ListField(child=serializers.CharField(), help_text="In the catalog before.")
    next = serializers.URLField(allow_null=True)
    catalog_version = serializers.CharField(
        required=False, help_text="On the last page only: the `since` of the next time."
    )


class CatalogChangesQuerySerializer(serializers.Serializer[object]):
    since = serializers.CharField(
        required=False, help_text="The `cursor` of an earlier response. Omit it to get only the current cursor."
    )


class CatalogChangesSerializer(serializers.Serializer[object]):
    customers = serializers.ListField(child=serializers.UUIDField(), help_text="Ascending.")
    cursor = serializers.CharField(help_text="Opaque; the `since` of the next time.")
