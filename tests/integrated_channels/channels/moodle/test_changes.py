"""Updating and hiding courses on an in-memory Moodle, with one result per course."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RetryableError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.moodle.connection import add, outgoing
from tests.sandbox.moodle.client import without

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox


def test_an_update_stores_the_payloads(moodle: MoodleSandbox, channel: Moodle) -> None:
    ids = [add(moodle, "A"), add(moodle, "B")]

    results = channel.update([outgoing("B", remote_id=ids[1]), outgoing("A", remote_id=ids[0])])

    assert [(result.content_key, result.outcome) for result in results] == [("B", Outcome.DONE), ("A", Outcome.DONE)]
    assert [course["shortname"] for course in moodle.courses] == ["Course A (A)", "Course B (B)"]


def test_an_update_leaves_a_course_in_the_category_that_it_was_moved_to(moodle: MoodleSandbox, channel: Moodle) -> None:
    moved = add(moodle, "A", categoryid=4)

    channel.update([outgoing("A", remote_id=moved, categoryid=1)])

    assert [(course["shortname"], course["categoryid"]) for course in moodle.courses] == [("Course A (A)", 4)]


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


def test_an_update_of_a_missing_course_returns_gone(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A")

    results = channel.update([outgoing("A", remote_id=there), outgoing("B", remote_id="999")])

    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.GONE]
    assert results[1].vendor_code == "invalidrecord"


def test_a_course_whose_successor_has_its_key_is_gone(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "A")

    [result] = channel.update([outgoing("A", remote_id="999")])

    assert result.outcome is Outcome.GONE


@pytest.mark.parametrize("answer", ["null", "[]", '{"warnings": null}', '{"warnings": [{"message": "?"}]}', "{}"])
def test_an_answer_without_readable_warnings_is_no_success(moodle: MoodleSandbox, channel: Moodle, answer: str) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=answer, content_type="application/json"))

    with pytest.raises(RetryableError, match="an unexpected response"):
        channel.update([outgoing("A", remote_id="2")])


def test_a_warning_of_a_course_that_was_not_sent_is_no_success(moodle: MoodleSandbox, channel: Moodle) -> None:
    warnings = '{"warnings": [{"item": "course", "itemid": 0, "warningcode": "x", "message": "?"}]}'
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=warnings))

    with pytest.raises(RetryableError, match="warnings about courses that were not in the call"):
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


def test_a_delete_of_a_missing_course_returns_gone(channel: Moodle) -> None:
    [result] = channel.delete([outgoing("A", remote_id="999")])

    assert result.outcome is Outcome.GONE


# --- the account ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("knob", "value", "code", "remedy"),
    [
        ("must_change_password", True, "forcepasswordchangenotice", "change its password."),
        ("is_profile_complete", False, "usernotfullysetup", "complete its profile."),
        ("has_agreed_to_policy", False, "sitepolicynotagreed", "agree to the site policy."),
    ],
)
@pytest.mark.parametrize("action", ["update", "delete"])
def test_an_account_that_moodle_blocks_stops_the_run_with_a_remedy(
    moodle: MoodleSandbox, channel: Moodle, action: str, knob: str, value: object, code: str, remedy: str
) -> None:
    items = [outgoing(key, remote_id=add(moodle, key)) for key in "AB"]
    setattr(moodle, knob, value)

    with pytest.raises(CredentialsError) as raised:
        getattr(channel, action)(items)

    assert raised.value.vendor_code == code
    assert raised.value.message.endswith(f"Log in to Moodle as this account and {remedy}")


@pytest.mark.parametrize(
    ("missing", "lacking", "them"),
    [
        (["update"], "moodle/course:update", "it"),
        (["changefullname", "changesummary"], "moodle/course:changefullname, moodle/course:changesummary", "them"),
    ],
)
def test_a_capability_that_is_missing_stops_the_run_with_a_remedy(
    moodle: MoodleSandbox, channel: Moodle, missing: list[str], lacking: str, them: str
) -> None:
    there = add(moodle, "A")
    before = moodle.table.all()
    moodle.capabilities = without(*missing)

    with pytest.raises(CredentialsError) as raised:
        channel.update([outgoing("A", remote_id=there)])

    assert raised.value.message == f"The account's role lacks {lacking}. Add {them} to the role in the system context."
    assert moodle.table.all() == before


def test_a_course_that_we_may_not_hide_stops_the_run(moodle: MoodleSandbox, channel: Moodle) -> None:
    there = add(moodle, "A")
    moodle.capabilities = without("visibility")

    with pytest.raises(CredentialsError, match="lacks moodle/course:visibility"):
        channel.delete([outgoing("A", remote_id=there)])

    assert list(moodle.offered()) == ["A"]


def test_a_capability_that_is_missing_in_one_course_refuses_only_that_course(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    ids = [add(moodle, "A"), add(moodle, "B")]
    moodle.overridden_course_ids = {int(ids[0])}

    results = [channel.update([outgoing(key, remote_id=remote_id) for key, remote_id in zip("AB", ids, strict=True)])]
    results += [channel.update([outgoing("A", remote_id=ids[0])])]

    assert [[result.outcome for result in each] for each in results] == [
        [Outcome.REJECTED, Outcome.DONE],
        [Outcome.REJECTED],
    ]
    assert f"so course {ids[0]} or its category overrides it" in results[0][0].message
    assert moodle.calls["core_course_update_courses"] == 3  # The role is checked only once.


def test_a_hidden_course_that_we_may_not_enter_is_tried_again(moodle: MoodleSandbox, channel: Moodle) -> None:
    hidden = add(moodle, "A", visible=0)
    moodle.capabilities = without("viewhiddencourses")

    [result] = channel.update([outgoing("A", remote_id=hidden)])

    assert (result.outcome, result.vendor_code) == (Outcome.RETRY, "requireloginerror")
    assert "most likely, the course is hidden and the account's role lacks moodle/course:viewhidden" in result.message
