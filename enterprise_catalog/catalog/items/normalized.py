"""``normalized_metadata``: the dates and the price of a course, read from the same places for all course types; pure.

The members and their sources are those of Open edX's catalog service.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final, TypeAlias

#: A JSON object of course-discovery, or a document made of it.
Fields: TypeAlias = dict[str, Any]

EXECUTIVE_EDUCATION: Final = "executive-education-2u"
#: The members of a course's document that :func:`add_normalized_metadata` reads.
SOURCES: Final[tuple[str, ...]] = ("course_runs", "course_type", "entitlements", "advertised_course_run_uuid")
#: The mode of an executive education course's entitlement.
_EXECUTIVE_MODE: Final = "paid-executive-education"
#: Seat types, the one that matters most first.
_SEAT_TYPES: Final = ("verified", "professional", "no-id-professional", "unpaid-executive-education", "audit")


def add_normalized_metadata(course: Fields) -> Fields:
    """Return a course's full document with ``normalized_metadata`` and ``normalized_metadata_by_run`` added."""
    runs = [run for run in _objects(course.get("course_runs")) if isinstance(run.get("key"), str)]
    advertised = course.get("advertised_course_run_uuid")
    chosen = next((run for run in runs if advertised and run.get("uuid") == advertised), None)
    return {
        **course,
        "normalized_metadata": normalized_metadata(course, chosen),
        "normalized_metadata_by_run": {run["key"]: normalized_metadata(course, run) for run in runs},
    }


def normalized_metadata(course: Fields, run: Fields | None) -> Fields:
    """Return the dates and the price of a course run.

    Args:
        run: ``None``: the dates are null and the price is 0.

    Returns:
        ``start_date``, ``end_date``, ``enroll_by_date``, ``enroll_start_date`` as texts or null, and ``content_price``,
        a number.
    """
    if run is None:
        dates = ("start_date", "end_date", "enroll_by_date", "enroll_start_date")
        return {**dict.fromkeys(dates), "content_price": 0.0}
    return {
        "start_date": run.get("start"),
        "end_date": run.get("end"),
        "enroll_by_date": _enroll_by(course, run),
        "enroll_start_date": run.get("enrollment_start"),
        "content_price": _price(course, run),
    }


def _enroll_by(course: Fields, run: Fields) -> object:
    end = run.get("enrollment_end")
    if course.get("course_type") == EXECUTIVE_EDUCATION:
        return end
    seats = sorted(_objects(run.get("seats")), key=_rank)
    deadline = (seats[0].get("upgrade_deadline_override") or seats[0].get("upgrade_deadline")) if seats else None
    # Both are texts of the same format and length.
    return min((each for each in (end, deadline) if isinstance(each, str) and each), default=None)


def _rank(seat: Fields) -> int:
    kind = seat.get("type")
    return _SEAT_TYPES.index(kind) if kind in _SEAT_TYPES else len(_SEAT_TYPES)


def _price(course: Fields, run: Fields) -> float:
    candidates = [run.get("fixed_price_usd")]
    if course.get("course_type") == EXECUTIVE_EDUCATION:
        entitlements = _objects(course.get("entitlements"))
        candidates += [each.get("price") for each in entitlements if each.get("mode") == _EXECUTIVE_MODE]
    candidates.append(run.get("first_enrollable_paid_seat_price"))
    return next((price for price in map(_number, candidates) if price is not None), 0.0)


def _number(value: object) -> float | None:
    """Return a price, which course-discovery writes as a number or as text; ``None`` if it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _objects(value: object) -> list[Fields]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
