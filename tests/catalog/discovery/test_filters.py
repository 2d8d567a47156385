"""Content filters: hash and edits."""

from __future__ import annotations

from datetime import UTC, datetime

from enterprise_catalog.catalog.discovery.filters import edit_filter, hash_filter
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
