"""Updating courses in the sandbox Moodle: each one independently."""

from __future__ import annotations

import pytest

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.sandbox.moodle.client import MoodleClient, codes, without


@pytest.fixture
def moodle() -> MoodleSandbox:
    return MoodleSandbox(category_ids={1, 4})


def test_it_changes_what_is_sent_and_nothing_else(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"idnumber": "DATA101", "summary": "old", "startdate": "1000", "enddate": "0"})
    [before] = moodle.courses

    reply = client.update({"id": "2", "fullname": "New name", "summary": "", "categoryid": "4", "visible": "0"})

    assert reply == {"warnings": []}
    assert moodle.courses == [{**before, "fullname": "New name", "summary": "", "categoryid": 4, "visible": 0}]


def test_a_missing_course_is_a_warning_in_a_success(client: MoodleClient) -> None:
    assert client.update({"id": "99999", "fullname": "x"}) == {
        "warnings": [
            {
                "item": "course",
                "itemid": 99999,
                "warningcode": "invalidrecord",
                "message": "Can't find data record in database table course.",
            }
        ]
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shortname": "TAKEN"}, "shortnametaken"),
        ({"idnumber": "TÁKEN"}, "courseidnumbertaken"),
        ({"categoryid": "999"}, "invalidrecord"),
        ({"shortname": ""}, "errorinvalidparam"),
        ({"fullname": " "}, "errorinvalidparam"),
        ({"startdate": "2000", "enddate": "1999"}, "enddatebeforestartdate"),
        ({"enddate": "2000"}, "nostartdatenoenddate"),
        ({"idnumber": "x" * 101}, "dmlwriteexception"),
        ({"lang": "en"}, "nopermissions"),
    ],
)
def test_a_refused_course_is_unchanged_and_its_neighbours_are_updated(
    moodle: MoodleSandbox, client: MoodleClient, changes: dict[str, str], code: str
) -> None:
    client.create({"shortname": "a"}, {"shortname": "b"}, {"shortname": "taken", "idnumber": "taken"})
    _, before, _ = moodle.courses

    reply = client.update(
        {"id": "2", "summary": "new"}, {"id": "3", "summary": "new", **changes}, {"id": "4", "summary": "new"}
    )

    assert codes(reply) == [(3, code)]
    assert [course["summary"] for course in moodle.courses] == ["new", "", "new"]
    assert moodle.courses[1] == before


@pytest.mark.parametrize("changes", [{"fullname": "<b>"}, {"visible": "yes"}, {"colour": "red"}, {"startdate": "x"}])
def test_one_bad_parameter_fails_the_whole_call(
    moodle: MoodleSandbox, client: MoodleClient, changes: dict[str, str]
) -> None:
    client.create({"shortname": "a"}, {"shortname": "b"})

    reply = client.update({"id": "2", "summary": "new"}, {"id": "3", **changes})

    assert reply["errorcode"] == "invalidparameter"
    assert [course["summary"] for course in moodle.courses] == ["", ""]


def test_a_course_may_keep_its_own_names(client: MoodleClient) -> None:
    client.create({"shortname": "mine", "idnumber": "mine"})

    assert client.update({"id": "2", "shortname": "MINE", "idnumber": "mine"}) == {"warnings": []}


def test_a_start_past_the_stored_end_is_accepted(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"startdate": "1000", "enddate": "2000"})

    assert client.update({"id": "2", "startdate": "3000"}) == {"warnings": []}

    [course] = moodle.courses
    assert (course["startdate"], course["enddate"]) == (3000, 2000)


@pytest.mark.parametrize(
    ("capability", "changes"),
    [
        ("update", {"summary": ""}),
        ("changecategory", {"categoryid": "4"}),
        ("changefullname", {"fullname": "x"}),
        ("changeshortname", {"shortname": "x"}),
        ("changeidnumber", {"idnumber": "x"}),
        ("changesummary", {"summary": "x"}),
        ("visibility", {"visible": "0"}),
    ],
)
def test_each_change_takes_its_capability(
    moodle: MoodleSandbox, client: MoodleClient, capability: str, changes: dict[str, str]
) -> None:
    client.create({})

    moodle.capabilities = without(capability)

    assert codes(client.update({"id": "2", **changes})) == [(2, "nopermissions")]


def test_an_administrator_may_set_the_language(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({})
    moodle.is_admin = True

    assert client.update({"id": "2", "lang": "en"}) == {"warnings": []}
    assert codes(client.update({"id": "2", "lang": "tlh"})) == [(2, "errorinvalidparam")]


def test_a_course_that_may_not_be_entered_is_a_warning(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"shortname": "a"}, {"shortname": "b"})
    moodle.inaccessible_course_ids = {2}

    assert codes(client.update({"id": "2", "summary": "x"}, {"id": "3", "summary": "x"})) == [(2, "requireloginerror")]
    assert [course["summary"] for course in moodle.courses] == ["", "x"]


def test_a_hidden_course_takes_the_right_to_see_it(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"visible": "0"})
    moodle.capabilities = without("viewhiddencourses")

    assert codes(client.update({"id": "2", "summary": "x"})) == [(2, "requireloginerror")]
