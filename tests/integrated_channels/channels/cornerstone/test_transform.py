"""Cornerstone feed entries of content items: golden files for edge cases, and acceptance by the sandbox portal."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.base import FeedCredentials
from enterprise_catalog.integrated_channels.channels.cornerstone.channel import Cornerstone, CornerstoneSettings
from enterprise_catalog.integrated_channels.channels.cornerstone.transform import MAX_DESCRIPTION_LENGTH
from enterprise_catalog.integrated_channels.domain import CourseRun
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.cornerstone.portal import CourseEntry
from tests.integrated_channels.channels.cornerstone.cases import CASES
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem

GOLDEN: Final = Path(__file__).parent / "golden"
NOON: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def channel(**settings: Any) -> Cornerstone:
    client = LMSClient("https://portal.test", transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    credentials = FeedCredentials(username="portal", password=SecretStr("secret"))
    return Cornerstone(client, CornerstoneSettings(**settings), credentials)


def entry_of(item: ContentItem, **settings: Any) -> dict[str, Any]:
    """Return the feed entry of ``item``, or ``{"rejected": message}``."""
    portal = channel(subjects={"Computer Science": "Technology"}, **settings)
    try:
        return portal.entry("KEY", portal.transform(item), NOON)
    except RejectedError as error:
        return {"rejected": error.message}


@pytest.mark.parametrize("name", CASES)
def test_the_feed_entry_is_the_golden_file(name: str) -> None:
    path, found = GOLDEN / f"{name}.json", entry_of(CASES[name])
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert found == json.loads(path.read_text(encoding="utf-8"))


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", [name for name, item in CASES.items() if "rejected" not in entry_of(item)])
def test_the_portal_takes_every_entry(name: str) -> None:
    entry = entry_of(CASES[name])

    assert CourseEntry.model_validate(entry).model_dump(exclude_none=True) == entry


def test_a_retired_entry_is_inactive_and_otherwise_unchanged() -> None:
    portal = channel()
    payload = portal.transform(CASES["course"])

    assert portal.retired(payload) == payload | {"IsActive": False}


def test_archived_courses_are_inactive_where_the_customer_wants_it() -> None:
    assert entry_of(CASES["archived"])["IsActive"] is True
    assert entry_of(CASES["archived"], hide_archived=True)["IsActive"] is False
    assert entry_of(CASES["course"], hide_archived=True)["IsActive"] is True


@pytest.mark.parametrize(
    ("key", "is_taken"),
    [
        *(("d1c6f97e-459f-5941-8419-a15c832943d1", True), ("K" * 50, True), ("K" * 51, False)),
        *(("edX+DemoX", False), ("a b", False), ("é", False), ("", False), ("a\n", False)),
    ],
)
def test_keys_that_cornerstone_may_refuse_are_not_taken_as_they_are(key: str, *, is_taken: bool) -> None:
    assert channel().takes_key(key) is is_taken


items = st.builds(
    an_item,
    st.text(min_size=1, max_size=255),
    content_type=st.sampled_from(["course", "courserun", "program", "learnerpathway"]),
    title=st.text(max_size=700),
    full_description=st.text(max_size=300) | st.just("x" * (MAX_DESCRIPTION_LENGTH + 1)),
    short_description=st.text(max_size=300),
    organizations=st.lists(st.text(max_size=600), max_size=3).map(tuple),
    languages=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    run=st.none()
    | st.builds(CourseRun, weeks=st.none() | st.floats(-1, 60), max_effort_hours=st.none() | st.floats(-1, 60)),
)


@given(items)
def test_any_item_is_refused_with_a_reason_or_taken_by_the_portal(item: ContentItem) -> None:
    entry = entry_of(item)

    assert entry.get("rejected", "").startswith("The item cannot be added to the feed: ") or CourseEntry.model_validate(
        entry
    )
