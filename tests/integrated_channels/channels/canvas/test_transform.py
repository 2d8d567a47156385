"""Requests sent to Canvas for a content item: golden files for edge cases, property tests for all other items."""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.canvas.transform import MAX_SYLLABUS_LENGTH, to_course
from enterprise_catalog.integrated_channels.domain import Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from tests.integrated_channels.channels.canvas.cases import CASES
from tests.integrated_channels.channels.canvas.connection import Recorder, connected
from tests.integrated_channels.channels.golden import read_golden
from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
golden: Final = partial(read_golden, GOLDEN)

#: Text fragments that break naive HTML and text handling; ``texts`` mixes them with arbitrary text.
_SHARDS: Final = ["<", "<b>", "</", "&lt;", "&", "\0", "…", "\u00a0", " ", "<br>", '"', "[", "%zz", "//"]
texts = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=120), max_size=12).map("".join)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
items = st.builds(
    an_item,
    texts.map(lambda text: f"K{text}"[:260]),
    title=texts,
    full_description=texts,
    short_description=texts,
    enrollment_url=texts,
    image_url=st.just("") | texts | texts.map(lambda text: f"https://img.example.org/{text}"),
    course_type=st.sampled_from(["verified-audit", "executive-education-2u"]),
    start=moments,
    end=moments,
)


def sent(call: str, item: ContentItem, **settings: Any) -> Any:
    """Return the requests sent for ``item`` in order, or ``{"rejected": message}``."""
    canvas = CanvasSandbox()
    wire = Recorder(canvas)
    channel = connected(wire, **settings)
    remote_id = str(canvas.table.add(integration_id=item.content_key).id) if call != "create" else ""
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        return {"rejected": error.message}
    [result] = getattr(channel, call)([Outgoing(item.content_key, payload, remote_id)])
    assert result.outcome is Outcome.DONE
    return wire.requests


#: Golden files other than a create with default settings: name -> call, case and settings.
OTHER_CALLS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "update_of_a_run": ("update", "run", {}),
    "update_without_an_image": ("update", "no_image", {}),
    "delete_of_a_run": ("delete", "run", {}),
    "delete_for_good": ("delete", "run", {"delete_policy": "delete"}),
    "create_with_other_settings": (
        "create",
        "course",
        {"account_id": 2, "is_public": False, "self_enrollment": False, "indexed": False, "default_view": "modules"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_create_sends_the_content_of_the_golden_file(name: str) -> None:
    found = sent("create", CASES[name])

    assert found == golden(name, found)


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_other_calls_and_settings_send_the_content_of_the_golden_files(name: str) -> None:
    call, case, settings = OTHER_CALLS[name]

    found = sent(call, CASES[case], **settings)

    assert found == golden(name, found)


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*CASES, *OTHER_CALLS}


@given(items)
def test_every_item_that_is_not_rejected_is_stored_as_it_was_sent(item: ContentItem) -> None:
    canvas = CanvasSandbox()
    channel = connected(canvas)
    try:
        payload = channel.transform(item)
    except RejectedError:
        return

    channel.create([Outgoing(item.content_key, payload)])

    [course] = canvas.content()
    assert {name: course[name] for name in payload if name != "image_url"} == {
        name: value for name, value in payload.items() if name != "image_url"
    }
    assert course["image_download_url"] == payload.get("image_url")


@given(items)
def test_equal_items_give_equal_courses(item: ContentItem) -> None:
    def made() -> object:
        try:
            return to_course(item)
        except RejectedError as error:
            return error.message

    assert made() == made()


@given(st.text(min_size=256))
def test_a_key_that_does_not_fit_is_refused_and_never_cut(key: str) -> None:
    with pytest.raises(RejectedError, match=f"has {len(key)} characters"):
        to_course(an_item(key))


def test_a_description_that_fits_is_sent_whole() -> None:
    head = len(to_course(an_item(full_description="", short_description="", title="T"))["syllabus_body"]) - 1
    longest = "x" * (MAX_SYLLABUS_LENGTH - head)

    assert to_course(an_item(full_description=longest))["syllabus_body"].endswith(longest)


def test_a_description_that_does_not_fit_is_replaced_by_the_short_one() -> None:
    too_long = "<p>x</p>" * 100_000

    course = to_course(an_item(full_description=too_long))
    bare = to_course(a_bare_item(title="Data &amp; All", full_description=too_long, short_description=too_long))

    assert course["syllabus_body"].endswith("</p>Read data.")
    assert bare["syllabus_body"] == "Data &amp; All"


def test_a_run_of_a_day_that_begins_before_our_calendar_is_no_trouble() -> None:
    item = CASES["run"]
    assert item.start is not None

    course = to_course(an_item(start=item.start.replace(year=1), end=item.start.replace(year=1) + timedelta(days=1)))

    assert course["start_at"] == "0001-01-05T09:30:00Z"
