"""Requests sent to Degreed for a content item: golden files for edge cases, property tests for all other items."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.content.text import plain
from enterprise_catalog.integrated_channels.channels.degreed.transform import CourseSettings, to_course
from enterprise_catalog.integrated_channels.domain import CourseRun, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.sandbox.degreed.api import DegreedSandbox
from tests.integrated_channels.channels.degreed.cases import CASES
from tests.integrated_channels.channels.degreed.connection import connected
from tests.integrated_channels.channels.golden import read_golden
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
golden: Final = partial(read_golden, GOLDEN)
REMOTE_ID: Final = "zQZ/rYE5"

numbers = st.none() | st.floats() | st.integers(-5, 50).map(float)
_SHARDS: Final = ["<", "<b>", "</", "<3", "&lt;", "&amp;", "\0", "…", "\u00a0", " ", "<br>", "<a href='x"]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=120), max_size=12).map("".join)
items = st.builds(
    an_item,
    st.text(min_size=1, max_size=255),
    title=texts.map(lambda text: f"T{text}"),
    full_description=texts,
    short_description=texts,
    organizations=st.lists(texts, max_size=3).map(tuple),
    skills=st.lists(texts, max_size=4).map(tuple),
    price_usd=numbers,
    course_type=st.sampled_from(["verified-audit", "executive-education-2u"]),
    run=st.none()
    | st.builds(
        CourseRun,
        language=st.text(max_size=6) | st.sampled_from(["en", "en-us", "zh-Hans", "EN-GB"]),
        min_effort_hours=numbers,
        max_effort_hours=numbers,
        weeks=numbers,
        estimated_hours=numbers,
    ),
)


class Wire:
    """A Degreed that accepts every request, and records all requests except token requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "wire-token"})
        body: Any = json.loads(request.content) if request.content else None
        self.requests.append({"request": f"{request.method} {request.url.raw_path.decode()}", "body": body})
        if request.method == "DELETE" or request.url.path.endswith("/skills"):
            return httpx.Response(204)
        return httpx.Response(200, json={"data": {"id": REMOTE_ID, "attributes": body["data"]["attributes"]}})


def sent(call: str, item: ContentItem, **options: Any) -> Any:
    """Return the requests sent for ``item`` in order, or ``{"rejected": message}``."""
    wire = Wire()
    channel = connected(httpx.MockTransport(wire), **options)
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        return {"rejected": error.message}
    match call:
        case "create":
            channel.create([Outgoing(item.content_key, payload)])
        case "update":
            channel.update([Outgoing(item.content_key, payload, REMOTE_ID)])
        case "delete":
            channel.delete([Outgoing(item.content_key, {}, REMOTE_ID)])
    return wire.requests


#: Golden files other than a create with default settings: name -> call and settings.
OTHERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "update_of_a_course": ("update", {}),
    "delete_of_a_course": ("delete", {}),
    "delete_of_a_course_for_good": ("delete", {"delete_policy": "delete"}),
    "create_with_other_settings": (
        "create",
        {"show_price": True, "skill_type": "skill", "title_length": 50, "summary_length": 60},
    ),
    "create_without_skills": ("create", {"send_skills": False}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_create_sends_the_content_of_the_golden_file(name: str) -> None:
    found = sent("create", CASES[name])

    assert found == golden(name, found)


@pytest.mark.parametrize("name", OTHERS)
def test_other_calls_and_settings_send_the_content_of_the_golden_files(name: str) -> None:
    call, options = OTHERS[name]
    found = sent(call, CASES["course"], **options)

    assert found == golden(name, found)


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*CASES, *OTHERS}


@pytest.mark.parametrize("name", [name for name in CASES if "rejected" not in sent("create", CASES[name])])
def test_degreed_takes_what_is_sent_and_holds_just_that(name: str) -> None:
    degreed = DegreedSandbox()
    channel = connected(degreed)
    payload = channel.transform(CASES[name])

    channel.create([Outgoing(CASES[name].content_key, payload)])

    [course] = degreed.content()
    assert {field: course[field] for field in payload} == payload
    assert course["obsolete"] is False


def test_a_rejection_names_all_that_is_in_the_way() -> None:
    with pytest.raises(RejectedError) as raised:
        to_course(CASES["everything_in_the_way"], CourseSettings())

    for part in ("learner pathway", "256 characters", "no title", "no link"):
        assert part in raised.value.message


def test_the_summary_is_cut_after_its_tags_are_gone() -> None:
    item = an_item(full_description="<p class='long'>" * 150 + "Read data.", organizations=())

    assert to_course(item, CourseSettings())["summary"] == "Read data."


@given(items, st.integers(50, 300), st.integers(50, 3_000))
def test_texts_fit_and_are_what_the_plain_text_starts_with(item: ContentItem, title: int, summary: int) -> None:
    course = to_course(item, CourseSettings(title_length=title, summary_length=summary))

    assert 0 < len(course["title"]) <= title
    assert 0 < len(course["summary"]) <= summary
    described = plain(item.full_description) or plain(item.short_description) or course["title"]
    assert course["summary"].endswith((described, "…"))


@given(items, st.booleans())
def test_any_item_arrives_at_degreed_as_it_was_made(item: ContentItem, has_price: bool) -> None:
    degreed = DegreedSandbox()
    channel = connected(degreed, show_price=has_price)
    payload = channel.transform(item)

    channel.create([Outgoing(item.content_key, payload)])

    [course] = degreed.content()
    assert {field: course[field] for field in payload} == payload


@given(items)
def test_equal_items_give_equal_courses_whose_numbers_json_can_hold(item: ContentItem) -> None:
    course = to_course(item, CourseSettings(show_price=True))

    assert course == to_course(item, CourseSettings(show_price=True))
    assert json.loads(json.dumps(course, allow_nan=False)) == course
