"""What requests and answers look like, with their limits. The OpenAPI schema is made from these."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.catalog.state import CatalogState
from enterprise_catalog.content_keys import MAX_KEY_LENGTH

MAX_DIFF_KEYS: Final = 250_000
MAX_METADATA_KEYS: Final = 1_000
#: In an address, of which servers and proxies take 8 KB or so.
MAX_QUERY_KEYS: Final = 100


_KEY_LENGTHS: Final = frozenset(range(1, MAX_KEY_LENGTH + 1))


class ContentKeysField(serializers.Field):  # type: ignore[type-arg]  # DRF's stubs want four parameters for no gain
    """A list of content keys, checked by builtins alone: DRF's ListField takes seconds for 250,000 elements."""

    def __init__(self, *, min_length: int = 0, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_length = min_length
        self.max_length = max_length

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise serializers.ValidationError(
                f"A list of content keys is needed, not {type(data).__name__}.", "not_a_list"
            )
        if len(data) > self.max_length:
            raise serializers.ValidationError(
                f"{len(data):,} keys; at most {self.max_length:,} are allowed.", "too_many_keys"
            )
        if len(data) < self.min_length:
            raise serializers.ValidationError(f"At least {self.min_length} key is needed.", "too_few_keys")
        if not _are_keys(data):
            position, key = next((position, key) for position, key in enumerate(data) if not _are_keys([key]))
            raise serializers.ValidationError(f"content_keys[{position}] {_fault(key)}", "bad_key")
        return data


def _are_keys(values: list[Any]) -> bool:
    try:
        "".join(values)  # The quickest way to see that all of them are text.
    except TypeError:
        return False
    return _KEY_LENGTHS.issuperset(map(len, values))


def _fault(key: object) -> str:
    if not isinstance(key, str):
        return f"must be a string, not {'null' if key is None else type(key).__name__}."
    if not key:
        return "is empty."
    return f"has {len(key)} characters; at most {MAX_KEY_LENGTH} are allowed."


_KEYS_SCHEMA: Final[dict[str, Any]] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}


@extend_schema_field({**_KEYS_SCHEMA, "maxItems": MAX_DIFF_KEYS})
class DiffKeysField(ContentKeysField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_DIFF_KEYS, **kwargs)


@extend_schema_field({**_KEYS_SCHEMA, "minItems": 1, "maxItems": MAX_METADATA_KEYS})
class MetadataKeysField(ContentKeysField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=MAX_METADATA_KEYS, **kwargs)


@extend_schema_field({**_KEYS_SCHEMA, "maxItems": MAX_QUERY_KEYS})
class QueryKeysField(ContentKeysField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_QUERY_KEYS, **kwargs)


class DiffRequestSerializer(serializers.Serializer[Any]):
    content_keys = DiffKeysField(help_text="The keys already sent, in any order; duplicates count once.")


class LegacyDiffRequestSerializer(serializers.Serializer[Any]):
    content_keys = DiffKeysField(help_text="A space in a key is taken for a plus sign.")


class MetadataRequestSerializer(serializers.Serializer[Any]):
    content_keys = MetadataKeysField()


class ExistingItemSerializer(serializers.Serializer[Any]):
    content_key = serializers.CharField()
    updated_at = serializers.DateTimeField(help_text="When the item last really changed, in UTC.")


class DiffSerializer(serializers.Serializer[Any]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField(help_text="Opaque; differs whenever the catalog's content does.")
    existing = ExistingItemSerializer(many=True, help_text="Sent, and in the catalog.")
    to_create = serializers.ListField(child=serializers.CharField(), help_text="In the catalog, not sent.")
    to_delete = serializers.ListField(child=serializers.CharField(), help_text="Sent, not in the catalog.")


class MissingItemSerializer(serializers.Serializer[Any]):
    content_key = serializers.CharField()
    reason = serializers.CharField()


class MetadataSerializer(serializers.Serializer[Any]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField()
    results = serializers.ListField(child=serializers.DictField(), help_text="Documents, ascending by content_key.")
    missing = MissingItemSerializer(many=True)


class MetadataPageSerializer(serializers.Serializer[Any]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField(help_text="Differs between two pages if the catalog changed in between.")
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class PageQuerySerializer(serializers.Serializer[Any]):
    cursor = serializers.CharField(required=False, default="", help_text="From the last page's `next`.")
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MAX_METADATA_KEYS)


class LegacyPageQuerySerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField(required=False, default=1, min_value=1)
    page_size = serializers.IntegerField(required=False, default=10, min_value=1, max_value=MAX_METADATA_KEYS)
    traverse_pagination = serializers.BooleanField(required=False, default=False)
    content_keys = QueryKeysField(required=False, help_text="May be repeated; none means all.")


class CatalogListQuerySerializer(serializers.Serializer[Any]):
    enterprise_customer = serializers.UUIDField(required=False)


class CatalogSerializer(serializers.Serializer[CatalogState]):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField(source="customer_uuid")
    enterprise_customer_name = serializers.CharField(source="customer_name")
    catalog_version = serializers.CharField(
        source="version", help_text="Opaque; differs whenever the catalog's content does."
    )
    content_last_modified = serializers.DateTimeField(
        allow_null=True, help_text="When any item last came, changed or went."
    )


class CatalogPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CatalogSerializer(many=True)


class LegacyFoundSerializer(serializers.Serializer[Any]):
    content_key = serializers.CharField()
    date_updated = serializers.DateTimeField()


class LegacyKeySerializer(serializers.Serializer[Any]):
    content_key = serializers.CharField()


class LegacyDiffSerializer(serializers.Serializer[Any]):
    items_found = LegacyFoundSerializer(many=True)
    items_not_included = LegacyKeySerializer(many=True, help_text="In the catalog, not sent.")
    items_not_found = LegacyKeySerializer(many=True, help_text="Sent, not in the catalog.")


class LegacyMetadataSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
