"""Properties of the diff, for any catalog and any keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Key and value of each item, ascending by key.
Catalog = list[tuple[str, int]]

#: Few letters, so that catalogs and callers often share keys. Some letters sort differently in UTF-16.
keys = st.text(alphabet="aAä\u0301 \uffff😀", min_size=1, max_size=2)
catalogs = st.dictionaries(keys, st.integers()).map(lambda items: sorted(items.items()))
sent_keys = st.lists(keys)


def keys_of(catalog: Catalog) -> list[str]:
    return [key for key, _ in catalog]


def diff(catalog: Catalog, sent: Iterable[str]) -> CatalogDiff[tuple[str, int]]:
    """Return the diff; its ``existing`` values are (key, value) pairs."""
    return compute_diff(keys_of(catalog), catalog, sent)


@given(catalogs, sent_keys)
def test_existing_and_to_create_partition_the_catalog(catalog: Catalog, sent: list[str]) -> None:
    found = diff(catalog, sent)

    assert sorted([*keys_of(found.existing), *found.to_create]) == keys_of(catalog)


@given(catalogs, sent_keys)
def test_existing_and_to_delete_partition_the_distinct_keys_sent(catalog: Catalog, sent: list[str]) -> None:
    found = diff(catalog, sent)

    assert sorted(keys_of(found.existing) + found.to_delete) == sorted(set(sent))


@given(catalogs, sent_keys)
def test_each_existing_key_comes_with_the_catalogs_value(catalog: Catalog, sent: list[str]) -> None:
    assert diff(catalog, sent).existing == [item for item in catalog if item[0] in sent]


@given(catalogs, sent_keys)
def test_every_list_ascends(catalog: Catalog, sent: list[str]) -> None:
    found = diff(catalog, sent)

    for some_keys in (keys_of(found.existing), found.to_create, found.to_delete):
        assert some_keys == sorted(some_keys)


@given(catalogs, sent_keys)
def test_order_and_repetition_of_the_keys_sent_do_not_matter(catalog: Catalog, sent: list[str]) -> None:
    found = diff(catalog, sent)

    assert diff(catalog, [*sent, *reversed(sent)]) == found
    assert diff(catalog, iter(set(sent))) == found


@given(catalogs, sent_keys)
def test_applying_the_diff_gives_the_catalog(catalog: Catalog, sent: list[str]) -> None:
    found = diff(catalog, sent)

    known = set(sent) - set(found.to_delete) | set(found.to_create)
    assert diff(catalog, known) == CatalogDiff(existing=catalog, to_create=[], to_delete=[])


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1_000, 1_250])
def test_the_laws_hold_for_catalogs_of_any_length(count: int) -> None:
    catalog = [(f"{number:04}", number) for number in range(count)]
    sent = [f"{number:04}" for number in range(count + 3) if number % 3]

    found = diff(catalog, sent)

    assert found.existing == [(key, value) for key, value in catalog if value % 3]
    assert found.to_create == [key for key, value in catalog if not value % 3]
    assert found.to_delete == [key for key in sent if int(key) >= count]


@given(catalogs, sent_keys)
def test_it_changes_nothing_that_it_is_given(catalog: Catalog, sent: list[str]) -> None:
    before = (list(catalog), set(sent))
    known = set(sent)

    diff(catalog, known)

    assert (catalog, known) == before
