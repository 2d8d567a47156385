"""PHP's ``max_input_vars``: what exceeds it vanishes without a word, so that nothing may exceed it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.integrated_channels.types import Outcome
from enterprise_catalog.sandbox.moodle import MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import connected, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.types import Outgoing

#: Variables of a create of five full courses: seven fields each, and the call's own four.
FIVE_COURSES: Final = 5 * 7 + 4
#: Likewise of an update, which adds two fields to each and leaves the category out.
FIVE_CHANGES: Final = 5 * 8 + 4


def full_courses(count: int) -> list[Outgoing]:
    """Return new courses with every field that we ever send."""
    return [outgoing(f"K{number:03}", startdate=1_000, enddate=2_000) for number in range(count)]


def let_through(variables: int) -> int:
    """Return the ``max_input_vars`` with which so many arrive: PHP counts a form's variable once it has stored it."""
    return variables - 1


def stored(moodle: MoodleSandbox) -> list[dict[str, object]]:
    return [{name: value for name, value in c.items() if name not in {"id", "visible"}} for c in moodle.courses]


def payloads(items: list[Outgoing]) -> list[dict[str, object]]:
    return [item.payload for item in items]


@given(st.integers(min_value=100, max_value=50_000))
def test_a_chunk_of_the_largest_courses_fits_whatever_the_limit(max_input_vars: int) -> None:
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
def test_a_create_that_a_lower_limit_cuts_is_noticed_and_done_as_a_whole_or_not_at_all(missing: int) -> None:
    moodle = MoodleSandbox(max_input_vars=let_through(FIVE_COURSES - missing))
    items = full_courses(5)

    with pytest.raises(RetryableError, match="max_input_vars is lower than the settings say"):
        connected(moodle).create(items)

    # With all but the last variable, the format of the answer, Moodle does what it was asked to.
    assert stored(moodle) == (payloads(items) if missing == 1 else [])


@pytest.mark.parametrize("missing", range(1, FIVE_CHANGES))
def test_an_update_that_a_lower_limit_cuts_is_noticed(missing: int) -> None:
    moodle = MoodleSandbox()
    items = full_courses(5)
    created = connected(moodle).create(items)
    moodle.max_input_vars = let_through(FIVE_CHANGES - missing)

    with pytest.raises(RetryableError, match="max_input_vars is lower than the settings say"):
        connected(moodle).update([replace(i, remote_id=r.remote_id) for i, r in zip(items, created, strict=True)])
