"""Search results: what ``search/all`` returns of a record.

The members are those of course-discovery's search serializers. A course's results lack what only its full document
has, such as owners, seats and the marketing URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.open_edx.fields import DEFAULT_PARTNER, course_ends, last_end, slug_of
from enterprise_catalog.sandbox.open_edx.members import defaults
from enterprise_catalog.sandbox.open_edx.runs import is_expired, is_protected, moment_of, price_of, visible_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.sandbox.open_edx.documents import Record
    from enterprise_catalog.sandbox.open_edx.runs import Document

_COURSE: Final = defaults(
    null="key uuid title full_description short_description card_image_url image_url course_type course_length"
    " external_course_marketing_type",
    lists="skill_names languages organizations",
    false="enterprise_subscription_inclusion",
)
_NESTED_RUN: Final = defaults(
    null="key enrollment_start enrollment_end go_live_date start end modified availability pacing_type enrollment_mode"
    " min_effort max_effort weeks_to_complete estimated_hours restriction_type fixed_price_usd",
    false="is_enrollable",
    status="published",
)
_RUN: Final = defaults(
    null="key title start end enrollment_start enrollment_end go_live_date availability first_enrollable_paid_seat_sku"
    " image_url language level_type marketing_url min_effort max_effort number org pacing_type type weeks_to_complete"
    " short_description full_description restriction_type fixed_price_usd",
    lists="logo_image_urls program_types seat_types staff_uuids subject_uuids authoring_organization_uuids"
    " transcript_languages skill_names skills",
    false="is_enrollable mobile_available",
)
_PROGRAM: Final = defaults(
    null="uuid title subtitle type marketing_url card_image_url weeks_to_complete_min weeks_to_complete_max"
    " min_hours_effort_per_week max_hours_effort_per_week",
    lists="language authoring_organizations authoring_organization_uuids staff_uuids subject_uuids skill_names skills",
    false="hidden is_program_eligible_for_one_click_purchase",
    status="active",
    published=True,
)
_PATHWAY: Final = defaults(
    null="uuid title overview created banner_image card_image",
    lists="skills skill_names steps",
    status="active",
    published=True,
    visible_via_association=True,
)
_PERSON: Final = defaults(null="uuid full_name salutation bio profile_image_url position", published=True)


def render(
    record: Record,
    *,
    included: Collection[str],
    now: datetime,
    hides_expired: bool,
    parameters: Mapping[str, Sequence[str]],
) -> Document:
    """Return the search result for ``record``.

    Args:
        included: restriction types of the runs to include.
        now: the current time, aware.
        hides_expired: leave expired runs out of courses, except runs that a parameter protects.
        parameters: all parameters of the search.
    """
    head = {"aggregation_key": record.aggregation_key, "content_type": record.kind}
    document = record.document
    match record.kind:
        case "course":
            runs = [
                run
                for run in visible_runs(document, included)
                if not (hides_expired and is_expired(run, now)) or is_protected(run, parameters)
            ]
            return {**head, **_course(document, runs, last_end(document, included), now)}
        case "courserun":
            return {**head, **_run(document)}
        case "program":
            return {**head, **_members(_PROGRAM, document), **_origin(document)}
        case "learnerpathway":
            return {**head, **_members(_PATHWAY, document), **_origin(document)}
    return {**head, **_members(_PERSON, document), **_origin(document)}


def _course(document: Document, runs: Sequence[Document], end_date: str | None, now: datetime) -> Document:
    subjects = document.get("subjects") or []
    seat_types = sorted({str(seat["type"]) for run in runs for seat in run.get("seats") or [] if seat.get("type")})
    return {
        **_members(_COURSE, document),
        "skills": [{"name": name, "description": ""} for name in document.get("skill_names") or []],
        "end_date": _second(end_date),
        "course_ends": course_ends(end_date, now),
        "subjects": [each["name"] if isinstance(each, dict) else each for each in subjects],
        "seat_types": seat_types or document.get("seat_types") or [],
        "product_source": slug_of(document.get("product_source")),
        "course_runs": [_nested_run(run) for run in runs],
    }


def _nested_run(run: Document) -> Document:
    return {**_members(_NESTED_RUN, run), "first_enrollable_paid_seat_price": price_of(run) or 0.0}


def _run(document: Document) -> Document:
    organization, _, rest = document["key"].rpartition(":")[2].partition("+")
    price = price_of(document)
    return {
        **_members({**_RUN, "org": organization, "number": rest.partition("+")[0]}, document),
        **_origin(document),
        "first_enrollable_paid_seat_price": None if price is None else int(price),
        "published": str(document.get("status", "published")).lower() == "published",
        "has_enrollable_seats": bool(document.get("is_enrollable")),
    }


def _origin(document: Document) -> Document:
    return {"partner": document.get("partner") or DEFAULT_PARTNER}


def _members(defaults: Mapping[str, object], document: Document) -> Document:
    """Return the members named by ``defaults``, from the document if it has them. Times have no fraction."""
    return {name: _second(document.get(name, default)) for name, default in defaults.items()}


def _second(value: object) -> object:
    """Return a time as course-discovery writes it, without a fraction; any other value unchanged."""
    if isinstance(value, str) and "T" in value and (moment := moment_of(value)):
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value
