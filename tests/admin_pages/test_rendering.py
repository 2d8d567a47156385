"""Rendering of cells and fields."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enterprise_catalog.admin_pages.rendering import (
    code_block,
    duration_text,
    exactly,
    lines,
    moment,
    moment_text,
    shortened,
    stacked,
)
from tests.factories import DAY_ONE


def test_a_time_is_written_with_its_zone_and_its_seconds_on_demand() -> None:
    assert moment_text(DAY_ONE) == "2026-03-01 12:00 UTC"
    assert 'title="2026-03-01 12:00:00.123456 UTC"' in moment(DAY_ONE)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.85, "850 ms"), (12.4, "12 s"), (59.9, "1 min 0 s"), (250, "4 min 10 s"), (7_500, "2 h 5 min")],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(DAY_ONE, DAY_ONE + timedelta(seconds=seconds)) == text


def test_what_is_missing_is_a_dash() -> None:
    empty = {moment_text(None), moment(None), duration_text(DAY_ONE, None), shortened(""), exactly(""), lines([])}

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
