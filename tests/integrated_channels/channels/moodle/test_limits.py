"""PHP's ``max_input_vars``: PHP silently drops form variables beyond this limit, and no call may exceed it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import connected, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import Outgoing

#: Form variables of a create of five courses with all fields: seven per course, and four of the call itself.
FIVE_COURSES: Final = 5 * 7 + 4
#: Form variables of an update of five courses: two more fields per course, but no category.
FIVE_CHANGES: Final = 5 * 8 + 4


def full_courses(count: int) -> list[Outgoing]:
    """Return new courses with every field that the channel can send."""
    return [outgoing(f"K{number:03}", startdate=1_000, enddate=2_000) for number in range(count)]


def let_through(variables: int) -> int:
    """Return the ``max_input_vars`` that accepts ``variables``: PHP checks the limit after it stores a variable."""
    return variables - 1


def stored(moodle: MoodleSandbox) -> list[dict[str, object]]:
    return [{name: value for name, value in c.items() if name not in {"id", "visible"}} for c in moodle.courses]


def payloads(items: list[Outgoing]) -> list[dict[str, object]]:
    return [item.payload for item in items]


@given(st.integers(min_value=100, max_value=50_000))
def test_a_chunk_of_the_largest_courses_fits_any_limit(max_input_vars: int) -> None:
    channel = connected(httpx.MockTransport(lambda _: httpx.Response(500)), max_input_vars=max_input_vars)

    assert 10 <= channel.items_per_call <= 100
    assert channel.items_per_call * 8 + 4 <= max_input_vars


def test_phps_own_default_takes_the_largest_chunk() -> None:
    assert connected(MoodleSandbox()).items_per_call == 100


@pytest.mark.parametrize("max_input_vars", [100, 333, 1_000, 5_000])
def test_nothing_of_a_full_chunk_is_cut(max_input_vars: int) -> None:
    moodle = MoodleSandbox(max_input_vars=let_through(max_input_vars))
    channel = connected(moodle, max_input_vars=max_input_vars)
    items = full_courses(channel.items_per_call)

    created = channel.create(items)
    changed = [
        replace(item, remote_id=result.remote_id, payload=item.payload | {"summary": "New"})
        for item, result in zip(items, created, strict=True)
    ]
    updated = channel.update(changed)

    assert {result.outcome for result in (*created, *updated)} == {Outcome.DONE}
    assert stored(moodle) == payloads(changed)
    assert moodle.calls == {"core_course_create_courses": 1, "core_course_update_courses": 1}


@pytest.mark.parametrize("missing", range(1, FIVE_COURSES))
def test_a_create_cut_by_a_lower_limit_is_detected_and_done_completely_or_not(missing: int) -> None:
    moodle = MoodleSandbox(max_input_vars=let_through(FIVE_COURSES - missing))
    items = full_courses(5)

    with pytest.raises(RetryableError, match="Reduce max_input_vars in the settings"):
        connected(moodle).create(items)

    # If only the last variable (the response format) is missing, Moodle still creates the courses.
    assert stored(moodle) == (payloads(items) if missing == 1 else [])


@pytest.mark.parametrize("missing", range(1, FIVE_CHANGES))
def test_an_update_that_a_lower_limit_cuts_is_noticed(missing: int) -> None:
    moodle = MoodleSandbox()
    items = full_courses(5)
    created = connected(moodle).create(items)
    moodle.max_input_vars = let_through(FIVE_CHANGES - missing)

    with pytest.raises(RetryableError, match="Reduce max_input_vars in the settings"):
        connected(moodle).update([replace(i, remote_id=r.remote_id) for i, r in zip(items, created, strict=True)])
