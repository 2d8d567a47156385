"""Requests sent to Blackboard for a content item: golden files for edge cases, property tests for all other items."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.blackboard.transform import CourseView, course_id, to_course
from enterprise_catalog.integrated_channels.domain import Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.sandbox.blackboard.api import BlackboardSandbox
from enterprise_catalog.sandbox.blackboard.courses import bbml_problem
from tests.integrated_channels.channels.blackboard.cases import CASES
from tests.integrated_channels.channels.blackboard.connection import connected
from tests.integrated_channels.channels.golden import read_golden
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
golden: Final = partial(read_golden, GOLDEN)

#: Golden files for other settings or other calls: name -> call, case and settings.
OTHERS: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "classic_description_full_of_html": ("create", "description_full_of_html", {"course_view": "Classic"}),
    "update_of_a_run": ("update", "run", {}),
    "delete_of_a_run": ("delete", "run", {}),
    "delete_of_a_run_disabled": ("delete", "run", {"delete_policy": "Disabled"}),
}

_SHARDS: Final = [
    "<",
    "<b>",
    "</",
    "<p",
    "<img src=x>",
    "&",
    "&amp;",
    "\0",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    '"',
]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=60), max_size=8).map("".join)
#: Surrogates are excluded: they cannot be encoded as UTF-8.
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
items = st.builds(
    an_item,
    keys,
    title=texts.map(lambda text: f"T{text}"),
    full_description=texts,
    short_description=texts,
    enrollment_url=texts | st.just("https://learn.example.org/x"),
    image_url=texts | st.just("https://img.example.org/x.png"),
    organizations=st.lists(texts, max_size=3).map(tuple),
)


class Wire:
    """A Blackboard that accepts every request, and records the requests."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "the-access-token"})
        if request.method == "GET":
            return httpx.Response(200, json={"results": []})
        self.sent.append({"call": f"{request.method} {request.url.path}", "body": json.loads(request.content)})
        return httpx.Response(200, json={"id": f"_{len(self.sent)}_1"})


def sent(call: str, item: ContentItem, settings: dict[str, Any]) -> Any:
    """Return the requests sent for ``item`` in order, or ``{"rejected": message}``."""
    wire = Wire()
    channel = connected(httpx.MockTransport(wire), refresh_token="a-refresh-token", **settings)
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        return {"rejected": error.message}
    getattr(channel, call)([Outgoing(item.content_key, payload, remote_id="_9_1")])
    return wire.sent


@pytest.mark.parametrize("name", CASES)
def test_a_create_sends_the_content_of_the_golden_file(name: str) -> None:
    found = sent("create", CASES[name], {})

    assert found == golden(name, found)


@pytest.mark.parametrize("name", OTHERS)
def test_other_calls_and_settings_send_the_content_of_the_golden_files(name: str) -> None:
    call, case, settings = OTHERS[name]

    found = sent(call, CASES[case], settings)

    assert found == golden(name, found)


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*CASES, *OTHERS}


@pytest.mark.parametrize("view", CourseView)
@pytest.mark.parametrize("name", CASES)
def test_blackboard_takes_what_is_sent_and_finds_it_again(name: str, view: CourseView) -> None:
    item, blackboard = CASES[name], BlackboardSandbox()
    channel = connected(blackboard, course_view=view)
    try:
        payload = channel.transform(item)
    except RejectedError:
        return

    [created] = channel.create([Outgoing(item.content_key, payload)])

    assert created.outcome is Outcome.DONE
    assert blackboard.offered() == {item.content_key: payload["name"]}
    assert channel.find([item.content_key]) == {item.content_key: created.remote_id}


@given(items)
def test_any_item_fits_and_its_page_is_bbml(item: ContentItem) -> None:
    course = to_course(item)

    assert 0 < len(course["name"]) <= 333
    assert len(course["externalId"]) <= 256
    assert len(course["description"]) <= 1_000
    assert bbml_problem(course["page"]["document"]["body"]) == ""


@given(items, st.sampled_from(CourseView))
def test_equal_items_give_equal_courses(item: ContentItem, view: CourseView) -> None:
    assert to_course(item, view=view) == to_course(item, view=view)


@given(
    st.lists(
        keys | st.from_regex(r"[a-c.-]{0,3}(-[0-9a-f]{12})?", fullmatch=True), min_size=2, max_size=12, unique=True
    )
)
def test_course_ids_fit_and_are_unique_even_when_compared_without_case(several: list[str]) -> None:
    ids = [course_id(key) for key in several if key]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,100}", one) for one in ids)
    assert len({one.lower() for one in ids}) == len(ids)


@pytest.mark.parametrize(("one", "other"), [("data101", "DATA101"), ("org+x", "Org+X"), ("a", "A")])
def test_keys_that_differ_by_case_have_ids_that_differ_by_more(one: str, other: str) -> None:
    assert course_id(one).lower() != course_id(other).lower()


@given(st.text("abc+.-", min_size=1, max_size=6))
def test_what_looks_like_a_replaced_key_is_replaced_itself(key: str) -> None:
    replaced = course_id(key)

    assert replaced == key or course_id(replaced) != replaced


def test_a_course_id_is_the_same_in_every_process() -> None:
    assert course_id("Northwind+DATA101") == "Northwind.DATA101-44ff86263e48"


def test_all_problems_of_an_item_are_reported() -> None:
    with pytest.raises(RejectedError) as raised:
        to_course(an_item("K" * 257, title="", content_type="learnerpathway"))

    assert raised.value.message == (
        "A learner pathway cannot be sent to Blackboard; only courses can be sent. "
        "The content key has 257 characters; Blackboard's external ID is limited to 256. "
        "The item has no title; Blackboard needs one."
    )
