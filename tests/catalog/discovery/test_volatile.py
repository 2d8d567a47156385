"""The content of a document that counts as a change."""

from __future__ import annotations

from typing import Any

import pytest

from enterprise_catalog.catalog.discovery.volatile import significant_hash


def course(**fields: object) -> dict[str, Any]:
    return {
        "key": "edX+DemoX",
        "title": "Demo",
        "enrollment_count": 1,
        "modified": "2026-01-01T00:00:00Z",
        "skill_names": ["Reading", "Writing"],
        "owners": [{"key": "edX"}, {"key": "MITx"}],
        "course_runs": [{"key": "A", "enrollment_count": 1, "seats": [1, 2]}, {"key": "B"}],
        **fields,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"enrollment_count": 2},
        {"modified": "2026-01-02T00:00:00Z"},
        {"reviews_count": 7},
        {"skill_names": ["Writing", "Reading"]},
        {"course_runs": [{"key": "B"}, {"seats": [2, 1], "enrollment_count": 9, "key": "A"}]},
    ],
    ids=str,
)
def test_counters_times_of_saves_and_the_order_of_sets_do_not_count(changed: dict[str, object]) -> None:
    assert significant_hash("course", course(**changed)) == significant_hash("course", course())


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Demonstration"},
        {"skill_names": ["Reading"]},
        {"owners": [{"key": "MITx"}, {"key": "edX"}]},
        {"course_runs": [{"key": "A", "seats": [1, 2]}]},
        {"course_runs": [{"key": "A", "seats": [1, 3]}, {"key": "B"}]},
    ],
    ids=str,
)
def test_everything_else_counts(changed: dict[str, object]) -> None:
    assert significant_hash("course", course(**changed)) != significant_hash("course", course())


def test_the_type_counts() -> None:
    assert significant_hash("course", course()) != significant_hash("program", course())
