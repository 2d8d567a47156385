"""Finding, creating, updating and hiding courses, at a Moodle in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError, RetryableError
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle import MoodleSandbox
from enterprise_catalog.sandbox.moodle_courses import Course
from tests.integrated_channels.channels.moodle.connection import connected, outgoing
from tests.sandbox.moodle_client import without

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle

LOOK_UP = "core_course_get_courses_by_field"


@pytest.fixture
def moodle() -> MoodleSandbox:
    return MoodleSandbox(category_ids={1, 4})


@pytest.fixture
def channel(moodle: MoodleSandbox) -> Moodle:
    return connected(moodle)


def add(moodle: MoodleSandbox, idnumber: str, **columns: object) -> str:
    """Put a course into the table as if it had long been there, and return its id."""
    row = {"fullname": "Theirs", "shortname": f"Theirs ({idnumber})", "categoryid": 1, **columns}
    return str(moodle.table.add(Course(idnumber=idnumber, **row)).id)  # type: ignore[arg-type]  # columns of any type


def names(moodle: MoodleSandbox) -> list[str]:
    return [course["fullname"] for course in moodle.courses]


# --- find -----------------------------------------------------------------------------------------------------------


def test_it_finds_what_is_there_by_key_and_leaves_the_rest_out(moodle: MoodleSandbox, channel: Moodle) -> None:
    one, other = add(moodle, "A+1"), add(moodle, "course-v1:A+B+C/ä & 漢")

    assert channel.find(["A+1", "Z", "course-v1:A+B+C/ä & 漢"]) == {"A+1": one, "course-v1:A+B+C/ä & 漢": other}
    assert moodle.calls == {LOOK_UP: 3}


def test_it_finds_a_hidden_course(moodle: MoodleSandbox, channel: Moodle) -> None:
    hidden = add(moodle, "A", visible=0)

    assert channel.find(["A"]) == {"A": hidden}


@pytest.mark.parametrize("key", ["DEMO+X", "demo+x ", "démo+x", "demo+ẋ"])
def test_a_key_that_only_moodles_database_takes_for_the_same_is_another(
    moodle: MoodleSandbox, channel: Moodle, key: str
) -> None:
    add(moodle, "demo+x")

    assert channel.find([key]) == {}


def test_of_several_courses_with_one_key_the_oldest_counts(moodle: MoodleSandbox, channel: Moodle) -> None:
    oldest = add(moodle, "A", shortname="first")
    add(moodle, "A", shortname="second")
    add(moodle, "a", shortname="third")

    assert channel.find(["A"]) == {"A": oldest}


def test_it_never_looks_for_an_empty_key(moodle: MoodleSandbox, channel: Moodle) -> None:
    with pytest.raises(AssertionError, match="the site's front page included"):
        channel.find([""])

    assert moodle.calls == {}


# --- create ---------------------------------------------------------------------------------------------------------


def test_a_create_tells_the_ids(moodle: MoodleSandbox, channel: Moodle) -> None:
    results = channel.create([outgoing("A"), outgoing("B")])

    assert results == [ItemResult("A", Outcome.DONE, remote_id="2"), ItemResult("B", Outcome.DONE, remote_id="3")]
    assert [(course["idnumber"], course["visible"]) for course in moodle.courses] == [("A", 1), ("B", 1)]


def test_a_create_is_refused_as_a_whole_and_creates_nothing(moodle: MoodleSandbox, channel: Moodle) -> None:
    items = [outgoing("A"), outgoing("B", fullname="no <b>tags</b>"), outgoing("C")]

    with pytest.raises(RejectedError, match="Moodle: Invalid parameter value detected") as refusal:
        channel.create(items)

    assert refusal.value.vendor_code == "invalidparameter"
    assert moodle.courses == []


def test_a_create_that_is_repeated_is_refused_and_harmless(moodle: MoodleSandbox, channel: Moodle) -> None:
    channel.create([outgoing("A"), outgoing("B")])
    before = moodle.courses

    with pytest.raises(RejectedError):
        channel.create([outgoing("A"), outgoing("B")])

    assert moodle.courses == before


def test_a_course_that_was_made_after_the_look_up_is_left_to_the_next_run(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    channel.create([outgoing("A")])

    with pytest.raises(RetryableError, match="'A' was made after we had looked for it"):
        channel.create([outgoing("A")])

    assert len(moodle.courses) == 1


def test_a_key_that_moodle_takes_for_anothers_is_refused_with_the_others_name(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    add(moodle, "DÉMO")

    with pytest.raises(RejectedError) as refusal:
        channel.create([outgoing("demo")])

    expected = "Moodle takes the ID number 'demo' for that of another course: 'DÉMO' (course 2)."
    assert (refusal.value.message, refusal.value.vendor_code) == (expected, "courseidnumbertaken")


def test_a_key_of_a_course_that_we_may_not_see_is_refused_and_says_so(moodle: MoodleSandbox, channel: Moodle) -> None:
    moodle.capabilities = without("viewhiddencourses", "update")
    add(moodle, "A", visible=0)

    with pytest.raises(RejectedError, match=r"for that of another course: one that our account may not see\.$"):
        channel.create([outgoing("A")])


def test_a_short_name_that_is_taken_is_refused_by_name(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "theirs", shortname="COURSE A (a)")

    with pytest.raises(RejectedError, match=r"has the short name 'Course A \(A\)', with another ID number\."):
        channel.create([outgoing("A")])


def test_a_missing_category_is_a_fault_of_the_configuration(moodle: MoodleSandbox) -> None:
    channel = connected(moodle, category_id=999)

    with pytest.raises(ConfigurationError, match=r"category id:999"):
        channel.create([outgoing("A", categoryid=999)])


@pytest.mark.parametrize("answer", ["[]", '[{"id": 2, "shortname": "another"}]', "null", "{}", '["A"]', "7"])
def test_an_answer_about_other_courses_is_no_success(moodle: MoodleSandbox, channel: Moodle, answer: str) -> None:
    moodle.faults.add(Fault(kind=FaultKind.REPLACE, status=200, body=answer, content_type="application/json"))

    with pytest.raises(RetryableError):
        channel.create([outgoing("A")])

    assert channel.find(["A"]) == {"A": "2"}


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.TRUNCATE, FaultKind.REPLACE])
def test_a_create_whose_answer_is_lost_can_be_found_and_adopted(
    moodle: MoodleSandbox, channel: Moodle, kind: FaultKind
) -> None:
    moodle.faults.add(Fault(kind=kind, operation="core_course_create_courses"))
    with pytest.raises(RetryableError):
        channel.create([outgoing("A")])

    [found] = channel.find(["A"]).values()
    [result] = channel.update([outgoing("A", remote_id=found, fullname="Adopted")])

    assert result == ItemResult("A", Outcome.DONE, remote_id=found)
    assert names(moodle) == ["Adopted"]


# --- update and delete ----------------------------------------------------------------------------------------------


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
    assert names(moodle) == ["Course A - via edX.org (Northwind Institute)", "Theirs", "Theirs"]


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
