"""Courses sent to SAP for a content item: golden files for edge cases, property tests for all other items."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.sap_success_factors.transform import (
    CourseSettings,
    CourseStatus,
    retired_course,
    to_course,
)
from enterprise_catalog.integrated_channels.domain import CourseRun
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.sandbox.sap.courses import CourseRules
from tests.integrated_channels.channels.golden import read_golden
from tests.integrated_channels.channels.items import an_item
from tests.integrated_channels.channels.sap_success_factors.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
golden: Final = partial(read_golden, GOLDEN)
PLAIN: Final = CourseSettings()

#: Text fragments that break naive HTML and text handling; ``texts`` mixes them with arbitrary text.
_SHARDS: Final = ["<", "<b>", "</", "<3", "&lt;", "&#60;", "&", "\0", "…", "\u00a0", "\x1c", " ", "<br>", "\u200b"]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=120), max_size=12).map("".join)
moments = st.none() | st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001  (hypothesis)
runs = st.builds(
    CourseRun, moments, moments, st.none() | st.booleans(), st.sampled_from(["", "self_paced", "x"]), st.just("es-MX")
)
items = st.builds(
    an_item,
    texts.map(lambda text: f"K{text}"[:255]),
    content_type=st.sampled_from(["course", "courserun", "program"]),
    title=texts.map(lambda text: f"T{text}"),
    full_description=texts,
    short_description=texts,
    course_type=st.sampled_from(["verified-audit", "executive-education-2u"]),
    image_url=texts,
    price_usd=st.none() | st.floats(0, 10_000),
    run=st.none() | runs,
)


def sent(item: ContentItem, settings: CourseSettings = PLAIN) -> Mapping[str, Any]:
    """Return the course sent for ``item``, or ``{"rejected": message}``."""
    try:
        return to_course(item, settings)
    except RejectedError as error:
        return {"rejected": error.message}


@pytest.mark.parametrize("name", CASES)
def test_a_course_is_the_golden_file(name: str) -> None:
    found = sent(CASES[name])

    assert found == golden(name, found)


@pytest.mark.parametrize("status", CourseStatus)
def test_a_retired_course_is_the_golden_file(status: CourseStatus) -> None:
    found = retired_course("Northwind+DATA101", "<b>Data</b> for All", status, PLAIN)

    assert found == golden(f"retired_{status.value.lower()}", found)


def test_no_golden_file_is_left_over() -> None:
    retired = {f"retired_{status.value.lower()}" for status in CourseStatus}

    assert {path.stem for path in GOLDEN.iterdir()} == {*CASES, *retired}


def test_all_that_stands_in_an_items_way_is_named() -> None:
    message = sent(replace(CASES["nothing_that_is_needed"], content_type="learnerpathway"))["rejected"]

    for fault in ("A learner pathway cannot be sent", "has 256 characters", "has no title", "no valid enrollment"):
        assert fault in message


@given(items)
def test_any_item_is_a_course_as_sap_wants_it(item: ContentItem) -> None:
    assert CourseRules().problem_of(to_course(item, PLAIN)) is None


@given(items)
def test_equal_items_give_equal_courses(item: ContentItem) -> None:
    assert to_course(item, PLAIN) == to_course(replace(item), PLAIN)


@given(items, st.integers(50, 300), st.integers(50, 3_000))
def test_texts_fit_the_lengths_in_the_settings(item: ContentItem, title: int, description: int) -> None:
    course = to_course(item, CourseSettings(title_length=title, description_length=description))

    assert all(0 < len(text["value"]) <= title for text in course["title"])
    assert all(0 < len(text["value"]) <= description for text in course["description"])
    assert len(course["content"][0]["contentTitle"]) <= title


@given(texts, texts.map(lambda text: f"K{text}"), st.sampled_from(CourseStatus))
def test_a_course_with_any_title_can_be_retired(title: str, key: str, status: CourseStatus) -> None:
    course = retired_course(key, title, status, PLAIN)

    assert CourseRules().problem_of(course) is None or status is CourseStatus.ACTIVE


def test_texts_are_given_in_each_locale_once() -> None:
    settings = CourseSettings(default_locale="German", additional_locales=("English", "German"))

    course = to_course(CASES["course"], settings)

    assert [text["locale"] for text in course["title"]] == ["German", "English"]
    assert [text["locale"] for text in course["description"]] == ["German", "English"]


@pytest.mark.parametrize(
    ("run_locales", "locale"),
    [
        ({}, "English"),
        ({"es": "Spanish"}, "Spanish"),
        ({"es": "Spanish", "es-419": "Spanish Mexican"}, "Spanish Mexican"),
        ({"fr": "French"}, "English"),
    ],
)
def test_a_runs_texts_are_in_the_locale_of_its_language(run_locales: dict[str, str], locale: str) -> None:
    course = to_course(CASES["course_run_that_is_closed"], CourseSettings(run_locales=run_locales))

    assert [text["locale"] for text in course["title"]] == [locale]


def test_texts_are_in_the_default_locale_for_any_language_of_the_run() -> None:
    course = to_course(CASES["closed_run"], CourseSettings(run_locales={"es": "Spanish"}))

    assert [text["locale"] for text in course["title"]] == ["English"]


@pytest.mark.parametrize(
    ("price", "expected"),
    [("zero", [{"currency": "USD", "value": 0.0}]), ("catalog", [{"currency": "USD", "value": 149.0}]), ("none", [])],
)
def test_the_price_follows_the_settings(price: Any, expected: list[Any]) -> None:
    assert to_course(CASES["course"], CourseSettings(price=price))["price"] == expected


def test_a_missing_price_is_not_invented() -> None:
    assert to_course(an_item(price_usd=None), CourseSettings(price="catalog"))["price"] == []


def test_the_provider_is_the_settings_in_the_course_and_in_its_content() -> None:
    course = to_course(CASES["course"], CourseSettings(provider_id="NORTHWIND"))

    assert (course["providerID"], course["content"][0]["providerID"]) == ("NORTHWIND", "NORTHWIND")


def test_a_retired_course_has_a_link_only_if_the_settings_have_one() -> None:
    settings = CourseSettings(retired_launch_url="https://learn.example.org/")

    course = retired_course("K", "Data", CourseStatus.INACTIVE, settings)

    assert [point["launchURL"] for point in course["content"]] == ["https://learn.example.org/"]
    assert CourseRules(needs_content=True).problem_of(course) is None
