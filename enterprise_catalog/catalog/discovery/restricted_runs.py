"""Restricted course runs that a query's filter allows, and the documents of their courses with these runs.

``restricted_runs_allowed`` of a filter is course key (with or without the prefix ``course:``) -> list of run keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.discovery.documents import (
    SearchResult,
    UnusableResultError,
    course_fields,
    parse_refreshed,
    read_result,
    to_line,
)
from enterprise_catalog.catalog.documents import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from enterprise_catalog.catalog.discovery.client import DiscoveryClient
    from enterprise_catalog.catalog.documents import Document
    from enterprise_catalog.catalog.items.normalized import Fields

#: The most courses, and the most runs, that one filter may name.
MAX_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class RestrictedContent:
    """The restricted runs that a filter allows, and their courses."""

    courses: list[Document] = field(default_factory=list)
    runs: list[Document] = field(default_factory=list)


def allowed_runs(content_filter: Mapping[str, object]) -> dict[str, list[str]]:
    """Return course key -> keys of the allowed runs. A member that is not an object allows none."""
    allowed = content_filter.get("restricted_runs_allowed")
    return {
        str(course).removeprefix("course:"): [run for run in runs if isinstance(run, str)]
        for course, runs in (allowed.items() if isinstance(allowed, dict) else ())
        if isinstance(runs, list)
    }


def read_restricted(content_filter: Mapping[str, object], client: DiscoveryClient) -> RestrictedContent:
    """Return the restricted runs that a filter allows, and their courses, as course-discovery has them.

    Raises:
        ServiceError: course-discovery could not be read completely.
        UnusableResultError: a result cannot be stored, or the filter names too many courses or runs.
    """
    allowed = allowed_runs(content_filter)
    run_keys = {run for runs in allowed.values() for run in runs}
    if max(len(allowed), len(run_keys)) > MAX_ITEMS:
        raise UnusableResultError(f"restricted_runs_allowed names more than {MAX_ITEMS:,} courses or runs")
    if not run_keys:
        return RestrictedContent()
    results = {each.content_key: each for each in _search(client, "course", allowed) if each.content_key in allowed}
    full = {each.get("key"): each for page in client.read_courses(results, include_restricted=True) for each in page}
    courses = [
        _document(_with_runs(course_fields(result.fields, full.get(key), None), allowed[key]))
        for key, result in sorted(results.items())
    ]
    runs = {each.content_key: each for each in _search(client, "courserun", run_keys) if each.content_key in run_keys}
    return RestrictedContent(courses, [_document(run.fields) for _, run in sorted(runs.items())])


def _search(client: DiscoveryClient, content_type: str, keys: Iterable[str]) -> Iterator[SearchResult]:
    for page in client.search_restricted(content_type, keys):
        yield from (result for result in map(read_result, page) if result and result.content_type == content_type)


def _with_runs(course: Fields, allowed: Iterable[str]) -> Fields:
    """Return the course with its unrestricted and the allowed runs, and what follows from them."""
    wanted = set(allowed)
    every = [run for run in course.get("course_runs") or () if isinstance(run, dict)]
    runs = [run for run in every if not run.get("restriction_type") or run.get("key") in wanted]
    prices = [run.get("first_enrollable_paid_seat_price") for run in runs]
    keys = {str(run.get("key")) for run in runs}
    by_run = course.get("normalized_metadata_by_run") or {}
    return {
        **course,
        "course_runs": runs,
        "course_run_keys": [run.get("key") for run in runs],
        "course_run_statuses": sorted({str(run["status"]) for run in runs if run.get("status")}),
        "first_enrollable_paid_seat_price": next((price for price in prices if price), None),
        "normalized_metadata_by_run": {key: value for key, value in by_run.items() if key in keys},
    }


def _document(fields: Fields) -> Document:
    try:
        return parse_refreshed(to_line(fields))
    except DocumentError as error:
        name = fields.get("aggregation_key")
        raise UnusableResultError(f"Course-discovery's document of {name} cannot be stored: {error}") from error
