"""Finding, adopting and creating courses on an in-memory Moodle."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
)
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.moodle.connection import add, connected, outgoing
from tests.sandbox.moodle.client import without

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

LOOK_UP = "core_course_get_courses_by_field"


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


@pytest.mark.parametrize("knob", [{"has_agreed_to_policy": False}, {"capabilities": without("update")}])
def test_a_course_whose_key_the_account_may_not_read_is_not_gone(
    moodle: MoodleSandbox, channel: Moodle, knob: dict[str, object]
) -> None:
    add(moodle, "A")
    [(name, value)] = knob.items()
    setattr(moodle, name, value)

    transmission = Transmitter(channel).transmit([replace(outgoing("A"), action=Action.DELETE)])

    assert isinstance(transmission.stopped_by, CredentialsError)
    assert "Moodle returns no ID numbers to this account" in transmission.stopped_by.message
    assert transmission.results["A"].outcome is Outcome.SKIPPED


def test_one_course_that_the_account_may_not_enter_keeps_no_other_from_being_found(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    hidden, seen = add(moodle, "A"), add(moodle, "B")
    moodle.inaccessible_course_ids = {int(hidden)}

    assert channel.find(["A", "B", "A"]) == {"B": seen}
    assert moodle.calls == {LOOK_UP: 4}  # The front page is looked up only once.


# --- create ---------------------------------------------------------------------------------------------------------


def test_a_create_returns_the_ids(moodle: MoodleSandbox, channel: Moodle) -> None:
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


def test_a_key_that_moodle_takes_for_anothers_is_refused_with_the_others_name(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    add(moodle, "DÉMO")

    [result] = channel.create([outgoing("demo")])

    assert (result.outcome, result.vendor_code) == (Outcome.REJECTED, "courseidnumbertaken")
    assert result.message == "Moodle treats the ID number 'demo' as equal to that of another course: 'DÉMO' (course 2)."


@pytest.mark.parametrize(
    ("missing", "which"),
    [(["viewhiddencourses"], "2"), (["viewhiddencourses", "update"], r"\(ID unknown\)")],
)
def test_a_key_of_an_inaccessible_course_is_retried_and_names_the_capability(
    moodle: MoodleSandbox, channel: Moodle, missing: list[str], which: str
) -> None:
    moodle.capabilities = without(*missing)
    add(moodle, "A", visible=0)

    [result] = channel.create([outgoing("A")])

    assert result.outcome is Outcome.RETRY
    assert re.match(
        f"Moodle has a course with the ID number 'A'. The account cannot access course {which}", result.message
    )
    assert (
        "lacks moodle/course:viewhiddencourses. Add this capability to the role in the system context."
        in result.message
    )


def test_a_short_name_that_is_taken_is_refused_by_name(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "theirs", shortname="COURSE A (a)")

    [result] = channel.create([outgoing("A")])

    assert (result.outcome, result.vendor_code) == (Outcome.REJECTED, "shortnametaken")
    assert "has the short name 'Course A (A)', but another ID number" in result.message


def test_a_course_created_after_the_look_up_is_left_to_the_next_run(moodle: MoodleSandbox, channel: Moodle) -> None:
    def create_b(_: float) -> None:
        add(moodle, "B")

    moodle.faults.sleep = create_b
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    results = Transmitter(channel).transmit([outgoing("A"), outgoing("B"), outgoing("C")]).results

    assert [result.outcome for result in results.values()] == [Outcome.DONE, Outcome.RETRY, Outcome.DONE]
    assert (
        results["B"].message
        == "A course with the ID number 'B' was created after the look-up. The next sync adopts it."
    )
    assert sorted(moodle.offered()) == ["A", "B", "C"]


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
    assert [course["fullname"] for course in moodle.courses] == ["Adopted"]
