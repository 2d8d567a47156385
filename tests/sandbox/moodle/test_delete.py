"""Deleting courses in the sandbox Moodle: one by one, until a course is not accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.moodle.client import MoodleClient, codes, without

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox


def test_it_deletes_each_course(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"shortname": "a"}, {"shortname": "b"}, {"shortname": "c"})

    assert client.delete(2, 4) == {"warnings": []}

    assert [course["shortname"] for course in moodle.courses] == ["b"]


def test_a_missing_course_is_a_warning_and_the_others_are_deleted(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({})

    reply: dict[str, Any] = client.delete(99999, 2)

    assert reply == {
        "warnings": [
            {
                "item": "course",
                "itemid": 99999,
                "warningcode": "unknowncourseidnumber",
                "message": "Unknown course ID 99999",
            }
        ]
    }
    assert moodle.courses == []


def test_the_site_course_cannot_be_deleted(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.is_admin = True

    assert codes(client.delete(1)) == [(1, "cannotdeletecategorycourse")]
    assert client.found_ids("id", "1") == [1]


def test_a_course_that_may_not_be_entered_stops_it_midway(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"shortname": "a"}, {"shortname": "b"}, {"shortname": "c"})
    moodle.inaccessible_course_ids = {3}

    reply = client.delete(2, 3, 4)

    assert reply == {
        "exception": "core\\exception\\require_login_exception",
        "errorcode": "requireloginerror",
        "message": "Course or activity not accessible.",
    }
    assert [course["id"] for course in moodle.courses] == [3, 4]


def test_without_the_right_to_delete(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({})
    moodle.capabilities = without("delete")

    assert codes(client.delete(2)) == [(2, "cannotdeletecourse")]
    assert len(moodle.courses) == 1


@pytest.mark.parametrize("fields", [{}, {"courseids": "2"}, {"courseids[]": ""}, {"courseids[0]": "two"}])
def test_anything_but_a_list_of_numbers_is_invalid(client: MoodleClient, fields: dict[str, str]) -> None:
    assert client.call("core_course_delete_courses", fields)["errorcode"] == "invalidparameter"


def test_a_deleted_course_leaves_its_names_and_never_its_id(client: MoodleClient) -> None:
    client.create({"shortname": "again", "idnumber": "again"})
    client.delete(2)

    assert client.create({"shortname": "again", "idnumber": "again"}) == [{"id": 3, "shortname": "again"}]
