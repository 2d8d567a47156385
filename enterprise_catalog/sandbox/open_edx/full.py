"""Full documents: what ``/courses/`` and ``/programs/`` return of a record, and the reviews.

The members are those of course-discovery's serializers for its own API. Members of a stored document that belong
only to search results, or that the catalog service computes, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from enterprise_catalog.sandbox.open_edx.fields import slug_of
from enterprise_catalog.sandbox.open_edx.members import defaults
from enterprise_catalog.sandbox.open_edx.runs import price_of, visible_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from enterprise_catalog.sandbox.open_edx.documents import Record
    from enterprise_catalog.sandbox.open_edx.knobs import Knobs
    from enterprise_catalog.sandbox.open_edx.runs import Document

T = TypeVar("T")

#: Members of search results, and members that the catalog service computes.
_ELSEWHERE: Final = frozenset(
    {
        *("aggregation_key", "content_type", "languages", "organizations", "seat_types", "end_date", "course_ends"),
        *("partner", "reviews_count", "avg_course_rating", "normalized_metadata", "normalized_metadata_by_run"),
        *("content_key", "content_last_modified", "enrollment_url", "course_keys"),
    }
)
_COURSE: Final = defaults(
    null="title short_description full_description level_type video modified type url_slug prerequisites_raw"
    " marketing_url syllabus_raw outcome original_image card_image_url canonical_course_run_key extra_description"
    " additional_information additional_metadata faq learner_testimonials key_for_reruns"
    " organization_short_code_override organization_logo_override_url geolocation location_restriction in_year_value"
    " advertised_course_run_uuid",
    lists="entitlements owners prerequisites expected_learning_items sponsors topics url_slug_history url_redirects"
    " editors collaborators skill_names skills watchers",
    false="enterprise_subscription_inclusion excluded_from_seo excluded_from_search editable",
    enrollment_count=0,
    recent_enrollment_count=0,
)
_RUN: Final = defaults(
    null="uuid title external_key fixed_price_usd image short_description marketing_url start end go_live_date"
    " enrollment_start enrollment_end weeks_to_complete pacing_type type restriction_type run_type term availability"
    " variant_id full_description announcement video content_language license outcome min_effort max_effort modified"
    " level_type reporting_type ofac_comment estimated_hours ai_languages expected_program_type"
    " content_language_search_facet_name",
    lists="seats transcript_languages instructors staff transcript_languages_search_facet_names",
    false="is_marketable_external mobile_available hidden has_ofac_restrictions enterprise_subscription_inclusion",
    status="published",
    is_enrollable=True,
    is_marketable=True,
    eligible_for_financial_aid=True,
    enrollment_count=0,
    recent_enrollment_count=0,
    expected_program_name="",
)
_PROGRAM: Final = defaults(null="title type marketing_url", false="hidden", subtitle="", status="active")
#: Lists without an order in course-discovery: rows of a relation that it reads without ORDER BY.
_UNORDERED: Final = ("skill_names", "skills", "editors", "collaborators", "watchers", "topics", "programs")
_COUNTERS: Final = ("enrollment_count", "recent_enrollment_count")


def render_course(
    record: Record, *, included: Collection[str], programs: Iterable[Record], knobs: Knobs, calls: int
) -> Document:
    """Return the full document of a course.

    Args:
        included: restriction types of the runs to include.
        programs: all programs. Those with the course's key in ``course_keys`` are nested.
        calls: number of calls so far, for a restless sandbox.
    """
    document = record.document
    runs = [_run(run, record) for run in visible_runs(document, included)]
    own = {name: value for name, value in document.items() if name not in _ELSEWHERE}
    full: Document = {
        **_COURSE,
        **own,
        "key": record.key,
        "image": document.get("image") or {"src": document.get("image_url")},
        "course_runs": runs,
        "course_run_keys": [run["key"] for run in runs],
        "course_run_statuses": sorted({str(run["status"]) for run in runs}),
        "subjects": [_subject(subject) for subject in document.get("subjects") or []],
        "product_source": _product_source(document.get("product_source"), is_text=knobs.product_source_is_text),
        "programs": [_nested_program(each) for each in programs if record.key in _course_keys(each)],
        "data_modified_timestamp": record.changed_at.isoformat().replace("+00:00", "Z"),
    }
    return _disturbed(full, calls) if knobs.is_restless else full


def render_program(record: Record, *, courses: Iterable[Record]) -> Document:
    """Return the full document of a program.

    Args:
        courses: all courses. Those named in ``course_keys`` are nested, in that order.
    """
    document = record.document
    by_key = {course.key: course for course in courses}
    nested = [by_key[key] for key in _course_keys(record) if key in by_key]
    own = {name: value for name, value in document.items() if name not in _ELSEWHERE}
    return {
        **_PROGRAM,
        **own,
        "uuid": record.key,
        "courses": [_nested_course(course) for course in nested] or document.get("courses") or [],
        "data_modified_timestamp": record.changed_at.isoformat().replace("+00:00", "Z"),
    }


def render_review(record: Record) -> Document:
    """Return the review of a course."""
    document = record.document
    return {
        "course_key": record.key,
        "reviews_count": document["reviews_count"],
        "avg_course_rating": document["avg_course_rating"],
        "confident_learners_percentage": document.get("confident_learners_percentage"),
        "most_common_goal": document.get("most_common_goal"),
        "most_common_goal_learners_percentage": document.get("most_common_goal_learners_percentage"),
        "total_enrollments": document.get("enrollment_count") or 0,
    }


def has_review(record: Record) -> bool:
    """Return ``True`` if the stored document contains a review."""
    return all(record.document.get(name) is not None for name in ("reviews_count", "avg_course_rating"))


def _run(run: Document, course: Record) -> Document:
    return {
        **_RUN,
        **run,
        "key": run.get("key"),
        "course": course.key,
        "course_uuid": course.document.get("uuid"),
        "first_enrollable_paid_seat_price": price_of(run) or 0.0,
    }


def _subject(subject: object) -> object:
    return {"name": subject, "slug": str(subject).lower().replace(" ", "-")} if isinstance(subject, str) else subject


def _product_source(value: object, *, is_text: bool) -> object:
    if is_text or value is None:
        return slug_of(value)
    return value if isinstance(value, dict) else {"name": value, "slug": value, "description": None}


def _course_keys(program: Record) -> list[str]:
    keys = program.document.get("course_keys")
    nested = [each.get("key") for each in program.document.get("courses") or []]
    return list(keys) if isinstance(keys, list) else nested


def _nested_program(program: Record) -> Document:
    names = ("uuid", "title", "subtitle", "type", "status", "marketing_url", "number_of_courses")
    return {**{name: program.document.get(name) for name in names}, "number_of_courses": len(_course_keys(program))}


def _nested_course(course: Record) -> Document:
    names = ("uuid", "title", "short_description", "owners", "image", "course_type")
    runs = [{"key": run["key"], "uuid": run.get("uuid")} for run in visible_runs(course.document, ())]
    return {"key": course.key, **{name: course.document.get(name) for name in names}, "course_runs": runs}


def _disturbed(document: Document, calls: int) -> Document:
    """Return the document with larger counters, and with unordered lists rotated."""
    counters = {name: document[name] + calls for name in _COUNTERS}
    lists = {name: _rotated(document[name], calls) for name in _UNORDERED}
    runs = [{**run, **{name: run[name] + calls for name in _COUNTERS}} for run in document["course_runs"]]
    return {**document, **counters, **lists, "course_runs": runs}


def _rotated(items: list[T], steps: int) -> list[T]:
    start = steps % len(items) if items else 0
    return items[start:] + items[:start]
