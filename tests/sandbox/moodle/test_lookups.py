"""Looking up courses in the sandbox Moodle, and the format of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.settings import SUFFICIENT_CAPABILITIES
from enterprise_catalog.sandbox.moodle.text import collate, is_plain
from tests.sandbox.moodle.client import MoodleClient

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox


@pytest.fixture
def client(moodle: MoodleSandbox) -> MoodleClient:
    client = MoodleClient(moodle)
    client.create(
        {"shortname": "first", "idnumber": "edX+DemoX"},
        {"shortname": "second"},
        {"shortname": "third", "idnumber": "third-id", "visible": "0"},
    )
    return client


@pytest.mark.parametrize(
    ("field", "value", "ids"),
    [
        ("id", "3", [3]),
        ("id", "99", []),
        ("id", "three", []),
        ("id", "9" * 5000, []),
        ("ids", "4,2", [4, 2]),
        ("ids", "2,2", [2]),
        ("shortname", "first", [2]),
        ("shortname", "firs", []),
        ("idnumber", "edX+DemoX", [2]),
        ("idnumber", "no-such-id", []),
        ("category", "1", [2, 3, 4]),
        ("category", "7", []),
        ("", "", [1, 2, 3, 4]),
    ],
)
def test_look_ups_by_field(client: MoodleClient, field: str, value: str, ids: list[int]) -> None:
    assert client.found_ids(field, value) == ids


@pytest.mark.parametrize("shortname", ["third", "THIRD", "thìrd", "Third "])
def test_a_short_name_matches_as_the_database_compares(client: MoodleClient, shortname: str) -> None:
    assert client.found_ids("shortname", shortname) == [4]


@pytest.mark.parametrize("idnumber", ["third-id", "THIRD-id", "third-id ", "thïrd-id"])
def test_an_id_number_matches_as_the_database_compares(client: MoodleClient, idnumber: str) -> None:
    assert client.found_ids("idnumber", idnumber) == [4]


def test_leading_spaces_count(client: MoodleClient) -> None:
    assert client.found_ids("idnumber", " third-id") == []


def test_an_empty_id_number_matches_every_course_without_one(client: MoodleClient) -> None:
    assert client.found_ids("idnumber", "") == [1, 3]


def test_a_look_up_of_duplicates_finds_them_all(moodle: MoodleSandbox, client: MoodleClient) -> None:
    for _ in range(2):
        moodle.table.add(Course(shortname="first", fullname="First", categoryid=1, idnumber="edX+DemoX"))

    assert client.found_ids("idnumber", "edX+DemoX") == [2, 5, 6]
    assert client.found_ids("shortname", "FIRST") == [2, 5, 6]


def test_a_course_is_found_by_its_new_names_only(client: MoodleClient) -> None:
    client.update({"id": "2", "shortname": "renamed", "idnumber": ""})

    assert client.found_ids("shortname", "first") == []
    assert client.found_ids("shortname", "renamed") == [2]
    assert client.found_ids("idnumber", "") == [1, 2, 3]


def test_one_missing_id_fails_the_whole_look_up_without_an_error_code(client: MoodleClient) -> None:
    assert client.find("ids", "2,99") == {
        "exception": "Error",
        "message": 'Attempt to assign property "contextvalidated" on null',
    }


def test_an_unknown_field_is_invalid(client: MoodleClient) -> None:
    assert client.find("fullname", "x")["errorcode"] == "invalidparameter"


def test_get_courses_leaves_missing_ids_out(client: MoodleClient) -> None:
    reply = client.call("core_course_get_courses", {"options[ids][0]": "2", "options[ids][1]": "99"})

    assert [course["id"] for course in reply] == [2]
    assert client.call("core_course_get_courses", {"options[ids][]": "99"}) == []


def test_get_courses_without_options_returns_the_site_course_too(client: MoodleClient) -> None:
    assert [course["id"] for course in client.call("core_course_get_courses")] == [1, 2, 3, 4]


def test_get_courses_fails_at_a_course_that_may_not_be_entered(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.inaccessible_course_ids = {3}

    assert client.call("core_course_get_courses")["errorcode"] == "errorcoursecontextnotvalid"


def test_a_hidden_course_is_found_by_those_who_may_see_or_update_it(
    moodle: MoodleSandbox, client: MoodleClient
) -> None:
    moodle.capabilities = SUFFICIENT_CAPABILITIES - {"moodle/course:viewhiddencourses"}
    assert client.found_ids("shortname", "third") == [4]

    moodle.capabilities -= {"moodle/course:update"}
    assert client.found_ids("shortname", "third") == []


def test_the_id_number_is_shown_only_to_those_who_may_update(moodle: MoodleSandbox, client: MoodleClient) -> None:
    [course] = client.find("id", "2")["courses"]
    assert course["idnumber"] == "edX+DemoX"

    moodle.capabilities = SUFFICIENT_CAPABILITIES - {"moodle/course:update"}
    [course] = client.find("id", "2")["courses"]
    assert "idnumber" not in course


def test_of_a_course_that_may_not_be_entered_only_the_public_part_is_shown(
    moodle: MoodleSandbox, client: MoodleClient
) -> None:
    moodle.inaccessible_course_ids = {2}

    [course] = client.find("idnumber", "edX+DemoX")["courses"]

    assert (course["id"], course["shortname"]) == (2, "first")
    assert not course.keys() & {"idnumber", "visible", "startdate"}


@pytest.mark.parametrize(
    ("sent", "formatted"),
    [
        ("X & Y", "X &amp; Y"),
        ("X &amp; Y", "X &amp; Y"),
        ("X &lt; Y", "X &lt; Y"),
        ("a < b > c", "a &lt; b &gt; c"),
        ("R&D; fast", "R&D; fast"),
        ("Ünïcode 🎓", "Ünïcode 🎓"),
    ],
)
def test_names_are_returned_formatted_unless_raw_is_requested(client: MoodleClient, sent: str, formatted: str) -> None:
    [created] = client.create({"fullname": sent, "shortname": sent})
    search = {"field": "id", "value": str(created["id"])}

    [course] = client.call("core_course_get_courses_by_field", search)["courses"]
    [raw] = client.call("core_course_get_courses_by_field", {**search, "moodlewssettingraw": "1"})["courses"]

    assert created["shortname"] == sent
    assert (course["fullname"], course["displayname"], course["shortname"]) == (formatted,) * 3
    assert (raw["fullname"], raw["displayname"], raw["shortname"]) == (sent,) * 3


def test_scripts_are_stripped_from_a_summary_unless_raw_is_requested(client: MoodleClient) -> None:
    summary = (
        '<p>Hi &amp; <a href="https://example.org">bye</a></p><script type="text/javascript">alert("x < y")</script>'
    )
    client.update({"id": "2", "summary": summary})
    options = {"options[ids][0]": "2"}

    [course] = client.call("core_course_get_courses", options)
    [raw] = client.call("core_course_get_courses", {**options, "moodlewssettingraw": "1"})

    assert course["summary"] == '<p>Hi &amp; <a href="https://example.org">bye</a></p>'
    assert raw["summary"] == summary


@given(st.text())
def test_comparing_as_the_database_does_is_idempotent_and_blind_to_case(text: str) -> None:
    assert collate(collate(text)) == collate(text) == collate(f"{text}  ")


@given(st.text(alphabet="<> ab\n&;\0"), st.text(alphabet="<> ab\n&;\0"))
def test_text_is_plain_only_if_its_parts_are_plain_or_joined_by_a_space(left: str, right: str) -> None:
    assert is_plain(f"{left} {right}") == (is_plain(f"{left} ") and is_plain(right))
