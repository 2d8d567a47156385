"""Updating and hiding courses, at a Moodle in memory: each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.moodle.connection import add, outgoing
from tests.sandbox.moodle_client import without

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
    from enterprise_catalog.sandbox.moodle import MoodleSandbox


def test_an_update_makes_courses_what_their_payloads_say(moodle: MoodleSandbox, channel: Moodle) -> None:
    ids = [add(moodle, "A"), add(moodle, "B")]

    results = channel.update([outgoing("B", remote_id=ids[1]), outgoing("A", remote_id=ids[0], categoryid=4)])

    assert [(result.content_key, result.outcome) for result in results] == [("B", Outcome.DONE), ("A", Outcome.DONE)]
    assert [(course["shortname"], course["categoryid"]) for course in moodle.courses] == [
        ("Course A (A)", 4),
        ("Course B (B)", 1),
    ]


def test_an_update_shows_a_hidden_course_again(moodle: MoodleSandbox, channel: Moodle) -> None:
    hidden = add(moodle, "A", visible=0)

    channel.update([outgoing("A", remote_id=hidden)])

    assert list(moodle.offered()) == ["A"]


def test_an_update_that_is_repeated_changes_nothing(moodle: MoodleSandbox, channel: Moodle) -> None:
    items = [outgoing("A", remote_id=add(moodle, "A"))]
    first = channel.update(items)
    before = moodle.courses

    assert channel.update(items) == first
    assert moodle.courses == before


def test_an_item_that_moodle_warns_of_is_refused_and_its_neighbours_are_updated(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    ids = [add(moodle, "A"), add(moodle, "B"), add(moodle, "C", shortname="Theirs")]

    results = channel.update(
        [outgoing("A", remote_id=ids[0]), outgoing("B", remote_id=ids[1], shortname="theirs", fullname="Not taken")]
    )

    taken = "Moodle: Short name is already used for another course (theirs)"
    assert results == [
        ItemResult("A", Outcome.DONE, remote_id=ids[0]),
        ItemResult("B", Outcome.REJECTED, status_code=200, vendor_code="shortnametaken", message=taken),
    ]
    assert [course["fullname"] for course in moodle.courses] == [
        "Course A - via edX.org (Northwind Institute)",
        "Theirs",
        "Theirs",
    ]


def test_an_update_of_a_missing_course_says_that_it_is_gone(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A")

    results = channel.update([outgoing("A", remote_id=there), outgoing("B", remote_id="999")])

    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.GONE]
    assert results[1].vendor_code == "invalidrecord"


def test_a_course_whose_successor_has_its_key_is_gone_all_the_same(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "A")

    [result] = channel.update([outgoing("A", remote_id="999")])

    assert result.outcome is Outcome.GONE


def test_an_update_into_a_missing_category_is_refused_and_not_gone(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A", visible=0)

    [result] = channel.update([outgoing("A", remote_id=there, categoryid=999)])

    assert (result.outcome, result.vendor_code) == (Outcome.REJECTED, "invalidrecord")
    assert "course_categories" in result.message


@pytest.mark.parametrize("answer", ["null", "[]", '{"warnings": null}', '{"warnings": [{"message": "?"}]}', "{}"])
def test_an_answer_without_readable_warnings_is_no_success(moodle: MoodleSandbox, channel: Moodle, answer: str) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=answer, content_type="application/json"))

    with pytest.raises(RetryableError, match="something unexpected"):
        channel.update([outgoing("A", remote_id="2")])


def test_a_warning_of_a_course_that_was_not_sent_is_no_success(moodle: MoodleSandbox, channel: Moodle) -> None:
    warnings = '{"warnings": [{"item": "course", "itemid": 0, "warningcode": "x", "message": "?"}]}'
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=warnings))

    with pytest.raises(RetryableError, match="warns of courses that it was not sent"):
        channel.update([outgoing("A", remote_id="2")])


def test_a_delete_hides_and_changes_nothing_else(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A")
    [before] = moodle.courses

    results = channel.delete([outgoing("A", remote_id=there)])

    assert [result.outcome for result in results] == [Outcome.DONE]
    assert moodle.courses == [{**before, "visible": 0}]
    assert "core_course_delete_courses" not in moodle.calls


def test_a_delete_that_is_repeated_changes_nothing(moodle: MoodleSandbox, channel: Moodle) -> None:
    items = [outgoing("A", remote_id=add(moodle, "A"))]

    assert channel.delete(items) == channel.delete(items)
    assert moodle.offered() == {}


def test_a_delete_of_a_missing_course_says_that_it_is_gone(channel: Moodle) -> None:
    [result] = channel.delete([outgoing("A", remote_id="999")])

    assert result.outcome is Outcome.GONE


def test_a_course_that_we_may_not_hide_is_refused(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A")
    moodle.capabilities = without("visibility")

    [result] = channel.delete([outgoing("A", remote_id=there)])

    assert (result.outcome, result.vendor_code) == (Outcome.REJECTED, "nopermissions")
    assert list(moodle.offered()) == ["A"]
