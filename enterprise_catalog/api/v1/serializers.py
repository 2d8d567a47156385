"""The fields of requests and responses, with their limits. The OpenAPI schema is generated from them."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.catalog.discovery.filters import FilterError, check_filter
from enterprise_catalog.catalog.items.lookup import MAX_SUGGESTIONS, Match
from enterprise_catalog.catalog.models import CatalogQuery, ChangeKind, EnterpriseCatalog, QuerySource, RefreshState
from enterprise_catalog.catalog.versions.state import state_of
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH
from enterprise_catalog.db.timestamps import format_time

MAX_DIFF_KEYS: Final = 250_000
MAX_METADATA_KEYS: Final = 1_000
#: Per page of changes.
MAX_CHANGES: Final = 10_000
#: Per page of catalogs.
MAX_CATALOGS: Final = CatalogPagination.max_page_size
#: Of names and titles, in characters.
MAX_TITLE_LENGTH: Final = 255
MAX_COURSE_MODES: Final = 100
#: MariaDB stores JSON of at most 32 levels.
MAX_FILTER_DEPTH: Final = 20
#: Per URL; servers and proxies accept URLs of about 8 KB.
MAX_QUERY_KEYS: Final = 100
#: Of a page in the format of existing Open edX callers.
MAX_PAGE_SIZE: Final = 100
DEFAULT_PAGE_SIZE: Final = 10
#: Longer numbers count as no number: converting them takes long.
MAX_PAGE_DIGITS: Final = 18
#: Per request that asks which keys a catalog or a customer has.
MAX_MATCHED_KEYS: Final = 1_000


def _keys_field(*, min_length: int = 0, max_length: int, **kwargs: Any) -> serializers.ListField:
    """Return a field that describes content keys in a body. The parser has checked them (``api/content_keys.py``)."""
    key = serializers.CharField(min_length=1, max_length=MAX_KEY_LENGTH)
    return serializers.ListField(child=key, min_length=min_length, max_length=max_length, **kwargs)


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


@extend_schema_field({"type": "array", "items": {"type": "string"}, "maxItems": MAX_MATCHED_KEYS})
class JoinedKeysField(serializers.Field[list[str], list[str], list[str], object]):
    """Content keys in a URL, also several in one value, joined with commas. A space in a key stands for a plus sign.

    A value with a comma counts as a whole, too: nothing forbids commas in keys.
    """

    def to_internal_value(self, data: list[str]) -> list[str]:
        parts = [part.strip() for value in data for part in value.split(",")]
        if any(len(part) > MAX_KEY_LENGTH for part in parts):
            raise serializers.ValidationError(f"A key is longer than {MAX_KEY_LENGTH} characters.", "bad_key")
        whole = [value for value in data if len(value) <= MAX_KEY_LENGTH]
        keys = dict.fromkeys(key.replace(" ", "+") for key in [*whole, *parts] if key)
        if len(keys) > MAX_MATCHED_KEYS:
            raise serializers.ValidationError(
                f"{len(keys):,} keys; at most {MAX_MATCHED_KEYS:,} are allowed.", "too_many_keys"
            )
        return list(keys)


class DiffRequestSerializer(serializers.Serializer[object]):
    content_keys = _keys_field(
        max_length=MAX_DIFF_KEYS, help_text="The keys already sent, in any order; duplicates count once."
    )


class LegacyDiffRequestSerializer(serializers.Serializer[object]):
    content_keys = _keys_field(max_length=MAX_DIFF_KEYS, help_text="A space in a key is interpreted as a plus sign.")


class LegacyDiffQuerySerializer(serializers.Serializer[object]):
    content_keys = QueryKeysField(required=False, default=list, help_text="May be repeated.")


class MetadataRequestSerializer(serializers.Serializer[object]):
    content_keys = _keys_field(min_length=1, max_length=MAX_METADATA_KEYS)


class ExistingItemSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    updated_at = serializers.DateTimeField(help_text="When the item last changed, in UTC.")


class DiffSerializer(serializers.Serializer[object]):
    catalog_uuid = serializers.UUIDField()
    catalog_version = serializers.CharField(help_text="Opaque; changes whenever the catalog's content changes.")
    existing = ExistingItemSerializer(many=True, help_text="Sent, and in the catalog.")
    to_create = serializers.ListField(child=serializers.CharField(), help_text="In the catalog, not sent.")
    to_delete = serializers.ListField(child=serializers.CharField(), help_text="Sent, not in the catalog.")


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


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]+$"})
class CursorField(serializers.CharField):
    """A cursor as this API writes it: the last key of a page, in base64url without padding (``pagination.py``)."""


class PageQuerySerializer(serializers.Serializer[object]):
    cursor = CursorField(
        required=False, help_text="Opaque; copy it from the previous page's `next`. Omit it for the first page."
    )
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MAX_METADATA_KEYS)


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


class PageSizeField(serializers.IntegerField):
    """A page size as existing Open edX callers send it: 1 to 100; more counts as 100, anything else as the default."""

    def __init__(self) -> None:
        super().__init__(required=False, default=DEFAULT_PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)

    def run_validation(self, data: object = serializers.empty) -> int:
        text = str(data)
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_PAGE_DIGITS else 0
        return min(number, MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE


class AnyTextField(serializers.BooleanField):
    """A switch as existing Open edX callers send it: any text that is not empty is True."""

    def __init__(self, *, help_text: str) -> None:
        super().__init__(required=False, default=False, help_text=help_text)

    def run_validation(self, data: object = serializers.empty) -> bool:
        return data is not serializers.empty and bool(data)


class LegacyPageQuerySerializer(serializers.Serializer[object]):
    page = serializers.IntegerField(required=False, default=1, min_value=1)
    page_size = PageSizeField()
    traverse_pagination = AnyTextField(help_text="Any text: return all pages as one.")
    content_keys = QueryKeysField(required=False, help_text="May be repeated. Omit it for all items.")


class CatalogListQuerySerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField(required=False)
    include_deleted = serializers.BooleanField(
        required=False, default=False, help_text="Also return deleted catalogs, which are empty."
    )


class CatalogSerializer(serializers.Serializer[EnterpriseCatalog]):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField(source="enterprise_customer_id")
    enterprise_customer_name = serializers.CharField(source="enterprise_customer.name")
    catalog_query_uuid = serializers.UUIDField(source="catalog_query.uuid", allow_null=True)
    query_title = serializers.CharField(source="catalog_query.title", allow_null=True)
    catalog_version = serializers.SerializerMethodField(
        help_text="Opaque; changes whenever the catalog's content changes."
    )
    content_last_modified = serializers.SerializerMethodField(
        help_text="When an item was last added, changed or removed."
    )
    catalog_modified = serializers.SerializerMethodField(help_text="When the catalog itself last changed.")

    def get_catalog_version(self, catalog: EnterpriseCatalog) -> str:
        return state_of(catalog).version

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_content_last_modified(self, catalog: EnterpriseCatalog) -> str | None:
        return state_of(catalog).content_last_modified

    @extend_schema_field({"type": "string", "format": "date-time"})
    def get_catalog_modified(self, catalog: EnterpriseCatalog) -> str:
        return format_time(catalog.modified_at or catalog.created_at)


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


class CatalogWriteSerializer(serializers.Serializer[object]):
    """The members of a catalog, as the Open edX LMS sends them. Other members are ignored."""

    title = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    enterprise_customer = serializers.UUIDField()
    enterprise_customer_name = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    content_filter = ContentFilterField(help_text="Selects the content; the body of course-discovery's search.")
    catalog_query_uuid = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The filter's query. Its other catalogs change too.",
    )
    query_title = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=MAX_TITLE_LENGTH)
    enabled_course_modes = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TITLE_LENGTH), max_length=MAX_COURSE_MODES
    )
    publish_audit_enrollment_urls = serializers.BooleanField()


class SavedCatalogSerializer(CatalogSerializer):
    content_filter_warnings = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="The members of the filter that course-discovery probably ignores; missing without such members.",
    )


class CatalogCreateSerializer(CatalogWriteSerializer):
    uuid = serializers.UUIDField(required=False, help_text="Chosen by the service if omitted.")


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


class RefreshSerializer(serializers.Serializer[object]):
    async_task_id = serializers.CharField(help_text="The id of the Celery task.")


class CatalogPageSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CatalogSerializer(many=True)


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


class LookupQuerySerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField(
        max_length=MAX_KEY_LENGTH,
        trim_whitespace=False,
        help_text="A key. Suggestions also match the key of a course run, and the beginning of a title.",
    )


class MembershipChangeSerializer(serializers.Serializer[object]):
    change = serializers.ChoiceField(choices=ChangeKind.choices)
    is_held = serializers.BooleanField(help_text="True if the refresh waits for approval: the change is not made yet.")
    refresh_id = serializers.IntegerField()
    changed_at = serializers.DateTimeField(help_text="When the refresh ended, in UTC.")


class LookupQuerySummarySerializer(serializers.Serializer[object]):
    title = serializers.CharField()
    content_source = serializers.ChoiceField(choices=QuerySource.choices)
    refreshed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the last complete refresh started, in UTC."
    )
    last_refresh = serializers.ChoiceField(
        choices=RefreshState.choices, allow_null=True, help_text="The state of the newest refresh."
    )


class LookupCatalogSerializer(serializers.Serializer[object]):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    contains = serializers.BooleanField(help_text="True if the catalog contains the item.")
    query = LookupQuerySummarySerializer(allow_null=True, help_text="The query that fills the catalog.")
    last_change = MembershipChangeSerializer(
        allow_null=True, help_text="The newest refresh that added or removed the item, or would."
    )
    excluded_by = serializers.ListField(
        child=serializers.CharField(), help_text="Members of the catalog's content filter that exclude the item."
    )


class SuggestionSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    title = serializers.CharField()
    content_type = serializers.CharField()
    match = serializers.ChoiceField(
        choices=[match.value for match in Match], help_text="The difference between the text and this item."
    )
    catalogs = serializers.ListField(
        child=serializers.UUIDField(), help_text="The customer's catalogs that contain this item."
    )


class ContentLookupSerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField(help_text="As requested.")
    is_known = serializers.BooleanField(help_text="True if an item has exactly this key.")
    title = serializers.CharField(allow_null=True)
    content_type = serializers.CharField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True, help_text="When the item's content last changed, in UTC.")
    catalogs = LookupCatalogSerializer(many=True, help_text="All catalogs of the customer, ascending by title.")
    suggestions = SuggestionSerializer(many=True, help_text=f"At most {MAX_SUGGESTIONS} similar items, best first.")


class CustomerSearchQuerySerializer(serializers.Serializer[object]):
    q = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="The beginning of a name, in any case, or a UUID.",
    )


class CustomerSerializer(serializers.Serializer[object]):
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class CustomerSearchSerializer(serializers.Serializer[object]):
    results = CustomerSerializer(many=True)


class LegacyFoundSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    date_updated = serializers.DateTimeField()


class LegacyKeySerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()


class LegacyDiffSerializer(serializers.Serializer[object]):
    items_found = LegacyFoundSerializer(many=True)
    items_not_included = LegacyKeySerializer(many=True, help_text="In the catalog, not sent.")
    items_not_found = LegacyKeySerializer(many=True, help_text="Sent, not in the catalog.")


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
