"""``normalized_metadata`` of courses."""

from __future__ import annotations

from typing import Any

import pytest

from enterprise_catalog.catalog.items.normalized import SOURCES, add_normalized_metadata, normalized_metadata

RUN: dict[str, Any] = {
    "key": "course-v1:edX+DemoX+1",
    "uuid": "u1",
    "start": "2026-01-01T00:00:00Z",
    "end": "2027-01-01T00:00:00Z",
    "enrollment_start": None,
    "enrollment_end": "2026-12-31T00:00:00Z",
    "seats": [
        {"type": "audit", "upgrade_deadline": None},
        {"type": "verified", "upgrade_deadline": "2026-12-20T23:59:59Z"},
    ],
    "first_enrollable_paid_seat_price": 49,
}
NOTHING = {
    "start_date": None,
    "end_date": None,
    "enroll_by_date": None,
    "enroll_start_date": None,
    "content_price": 0.0,
}


def test_a_course_gets_the_dates_and_price_of_its_advertised_run_and_of_each_run() -> None:
    other = {"key": "other", "uuid": "u2", "enrollment_start": "2025-01-01T00:00:00Z"}

    course = add_normalized_metadata({"advertised_course_run_uuid": "u1", "course_runs": [other, RUN]})

    expected = {
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2027-01-01T00:00:00Z",
        "enroll_by_date": "2026-12-20T23:59:59Z",
        "enroll_start_date": None,
        "content_price": 49.0,
    }
    assert course["normalized_metadata"] == expected
    assert course["normalized_metadata_by_run"] == {
        "course-v1:edX+DemoX+1": expected,
        "other": {**NOTHING, "enroll_start_date": "2025-01-01T00:00:00Z"},
    }


@pytest.mark.parametrize("advertised", [None, "unknown"])
def test_without_an_advertised_run_there_are_no_dates(advertised: str | None) -> None:
    course = add_normalized_metadata({"advertised_course_run_uuid": advertised, "course_runs": [RUN]})

    assert course["normalized_metadata"] == NOTHING


@pytest.mark.parametrize(
    ("seats", "enrollment_end", "expected"),
    [
        ([{"type": "verified", "upgrade_deadline": "2026-05-01"}], None, "2026-05-01"),
        ([{"type": "verified", "upgrade_deadline": "2026-05-01"}], "2026-04-01", "2026-04-01"),
        ([{"type": "verified", "upgrade_deadline": "5", "upgrade_deadline_override": "3"}], "4", "3"),
        ([{"type": "honor", "upgrade_deadline": "1"}, {"type": "professional", "upgrade_deadline": "2"}], "9", "2"),
        ([{"type": "audit", "upgrade_deadline": None}], None, None),
        ([], "4", "4"),
    ],
)
def test_the_last_day_to_enroll_depends_on_the_best_seat(
    seats: list[dict[str, object]], enrollment_end: str | None, expected: str | None
) -> None:
    run = {"seats": seats, "enrollment_end": enrollment_end}

    assert normalized_metadata({}, run)["enroll_by_date"] == expected


def test_executive_education_has_its_own_deadline_and_price() -> None:
    course = {
        "course_type": "executive-education-2u",
        "entitlements": [
            {"mode": "verified", "price": "1.00"},
            {"mode": "paid-executive-education", "price": "2900.00"},
        ],
    }

    found = normalized_metadata(course, RUN)

    assert found["enroll_by_date"] == "2026-12-31T00:00:00Z"
    assert found["content_price"] == 2900.0


@pytest.mark.parametrize(
    ("run", "price"),
    [
        ({"fixed_price_usd": "10.50", "first_enrollable_paid_seat_price": 49}, 10.5),
        ({"fixed_price_usd": None, "first_enrollable_paid_seat_price": 49}, 49.0),
        ({"first_enrollable_paid_seat_price": None}, 0.0),
        ({"fixed_price_usd": "free"}, 0.0),
        ({"fixed_price_usd": "Infinity"}, 0.0),
        ({"fixed_price_usd": True}, 0.0),
    ],
)
def test_the_price_is_always_a_number(run: dict[str, object], price: float) -> None:
    assert normalized_metadata({}, run)["content_price"] == price


def test_only_the_named_members_of_a_course_are_read() -> None:
    course: dict[str, Any] = {
        "title": "Demo",
        "course_type": "executive-education-2u",
        "entitlements": [{"mode": "paid-executive-education", "price": "2500.00"}],
        "advertised_course_run_uuid": "u1",
        "course_runs": [RUN],
    }
    sources = {name: course[name] for name in SOURCES}

    added = add_normalized_metadata(course)

    assert added["normalized_metadata"]["content_price"] == 2500.0
    assert add_normalized_metadata(sources) == {name: value for name, value in added.items() if name != "title"}
