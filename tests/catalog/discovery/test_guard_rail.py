"""The guard rail of refreshes."""

from __future__ import annotations

import pytest

from enterprise_catalog.catalog.discovery.guard_rail import MembershipChange, find_objection


def change(members: int, *, added: int = 0, removed: int = 0) -> MembershipChange:
    return MembershipChange(
        members,
        members + added - removed,
        added=frozenset(f"new{number}" for number in range(added)),
        removed=frozenset(f"old{number}" for number in range(removed)),
    )


def objection(of: MembershipChange, *, is_expected: bool = False) -> str:
    return find_objection(of, limit_percent=20, is_expected=is_expected)


@pytest.mark.parametrize(
    "allowed",
    [
        change(0, added=10_000),
        change(100),
        change(100, removed=20),
        change(100, added=10, removed=10),
        change(11, removed=10),
    ],
    ids=["first fill", "unchanged", "at the limit", "both at the limit", "few items"],
)
def test_small_changes_and_the_first_fill_need_no_approval(allowed: MembershipChange) -> None:
    assert objection(allowed) == ""


def test_a_shrink_is_held_with_its_numbers() -> None:
    assert objection(change(100, removed=60)) == (
        "The refresh would add 0 and remove 60 of 100 items (60 %; 20 % need no approval). "
        "Nothing was changed; approve or reject the refresh."
    )


def test_growth_is_held_like_a_shrink() -> None:
    assert "add 21 and remove 0" in objection(change(100, added=21))


def test_a_swap_is_held_although_the_size_stays() -> None:
    assert "add 50 and remove 50 of 100 items (100 %" in objection(change(100, added=50, removed=50))


@pytest.mark.parametrize("is_expected", [False, True])
def test_an_empty_result_is_always_held(is_expected: bool) -> None:
    assert "finds nothing, which would remove 1 item." in objection(change(1, removed=1), is_expected=is_expected)


def test_any_other_result_is_expected_after_an_edit_of_the_filter() -> None:
    assert objection(change(100, removed=99), is_expected=True) == ""


def test_only_the_rest_of_an_approved_change_counts() -> None:
    approved = change(100, removed=60)

    assert objection(change(100, removed=60).without(approved)) == ""
    assert objection(change(100, removed=80).without(approved)) == ""
    assert "remove 21 of" in objection(change(100, removed=81).without(approved))


def test_an_approved_empty_result_is_applied() -> None:
    empty = change(50, removed=50)

    assert objection(empty.without(empty)) == ""
