"""Content filters: checks, hash and edits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from enterprise_catalog.catalog.discovery.filters import (
    FilterError,
    check_filter,
    edit_filter,
    filter_warnings,
    hash_filter,
)
from enterprise_catalog.catalog.models import CatalogQuery

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_hash_is_that_of_the_sorted_json() -> None:
    # md5 of '{"content_type": "course", "key": ["edX+DemoX"]}'
    assert hash_filter({"key": ["edX+DemoX"], "content_type": "course"}) == "1c8d2b19dbc38a93f5623697501c20da"


def test_the_order_of_members_does_not_count_and_that_of_lists_does() -> None:
    assert hash_filter({"b": [1, 2], "a": {"d": 1, "c": 2}}) == hash_filter({"a": {"c": 2, "d": 1}, "b": [1, 2]})
    assert hash_filter({"b": [1, 2]}) != hash_filter({"b": [2, 1]})


def test_an_edit_sets_filter_hash_and_time() -> None:
    query = CatalogQuery()

    assert edit_filter(query, {"content_type": "course"}, now=NOW)

    assert query.content_filter == {"content_type": "course"}
    assert query.content_filter_hash == hash_filter({"content_type": "course"})
    assert query.filter_edited_at == NOW


def test_the_same_filter_is_no_edit() -> None:
    query = CatalogQuery()
    edit_filter(query, {"a": 1, "b": 2}, now=NOW)
    query.filter_edited_at = None

    assert not edit_filter(query, {"b": 2, "a": 1}, now=NOW)
    assert query.filter_edited_at is None


@pytest.mark.parametrize(
    ("content_filter", "member"),
    [
        (["course"], ""),
        ("course", ""),
        (None, ""),
        ({"key": "edX+DemoX"}, "key"),
        ({"key": ["edX+DemoX", 1]}, "key"),
        ({"key": None}, "key"),
        ({"first_enrollable_paid_seat_price__lte": 500}, "first_enrollable_paid_seat_price__lte"),
    ],
)
def test_a_bad_filter_is_refused_with_the_name_of_its_member(content_filter: object, member: str) -> None:
    with pytest.raises(FilterError) as caught:
        check_filter(content_filter)

    assert caught.value.member == member
    assert (member or "content_filter") in caught.value.message


@pytest.mark.parametrize(
    "content_filter",
    [
        {
            "content_type": "course",
            "partner": "edx",
            "level_type": ["Introductory", "Intermediate", "Advanced"],
            "availability": ["Current", "Starting Soon", "Upcoming"],
            "status": "published",
        },
        {"content_type": ["course", "program"], "aggregation_key": ["course:edX+DemoX"], "key": ["edX+DemoX"]},
        {"aggregation_key__exclude": ["course:A+B"], "org__exclude": "C", "first_enrollable_paid_seat_price__lte": "5"},
        {"restricted_runs_allowed": {"course:A+B": ["C"]}, "enterprise_force_include_aggregation_keys": ["A+B"]},
        {"start__gte": "2026-01-01", "course_type__exclude": "executive-education-2u"},
    ],
)
def test_filters_that_sites_use_are_allowed_without_a_warning(content_filter: dict[str, object]) -> None:
    assert check_filter(content_filter) == content_filter
    assert filter_warnings(content_filter) == []


@pytest.mark.parametrize(
    ("content_filter", "beginning"),
    [
        ({"aggregation__key": ["course:A+B"]}, "aggregation__key: course-discovery has no field aggregation"),
        ({"org__exempt": "C"}, "org__exempt: course-discovery ignores this member. Known for this field: org,"),
        ({"colour": "red"}, "colour: course-discovery has no field colour"),
        ({"content_type": "course", "restricted_runs_allowed": ["A+B"]}, "restricted_runs_allowed is not an object"),
        ({}, "An empty filter selects all content"),
    ],
)
def test_members_that_course_discovery_ignores_get_a_warning(content_filter: dict[str, object], beginning: str) -> None:
    check_filter(content_filter)

    [warning] = filter_warnings(content_filter)

    assert warning.startswith(beginning)
