"""Documents to store, made of course-discovery's search results and full documents; pure.

A course or program consists of its search result and its full document, whose members take precedence. A document
depends on nothing but these two (and, for a course, its reviews): refreshes in any order give the same document.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from enterprise_catalog.catalog.discovery.volatile import significant_hash
from enterprise_catalog.catalog.documents import KEY_FIELDS, Document, DocumentError, parse_document
from enterprise_catalog.catalog.items.normalized import add_normalized_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from enterprise_catalog.catalog.items.normalized import Fields

#: Increase it when documents are made differently: the next refresh then makes all documents again.
DOCUMENT_VERSION: Final = 2
#: The product sources and course types of content that enterprise customers may have.
PRODUCT_SOURCES: Final = frozenset({"edx", "2u"})
COURSE_TYPES: Final = frozenset(
    {
        *("audit", "professional", "verified-audit", "credit-verified-audit", "masters", "masters-verified-audit"),
        *("verified", "spoc-verified-audit", "honor", "verified-honor", "credit-verified-honor"),
        "executive-education-2u",
    }
)
#: The members of a review that a course's document repeats.
REVIEW_MEMBERS: Final = ("reviews_count", "avg_course_rating")


class UnusableResultError(ValueError):
    """A search result without the members that identify it; the text names the result."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One search result that is content."""

    content_key: str
    content_type: str
    fields: Fields

    @property
    def is_allowed(self) -> bool:
        """True if enterprise customers may have it, by its product source and course type.

        An absent product source or course type is allowed; an empty course type is not.
        """
        source = self.fields.get("product_source")
        name = source.get("slug") if isinstance(source, dict) else source
        if name and str(name).casefold() not in PRODUCT_SOURCES:
            return False
        course_type = self.fields.get("course_type")
        return self.content_type != "course" or course_type is None or course_type in COURSE_TYPES

    @property
    def result_hash(self) -> str:
        """SHA-256 of the result. It also moves with the times at which course-discovery saved the course's runs."""
        runs = self.fields.get("course_runs")
        times = [run.get("modified") for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
        return significant_hash(
            self.content_type, {**self.fields, "run times": sorted(map(str, times)), "version": DOCUMENT_VERSION}
        )


def read_result(fields: Fields) -> SearchResult | None:
    """Return a search result as content; ``None`` for a person, or another kind that catalogs cannot contain.

    The kind is the part of ``aggregation_key`` before the colon, as in ``course:edX+DemoX``.

    Raises:
        UnusableResultError: no ``aggregation_key``, or no key.
    """
    aggregation_key = fields.get("aggregation_key")
    if not isinstance(aggregation_key, str) or ":" not in aggregation_key:
        name = fields.get("key") or fields.get("uuid") or fields.get("title")
        raise UnusableResultError(f"A search result has no aggregation_key: {name!r:.100}")
    content_type = aggregation_key.partition(":")[0]
    if content_type not in KEY_FIELDS:
        return None
    member = KEY_FIELDS[content_type]
    content_key = fields.get(member)
    if not isinstance(content_key, str) or not content_key:
        raise UnusableResultError(f"The search result {aggregation_key!r:.100} has no {member}")
    return SearchResult(content_key, content_type, {**fields, "content_type": content_type})


def course_fields(result: Fields, full: Fields | None, review: Mapping[str, object] | None) -> Fields:
    """Return the members of a course's document.

    Args:
        full: ``None`` if course-discovery has no full document: the course then has no normalized metadata.
        review: the course's row of course-discovery's list of reviews.
    """
    reviewed = {name: review[name] for name in REVIEW_MEMBERS if name in review} if review else {}
    if full is None:
        return {**result, **reviewed}
    return add_normalized_metadata({**result, **_identified(full, result), **reviewed})


def program_fields(result: Fields, full: Fields | None) -> Fields:
    """Return the members of a program's document."""
    return {**result, **_identified(full or {}, result)}


def forced_course(full: Fields) -> SearchResult:
    """Return a course that a query contains although the search does not find it, as if it were published.

    Raises:
        UnusableResultError: no key.
    """
    runs = [{**run, "status": "published", "availability": "Current"} for run in _objects(full.get("course_runs"))]
    fields = {
        **full,
        "aggregation_key": f"course:{full.get('key')}",
        "course_runs": runs,
        "course_run_statuses": ["published"] if runs else [],
        "enterprise_force_included": True,
    }
    result = read_result(fields)
    assert result is not None  # A course.
    return result


def parse_refreshed(line: bytes) -> Document:
    """Parse one line of JSON as the importer does, but with a hash of the content that counts (``volatile.py``).

    Raises:
        DocumentError: see :func:`~enterprise_catalog.catalog.documents.parse_document`.
    """
    document = parse_document(line)
    counted = significant_hash(document.content_type, orjson.loads(document.json))
    return dataclasses.replace(document, content_hash=counted)


def to_line(fields: Fields) -> bytes:
    """Return the members as one line of JSON.

    Raises:
        DocumentError: nested too deeply.
    """
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise DocumentError("nested too deeply") from error


def forced_keys(content_filter: Mapping[str, object]) -> list[str]:
    """Return the keys of the courses that a filter includes by force, without the prefix ``course:``."""
    keys = content_filter.get("enterprise_force_include_aggregation_keys")
    texts: Iterable[str] = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else ()
    return list(dict.fromkeys(key.removeprefix("course:") for key in texts if key))


def _identified(full: Fields, result: Fields) -> Fields:
    """Return the full document without the members by which the search result identifies the content."""
    return {name: value for name, value in full.items() if name not in _IDENTITY or name not in result}


_IDENTITY: Final = frozenset({"aggregation_key", "content_type"})


def _objects(value: object) -> list[Fields]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
