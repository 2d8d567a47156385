"""Documents made of search results and full documents."""

from __future__ import annotations

from typing import Any

import pytest

from enterprise_catalog.catalog.discovery.documents import (
    UnusableResultError,
    course_fields,
    forced_course,
    forced_keys,
    parse_refreshed,
    program_fields,
    read_result,
    to_line,
)

RESULT: dict[str, Any] = {
    "aggregation_key": "course:edX+DemoX",
    "content_type": "course",
    "key": "edX+DemoX",
    "title": "Demo",
    "seat_types": ["verified"],
    "product_source": "edx",
    "course_type": "verified-audit",
    "course_runs": [{"key": "run", "modified": "2026-01-01T00:00:00Z"}],
}


def is_allowed(**fields: object) -> bool:
    result = read_result({**RESULT, **fields})
    assert result is not None
    return result.is_allowed


@pytest.mark.parametrize(
    ("fields", "key", "content_type"),
    [
        (RESULT, "edX+DemoX", "course"),
        (
            {"aggregation_key": "courserun:edX+DemoX", "key": "course-v1:edX+DemoX+1"},
            "course-v1:edX+DemoX+1",
            "courserun",
        ),
        ({"aggregation_key": "program:u1", "uuid": "u1"}, "u1", "program"),
        ({"aggregation_key": "learnerpathway:u2", "uuid": "u2"}, "u2", "learnerpathway"),
        ({"aggregation_key": "course:A", "key": "A", "content_type": "program"}, "A", "course"),
    ],
)
def test_the_kind_comes_from_the_aggregation_key(fields: dict[str, Any], key: str, content_type: str) -> None:
    result = read_result(fields)

    assert result is not None
    assert (result.content_key, result.content_type) == (key, content_type)
    assert result.fields["content_type"] == content_type


def test_persons_are_no_content() -> None:
    assert read_result({"aggregation_key": "person:u3", "uuid": "u3"}) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "edX+DemoX"},
        {"aggregation_key": None, "title": "Demo"},
        {"aggregation_key": "course", "key": "A"},
        {"aggregation_key": "course:A"},
        {"aggregation_key": "course:A", "key": ""},
        {"aggregation_key": "program:A", "key": "A"},
    ],
)
def test_a_result_without_identity_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(UnusableResultError):
        read_result(fields)


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, True),
        ({"product_source": "2U"}, True),
        ({"product_source": None}, True),
        ({"product_source": {"name": "edX", "slug": "edx", "description": ""}}, True),
        ({"product_source": "emeritus"}, False),
        ({"product_source": {"slug": "emeritus"}}, False),
        ({"course_type": "executive-education-2u"}, True),
        ({"course_type": None}, True),
        ({"course_type": "bootcamp-2u"}, False),
        ({"course_type": ""}, False),
        ({"aggregation_key": "program:u1", "uuid": "u1", "course_type": "bootcamp-2u"}, True),
    ],
)
def test_product_sources_and_course_types_of_enterprises(fields: dict[str, object], allowed: bool) -> None:
    assert is_allowed(**fields) is allowed


def test_the_full_document_takes_precedence_over_the_search_result() -> None:
    full = {"key": "edX+DemoX", "title": "Demo, in full", "content_type": "x", "course_runs": [], "owners": []}

    fields = course_fields(RESULT, full, {"reviews_count": 3, "avg_course_rating": 4.5, "course_key": "edX+DemoX"})

    assert fields["title"] == "Demo, in full"
    assert fields["seat_types"] == ["verified"]
    assert fields["content_type"] == "course"
    assert (fields["reviews_count"], fields["avg_course_rating"]) == (3, 4.5)
    assert fields["normalized_metadata"]["content_price"] == 0.0


def test_a_course_without_full_document_has_its_search_result() -> None:
    assert course_fields(RESULT, None, None) == RESULT


def test_a_program_consists_of_both() -> None:
    result = {"aggregation_key": "program:u1", "uuid": "u1", "title": "A", "language": ["English"]}

    assert program_fields(result, {"uuid": "u1", "title": "B"}) == {**result, "title": "B"}
    assert program_fields(result, None) == result


def test_a_change_of_a_run_changes_the_hash_of_the_result() -> None:
    later = {**RESULT, "course_runs": [{"key": "run", "modified": "2026-01-02T00:00:00Z"}]}
    first, second, again = read_result(RESULT), read_result(later), read_result({**RESULT, "seat_types": ["verified"]})

    assert first
    assert second
    assert again
    assert first.result_hash != second.result_hash
    assert first.result_hash == again.result_hash


def test_a_forced_course_looks_published() -> None:
    full = {"key": "edX+HIDDEN", "course_runs": [{"key": "r", "status": "unpublished"}], "course_run_statuses": ["x"]}

    course = forced_course(full)

    assert course.content_key == "edX+HIDDEN"
    assert course.fields["aggregation_key"] == "course:edX+HIDDEN"
    assert course.fields["course_runs"] == [{"key": "r", "status": "published", "availability": "Current"}]
    assert course.fields["course_run_statuses"] == ["published"]
    assert course.fields["enterprise_force_included"] is True


@pytest.mark.parametrize(
    ("value", "keys"),
    [(["edX+A", "course:edX+B", "edX+A", 1, ""], ["edX+A", "edX+B"]), ("edX+A", []), (None, [])],
)
def test_forced_keys(value: object, keys: list[str]) -> None:
    assert forced_keys({"enterprise_force_include_aggregation_keys": value}) == keys


def test_the_hash_of_a_document_ignores_what_does_not_count() -> None:
    first = parse_refreshed(to_line({**RESULT, "enrollment_count": 1}))
    second = parse_refreshed(to_line({**RESULT, "enrollment_count": 2}))

    assert first.content_hash == second.content_hash
    assert first.json != second.json
