"""Forms and texts as PHP reads them. The sandbox's Moodle has its own parser for both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.protocols.php_forms import bracketed, tagless
from enterprise_catalog.sandbox.moodle.text import is_plain

_SHARDS = ["<", "<b>", "</", "<3", "< ", "<\u00a0", "…", " ", "\x1c"]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=20), max_size=12).map("".join)


def test_rows_become_arrays_of_a_form() -> None:
    rows: list[dict[str, object]] = [{"id": 1, "name": "A"}, {"id": 2, "visible": 0}]

    assert bracketed("courses", rows) == {
        "courses[0][id]": "1",
        "courses[0][name]": "A",
        "courses[1][id]": "2",
        "courses[1][visible]": "0",
    }


def test_no_rows_are_no_fields() -> None:
    assert bracketed("courses", []) == {}


@pytest.mark.parametrize(
    ("text", "length", "found"),
    [
        ("a < b", None, "a < b"),
        ("a <b", None, "a < b"),
        ("a<", None, "a< "),
        ("<<b", None, "< < b"),
        ("ab<cd", 4, "ab…"),
        ("Data for All", 6, "Data…"),
    ],
)
def test_a_text_holds_nothing_that_php_takes_for_a_tag(text: str, length: int | None, found: str) -> None:
    assert tagless(text, length) == found


@given(texts, st.integers(1, 60))
def test_a_text_that_is_cut_is_tagless_still_and_changes_no_more(text: str, length: int) -> None:
    found = tagless(text, length)

    assert len(found) <= length
    assert is_plain(found.replace("\0", ""))
    assert tagless(found, length) == found
