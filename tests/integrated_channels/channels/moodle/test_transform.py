"""Form fields sent to Moodle for a content item: golden files for edge cases, property tests for all other items."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.moodle.channel import VARIABLES_PER_COURSE
from enterprise_catalog.integrated_channels.channels.moodle.transform import CourseSettings, to_course
from enterprise_catalog.integrated_channels.domain import Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.sandbox.moodle.settings import TOKEN
from enterprise_catalog.sandbox.moodle.text import is_clean, is_plain
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.channels.golden import read_golden
from tests.integrated_channels.channels.items import an_item
from tests.integrated_channels.channels.moodle.cases import CASES
from tests.integrated_channels.channels.moodle.connection import connected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
golden: Final = partial(read_golden, GOLDEN)

#: Text fragments that break naive HTML and text handling; ``texts`` mixes them with arbitrary text.
_SHARDS: Final = ["<", "<b>", "</", "<3", "< ", "&lt;", "&#60;", "&", "&amp;", "\0", "…", "\u00a0", "\x1c", " ", "<br>"]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=120), max_size=12).map("".join)
#: Keys without null characters: a key is never altered, and Moodle rejects nulls.
keys = texts.map(lambda text: f"K{text}".replace("\0", "")[:100])
items = st.builds(
    an_item,
    keys,
    title=texts.map(lambda text: f"T{text}"),
    full_description=texts,
    short_description=texts,
    enrollment_url=texts,
    organizations=st.lists(texts, max_size=3).map(tuple),
    course_type=st.sampled_from(["verified-audit", "executive-education-2u"]),
    start=st.none() | st.datetimes(timezones=st.just(UTC)),
    end=st.none() | st.datetimes(timezones=st.just(UTC)),
)


class Wire:
    """A Moodle that accepts every request, and records the form fields of the last request."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.fields = dict(parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=True))
        if self.fields["wsfunction"] == "core_course_create_courses":
            return httpx.Response(200, json=[{"id": 2, "shortname": self.fields["courses[0][shortname]"]}])
        return httpx.Response(200, json={"warnings": []})


def sent(call: str, item: ContentItem) -> Mapping[str, str]:
    """Return the form fields sent for ``item`` in order, or ``{"rejected": message}``."""
    wire = Wire()
    channel = connected(httpx.MockTransport(wire))
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        return {"rejected": error.message}
    getattr(channel, call)([Outgoing(item.content_key, payload, remote_id="2")])
    return {name: value.replace(TOKEN, "(the token)") for name, value in wire.fields.items()}


def is_taken(item: ContentItem) -> bool:
    """Return True if the channel can send ``item`` and its dates are in order, as Moodle requires."""
    ends_before_it_starts = bool(item.start and item.end and item.end < item.start)
    return "rejected" not in sent("create", item) and not ends_before_it_starts


@pytest.mark.parametrize("name", CASES)
def test_a_create_sends_the_content_of_the_golden_file(name: str) -> None:
    found = sent("create", CASES[name])

    assert list(found.items()) == list(golden(name, found).items())


@pytest.mark.parametrize("call", ["update", "delete"])
def test_an_update_and_a_delete_send_the_content_of_the_golden_files(call: str) -> None:
    found = sent(call, CASES["run"])

    assert list(found.items()) == list(golden(f"{call}_of_a_run", found).items())


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*CASES, "update_of_a_run", "delete_of_a_run"}


@pytest.mark.parametrize("name", [name for name in CASES if is_taken(CASES[name])])
def test_moodle_takes_what_is_sent_and_holds_just_that(name: str) -> None:
    moodle = MoodleSandbox()
    channel = connected(moodle)
    payload = channel.transform(CASES[name])

    channel.create([Outgoing(CASES[name].content_key, payload)])

    [course] = moodle.courses
    assert {field: value for field, value in course.items() if field in payload} == payload


@given(items, st.sampled_from([50, 254, 1_333]))
def test_names_fit_and_php_would_take_nothing_out_of_them(item: ContentItem, fullname_length: int) -> None:
    course = to_course(item, CourseSettings(fullname_length=fullname_length))

    assert 0 < len(course["fullname"]) <= fullname_length
    assert 0 < len(course["shortname"]) <= 255
    assert is_plain(course["fullname"])
    assert is_plain(course["shortname"])


def test_full_names_contain_the_site_of_the_course() -> None:
    course = to_course(an_item(), CourseSettings(site_name="Campus & Co"))

    assert course["fullname"] == "Data for All - via Campus & Co (Northwind Institute)"


@given(items)
def test_the_id_number_is_the_key_and_the_description_is_one_that_moodle_takes(item: ContentItem) -> None:
    course = to_course(item, CourseSettings())

    assert course["idnumber"] == item.content_key
    assert is_clean(course["summary"])


@given(items)
def test_equal_items_give_equal_courses(item: ContentItem) -> None:
    assert to_course(item, CourseSettings()) == to_course(item, CourseSettings())


@given(items)
def test_a_course_has_no_more_variables_than_a_chunk_reckons_with(item: ContentItem) -> None:
    created = {*to_course(item, CourseSettings())}
    updated = created - {"categoryid"} | {"id", "visible"}

    assert max(len(created), len(updated)) <= VARIABLES_PER_COURSE


@given(items)
def test_any_item_arrives_at_moodle_as_it_was_made(item: ContentItem) -> None:
    moodle = MoodleSandbox()
    channel = connected(moodle)
    payload = channel.transform(item) | {"startdate": 1, "enddate": 2}

    channel.create([Outgoing(item.content_key, payload)])

    [course] = moodle.courses
    assert {field: course[field] for field in ("fullname", "shortname", "idnumber", "summary")} == {
        field: payload[field] for field in ("fullname", "shortname", "idnumber", "summary")
    }


@given(st.text(min_size=101))
def test_a_key_that_does_not_fit_is_refused_and_never_cut(key: str) -> None:
    with pytest.raises(RejectedError, match=f"has {len(key)} characters"):
        to_course(an_item(key), CourseSettings())


@given(st.text(max_size=40), st.text(max_size=300))
def test_different_keys_give_different_names_for_any_title(tail: str, title: str) -> None:
    titled = f"T{title}"
    one, other = (to_course(an_item(key + tail, title=titled), CourseSettings()) for key in ("A", "B"))

    assert one["shortname"] != other["shortname"]
