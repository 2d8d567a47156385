"""Versions of a payload, compared field by field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.reporting.pages import comparison
from enterprise_catalog.integrated_channels.reporting.pages.comparison import Piece, compare


def test_each_field_is_equal_changed_added_or_removed() -> None:
    result = compare([{"same": 1, "old": "x", "title": "A"}, {"same": 1, "new": True, "title": "B"}])

    signs = {field.name: (field.cells[1].sign, field.cells[1].pieces) for field in result.changed}
    assert signs == {
        "old": ("-", ()),
        "title": ("~", (Piece("A", "-"), Piece("B", "+"))),
        "new": ("+", (Piece("true"),)),
    }
    assert [field.name for field in result.unchanged] == ["same"]


def test_nested_fields_have_paths() -> None:
    result = compare([{"contents": [{"title": "A"}], "empty": []}] * 2)

    assert [field.name for field in result.unchanged] == ["contents[0].title", "empty"]


def test_a_changed_text_shows_its_changed_words_with_some_text_around_them() -> None:
    before, after = f"{'a ' * 100}old word{' b' * 100}", f"{'a ' * 100}new word{' b' * 100}"

    [field] = compare([{"text": before}, {"text": after}]).changed

    start, removed, added, end = field.cells[1].pieces
    assert (removed, added) == (Piece("old", "-"), Piece("new", "+"))
    assert start.text.startswith("…")
    assert end.text.endswith("…")
    assert len(start.text) + len(end.text) < 100


def test_a_comparison_shows_changed_fields_first_and_counts_what_it_leaves_out() -> None:
    before = {f"{number:03}": "x" for number in range(comparison.MAX_FIELDS + 5)}

    result = compare([before, before | {"061": "y"}])

    assert [field.name for field in result.changed] == ["061"]
    assert (len(result.unchanged), result.left_out) == (comparison.MAX_FIELDS - 1, 5)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_comparison_contains_the_whole_old_and_new_text(old: str, new: str) -> None:
    for field in compare([{"text": old}, {"text": new}]).changed:
        pieces = field.cells[1].pieces
        if not any("…" in piece.text for piece in pieces):
            assert "".join(piece.text for piece in pieces if piece.sign != "+") == old
            assert "".join(piece.text for piece in pieces if piece.sign != "-") == new
