"""Fields that several serializers use, with their limits."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH

#: Per page of catalogs.
MAX_CATALOGS: Final = CatalogPagination.max_page_size
#: Of a page in the format of existing Open edX callers.
MAX_PAGE_SIZE: Final = 100
DEFAULT_PAGE_SIZE: Final = 10
#: Longer numbers count as no number: converting them takes long.
MAX_PAGE_DIGITS: Final = 18
#: Per request that asks which keys a catalog or a customer has.
MAX_MATCHED_KEYS: Final = 1_000


def keys_field(*, min_length: int = 0, max_length: int, **kwargs: Any) -> serializers.ListField:
    """Return a field that describes content keys in a body. The parser has checked them (``api/content_keys.py``)."""
    key = serializers.CharField(min_length=1, max_length=MAX_KEY_LENGTH)
    return serializers.ListField(child=key, min_length=min_length, max_length=max_length, **kwargs)


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


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]+$"})
class CursorField(serializers.CharField):
    """A cursor as this API writes it: the last key of a page, in base64url without padding (``pagination.py``)."""


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
