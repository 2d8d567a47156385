"""Choosing our item when the LMS has several items with the same content key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.duplicates import (
    Duplicates,
    duplicates_among,
    oldest_first,
    one_of_each,
)
from enterprise_catalog.integrated_channels.domain import RemoteItem


@pytest.mark.parametrize(
    "ids", [["2", "9", "10", "100"], ["_9_1", "_10_1", "_10_2"], ["A1", "A2", "A10", "b"], ["7", "x7"]]
)
def test_numbers_in_ids_are_compared_as_numbers(ids: list[str]) -> None:
    assert oldest_first(list(reversed(ids))) == ids


@given(st.lists(st.text(min_size=1), min_size=1))
def test_the_order_of_the_ids_that_come_in_does_not_count(ids: list[str]) -> None:
    assert oldest_first(ids) == oldest_first(list(reversed(ids)))
    assert set(oldest_first(ids)) == set(ids)


def one_of_each_of(*pairs: tuple[str, str], linked: dict[str, str]) -> tuple[dict[str, str], list[Duplicates]]:
    """Return (content key -> ID of our item, duplicates) for items given as (key, ID) pairs."""
    items = [RemoteItem(key, remote_id, is_offered=True) for key, remote_id in pairs]
    ours, duplicates = one_of_each(items, linked_ids=lambda keys: {key: linked[key] for key in keys if key in linked})
    return {key: item.remote_id for key, item in ours.items()}, duplicates


def test_the_oldest_item_of_each_key_is_ours_and_duplicates_are_named_by_id() -> None:
    ours, duplicates = one_of_each_of(("A", "10"), ("B", "3"), ("A", "9"), ("A", "11"), linked={})

    assert ours == {"A": "9", "B": "3"}
    [warning] = map(str, duplicates)
    assert warning == (
        "The LMS has 3 items with the key 'A': 9 is used, 10, 11 are not. Remove the key from the unused items, or"
        " delete them in the LMS."
    )


def test_the_item_that_our_row_is_linked_to_is_ours_as_long_as_it_is_there() -> None:
    pairs = [("A", "9"), ("A", "10"), ("B", "1"), ("B", "2"), ("C", "5")]

    ours, duplicates = one_of_each_of(*pairs, linked={"A": "10", "B": "7", "C": "4"})

    assert ours == {"A": "10", "B": "1", "C": "5"}
    assert [(each.content_key, each.used, list(each.unused)) for each in duplicates] == [
        ("A", "10", ["9"]),
        ("B", "1", ["2"]),
    ]


def test_one_item_listed_twice_has_no_duplicate() -> None:
    assert one_of_each_of(("A", "7"), ("A", "7"), linked={}) == ({"A": "7"}, [])
    assert duplicates_among("A", ["7", "7"]) is None
