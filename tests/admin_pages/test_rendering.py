"""Rendering of cells and fields."""

from __future__ import annotations

import pytest

from enterprise_catalog.admin_pages.rendering import code_block, exactly, lines, shortened, stacked


def test_what_is_missing_is_a_dash() -> None:
    empty = {shortened(""), exactly(""), lines([])}

    assert len(empty) == 1


def test_a_long_text_is_cut_and_kept_whole_under_the_pointer() -> None:
    text = "x" * 200

    shown = shortened(text, length=10)

    assert f'title="{text}"' in shown
    assert f">{'x' * 9}…<" in shown


@pytest.mark.parametrize(("key", "shown"), [("Org+A", ">Org+A<"), ("Org+A ", ">“Org+A ”<"), (" Org+A", ">“ Org+A”<")])
def test_a_key_that_ends_with_a_space_is_shown_to(key: str, shown: str) -> None:
    assert shown in exactly(key)


def test_no_text_becomes_html() -> None:
    text = "<script>"

    shown = [stacked(text, text), shortened(text), exactly(text), code_block(text), lines([text])]

    assert all("<script>" not in html and "&lt;script&gt;" in html for html in shown)
