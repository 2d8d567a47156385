"""Content filters of queries: checks, hash and edits. No database here.

A filter is the body of course-discovery's search (``search/all``): a field, or a field and a lookup such as
``level_type__exclude``, and the value or list of values to compare with.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from enterprise_catalog.catalog.models import CatalogQuery

_LISTS: Final = ("", "in")
_LISTS_AND_EXCLUSION: Final = ("", "in", "exclude")
_DATES: Final = ("", "gt", "gte", "lt", "lte")
#: Field of course-discovery's search -> its lookups; the empty one is equality. From its search views.
LOOKUPS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("aggregation_key", "key.raw", "org", "authoring_organizations", "course_type"), _LISTS_AND_EXCLUSION
    ),
    **dict.fromkeys(
        ("content_type", "authoring_organization_uuids", "subject_uuids", "availability", "level_type"), _LISTS
    ),
    **dict.fromkeys(("product_source", "languages", "pacing_type", "number", "skill_names", "skills"), _LISTS),
    **dict.fromkeys(("course_ends", "external_course_marketing_type"), _LISTS),
    **dict.fromkeys(("key", "partner", "type", "enrollment_mode", "short_description"), ("",)),
    **dict.fromkeys(("status", "published", "hidden", "has_enrollable_seats", "active"), ("",)),
    "enterprise_subscription_inclusion": ("",),
    "first_enrollable_paid_seat_price": ("", "in", "range", "gt", "gte", "lt", "lte"),
    **dict.fromkeys(("start", "end", "end_date"), _DATES),
}
#: Members that are not fields of the search: instructions to this service.
INSTRUCTIONS: Final = frozenset({"restricted_runs_allowed", "enterprise_force_include_aggregation_keys"})


class FilterError(ValueError):
    """A content filter that is not allowed."""

    def __init__(self, message: str, *, member: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.member = member  #: The member of the filter; empty if it is the filter as a whole.


def check_filter(content_filter: object) -> dict[str, object]:
    """Return the filter if it is allowed. An unknown member is allowed; see :func:`filter_warnings`.

    Raises:
        FilterError: not an object; ``key`` is not a list of texts; ``first_enrollable_paid_seat_price__lte`` is not a
            text.
    """
    if not isinstance(content_filter, dict):
        raise FilterError("content_filter must be an object.")
    keys = content_filter.get("key", [])
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise FilterError("key must be a list of strings.", member="key")
    price = "first_enrollable_paid_seat_price__lte"
    if not isinstance(content_filter.get(price, ""), str):
        raise FilterError(f"{price} must be a string.", member=price)
    return content_filter


def filter_warnings(content_filter: Mapping[str, object]) -> list[str]:
    """Return a sentence for each member that course-discovery probably ignores."""
    return list(_warnings(content_filter))


def _warnings(content_filter: Mapping[str, object]) -> Iterator[str]:
    for member in content_filter:
        field, _, lookup = member.partition("__")
        if member in INSTRUCTIONS:
            continue
        if field not in LOOKUPS:
            yield f"{member}: course-discovery has no field {field}, and ignores this member."
        elif lookup not in LOOKUPS[field]:
            known = ", ".join(f"{field}__{each}" if each else field for each in LOOKUPS[field])
            yield f"{member}: course-discovery ignores this member. Known for this field: {known}."
    if not isinstance(content_filter.get("restricted_runs_allowed", {}), dict):
        yield "restricted_runs_allowed is not an object, and is ignored."
    if not content_filter:
        yield "An empty filter selects all content of course-discovery."


def hash_filter(content_filter: Mapping[str, object]) -> str:
    """Return the MD5 of the filter, 32 hexadecimal digits, as Open edX computes it.

    Filters that differ only in the order of their members have the same hash. The order of lists counts.
    """
    text = json.dumps(content_filter, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def edit_filter(query: CatalogQuery, content_filter: Mapping[str, object], *, now: datetime) -> bool:
    """Set the query's filter, its hash and the time of the edit; return ``False`` if the filter is the same.

    The caller saves the query. Two queries with the same filter violate a unique constraint.
    """
    new_hash = hash_filter(content_filter)
    if query.content_filter_hash == new_hash:
        return False
    query.content_filter = dict(content_filter)
    query.content_filter_hash = new_hash
    query.filter_edited_at = now
    return True
