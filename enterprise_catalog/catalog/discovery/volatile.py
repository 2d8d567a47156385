"""The content of a document that counts as a change; pure. The reasons are in docs/decisions/0026.

Course-discovery changes some members on every save or at every call: counters, times of its own saves, and the order of
lists that are sets. They are stored and served, as of the last real change, but never cause one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Members, at any depth, whose value does not count.
IGNORED: Final = frozenset(
    {
        # Counters and averages.
        *("enrollment_count", "recent_enrollment_count", "reviews_count", "avg_course_rating"),
        # Times of saves, also of saves that change nothing.
        *("modified", "data_modified_timestamp"),
        # Users of course-discovery's publisher.
        *("editors", "collaborators", "watchers", "editable"),
    }
)
#: Members, at any depth, whose list has no order.
UNORDERED: Final = frozenset(
    {
        *("course_runs", "course_run_keys", "course_run_statuses", "seats", "seat_types", "entitlements", "programs"),
        *("skills", "skill_names", "languages", "transcript_languages", "ai_languages", "program_types", "topics"),
        *("staff_uuids", "subject_uuids", "authoring_organization_uuids", "transcript_languages_search_facet_names"),
        *("url_slug_history", "url_redirects"),
    }
)


def significant(value: object) -> object:
    """Return a copy of parsed JSON without :data:`IGNORED` members, and with :data:`UNORDERED` lists sorted."""
    if isinstance(value, list):
        return [significant(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, each) for name, each in value.items() if name not in IGNORED}


def significant_hash(content_type: str, fields: Mapping[str, object]) -> str:
    """Return the SHA-256, in hexadecimal, of a document's type and of its content that counts."""
    canonical = orjson.dumps(significant(fields), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content_type.encode() + b"\0" + canonical).hexdigest()


def _member(name: str, value: object) -> object:
    counted = significant(value)
    if name in UNORDERED and isinstance(counted, list):
        return sorted(counted, key=lambda each: orjson.dumps(each, option=orjson.OPT_SORT_KEYS))
    return counted
