"""The laws of the diff."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog.diff import compute_diff

#: Few letters, so that catalogs and callers often mean the same keys; some sort differently in UTF-16.
keys = st.text(alphabet="aAä\u0301 \uffff😀", min_size=1, max_size=2)
catalogs = st.dictionaries(keys, st.integers()).map(lambda items: sorted(items.items()))
sent_keys = st.lists(keys)


@given(catalogs, sent_keys)
def test_existing_and_to_create_partition_the_catalog(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(members, sent)

    existing = [key for key, _ in diff.existing]
    assert sorted(existing + diff.to_create) == [key for key, _ in members]


@given(catalogs, sent_keys)
def test_existing_and_to_delete_partition_the_distinct_keys_sent(
    members: list[tuple[str, int]], sent: list[str]
) -> None:
    diff = compute_diff(members, sent)

    existing = [key for key, _ in diff.existing]
    assert sorted(existing + diff.to_delete) == sorted(set(sent))


@given(catalogs, sent_keys)
def test_each_existing_key_comes_with_the_catalogs_value(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(members, sent)

    assert diff.existing == [member for member in members if member[0] in sent]


@given(catalogs, sent_keys)
def test_every_list_ascends(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(members, sent)

    for found in ([key for key, _ in diff.existing], diff.to_create, diff.to_delete):
        assert found == sorted(found)


@given(catalogs, sent_keys)
def test_order_and_repetition_of_the_keys_sent_do_not_matter(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(members, sent)

    assert compute_diff(members, [*sent, *reversed(sent)]) == diff
    assert compute_diff(members, set(sent)) == diff


@given(catalogs, sent_keys)
def test_who_carries_it_out_knows_the_catalog(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(members, sent)

    known = set(sent) - set(diff.to_delete) | set(diff.to_create)
    again = compute_diff(members, known)
    assert again.existing == members
    assert again.to_create == again.to_delete == []


@given(catalogs, sent_keys)
def test_it_reads_the_catalog_once(members: list[tuple[str, int]], sent: list[str]) -> None:
    diff = compute_diff(iter(members), iter(sent))

    assert diff == compute_diff(members, sent)
