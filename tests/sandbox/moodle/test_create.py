"""Creating courses in the sandbox Moodle: all or nothing."""

from __future__ import annotations

import pytest

from enterprise_catalog.sandbox.moodle.web_service import REST_PAGE, MoodleSandbox
from tests.sandbox.moodle.client import INVALID_PARAMETER, MOODLE, MoodleClient, control, new_course, numbered, without

NOW = 1_795_400_000
MIDNIGHT = 1_795_392_000
YEAR_SECONDS = 365 * 24 * 60 * 60


@pytest.fixture
def moodle() -> MoodleSandbox:
    return MoodleSandbox(clock=lambda: float(NOW), category_ids={1, 4})


def moodle_error(code: str, message: str) -> dict[str, str]:
    return {"exception": MOODLE, "errorcode": code, "message": message}


def test_it_returns_ids_and_short_names_in_the_order_sent(client: MoodleClient) -> None:
    reply = client.create({"shortname": "edX+DemoX+1T2026"}, {"shortname": "A"})

    assert reply == [{"id": 2, "shortname": "edX+DemoX+1T2026"}, {"id": 3, "shortname": "A"}]


def test_a_course_is_visible_by_default(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"shortname": "a"}, {"shortname": "b", "visible": "0"})

    assert [course["visible"] for course in moodle.courses] == [1, 0]


@pytest.mark.parametrize(
    ("sent", "start", "end"),
    [
        ({"startdate": "1000"}, 1000, 1000 + YEAR_SECONDS),
        ({"startdate": "1000", "enddate": "0"}, 1000, 0),
        ({"startdate": "1000", "enddate": "1000"}, 1000, 1000),
        ({"startdate": "1000", "enddate": "2000"}, 1000, 2000),
        ({}, MIDNIGHT, MIDNIGHT + YEAR_SECONDS),
        ({"enddate": "0"}, MIDNIGHT, 0),
    ],
)
def test_dates_that_are_not_sent_have_defaults(
    moodle: MoodleSandbox, client: MoodleClient, sent: dict[str, str], start: int, end: int
) -> None:
    client.create(sent)

    [course] = moodle.courses
    assert (course["startdate"], course["enddate"]) == (start, end)


def test_a_summary_of_a_megabyte_is_accepted(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"summary": "x" * 1_000_000})

    assert len(moodle.courses[0]["summary"]) == 1_000_000


@pytest.mark.parametrize(
    "name",
    ["a < b", "Q&A", "Q &amp; A", "Emoji 🎓", "Tab\there", "\x07bell", " outer spaces ", "a > b", '"', "a <\nb"],
)
def test_names_that_are_plain_text_are_stored_unchanged(moodle: MoodleSandbox, client: MoodleClient, name: str) -> None:
    client.create({"fullname": name, "shortname": name})

    [course] = moodle.courses
    assert (course["fullname"], course["shortname"]) == (name, name)


@pytest.mark.parametrize("field", ["fullname", "shortname"])
@pytest.mark.parametrize("name", ["<b>x</b>", "a <b c", "<3 love", "less than <", "</p>", "nul\0", "a <\xa0b"])
def test_names_that_cleaning_would_change_fail_the_whole_batch(
    moodle: MoodleSandbox, client: MoodleClient, field: str, name: str
) -> None:
    reply = client.create({"shortname": "good"}, {field: name})

    assert reply["errorcode"] == "invalidparameter"
    assert moodle.courses == []


@pytest.mark.parametrize(
    "fields",
    [
        {"visible": "true"},
        {"visible": "2"},
        {"visible": ""},
        {"startdate": "2026-01-01"},
        {"startdate": "1.5"},
        {"enddate": ""},
        {"enddate": " 5"},
        {"categoryid": "01"},
        {"categoryid": "9223372036854775808"},
        {"colour": "red"},
        {"id": "5"},
        {"customfields": "no array"},
    ],
)
def test_values_of_the_wrong_type_and_unknown_keys_are_invalid(
    moodle: MoodleSandbox, client: MoodleClient, fields: dict[str, str]
) -> None:
    assert client.create(fields) == INVALID_PARAMETER
    assert moodle.courses == []


def test_an_array_in_place_of_a_text_is_invalid(client: MoodleClient) -> None:
    fields = {**numbered(new_course()), "courses[0][fullname][0]": "x"}

    assert client.call("core_course_create_courses", fields) == INVALID_PARAMETER


@pytest.mark.parametrize("field", ["fullname", "shortname", "categoryid"])
def test_a_required_field_is_missing(client: MoodleClient, field: str) -> None:
    course = {name: value for name, value in new_course().items() if name != field}

    assert client.call("core_course_create_courses", numbered(course))["errorcode"] == "invalidparameter"


@pytest.mark.parametrize("fields", [{}, {"courses": ""}, {"courses[]": ""}, {"courses[0]": "x"}])
def test_an_empty_list_is_invalid(client: MoodleClient, fields: dict[str, str]) -> None:
    assert client.call("core_course_create_courses", fields)["errorcode"] == "invalidparameter"


def test_a_key_outside_of_the_list_is_invalid(client: MoodleClient) -> None:
    reply = client.call("core_course_create_courses", {**numbered(new_course()), "dryrun": "1"})

    assert reply["errorcode"] == "invalidparameter"


@pytest.mark.parametrize("field", ["fullname", "shortname", "idnumber", "summary"])
def test_bytes_that_are_not_utf_8_are_invalid(client: MoodleClient, field: str) -> None:
    fields = "&".join(f"courses[0][{name}]={value}" for name, value in {**new_course(), field: "%FF"}.items())
    answer = client.http.post(
        f"/{REST_PAGE}",
        params=control("core_course_create_courses"),
        content=fields,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert answer.json() == INVALID_PARAMETER


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"shortname": "edX+DemoX+1T2026"},
            moodle_error("shortnametaken", "Short name is already used for another course (edX+DemoX+1T2026)"),
        ),
        (
            {"idnumber": "course-v1:edX+DemoX+1T2026"},
            moodle_error(
                "courseidnumbertaken",
                "ID number is already used for another course (course-v1:edX+DemoX+1T2026)",
            ),
        ),
        ({"shortname": ""}, moodle_error("errorinvalidparam", 'The param "shortname" is invalid.')),
        ({"fullname": " \t"}, moodle_error("errorinvalidparam", 'The param "fullname" is invalid.')),
        ({"lang": "tlh"}, moodle_error("errorinvalidparam", 'The param "lang" is invalid.')),
        (
            {"categoryid": "999"},
            moodle_error(
                "errorcatcontextnotvalid",
                "You cannot execute functions in the category context (category id:999). "
                "The context error message was: Invalid parameter value detected",
            ),
        ),
        (
            {"startdate": "2000", "enddate": "1999"},
            moodle_error("enddatebeforestartdate", "The course end date must be after the start date."),
        ),
        (
            {"enddate": "2000"},
            moodle_error("nostartdatenoenddate", "A course end date can only be set if a start date is also set."),
        ),
        (
            {"idnumber": "x" * 101},
            {
                "exception": "dml_write_exception",
                "errorcode": "dmlwriteexception",
                "message": "Error writing to database",
            },
        ),
    ],
    ids=lambda value: value.get("errorcode"),
)
def test_one_refused_course_undoes_the_batch(
    moodle: MoodleSandbox, client: MoodleClient, fields: dict[str, str], error: dict[str, str]
) -> None:
    client.create({"shortname": "edX+DemoX+1T2026", "idnumber": "course-v1:edX+DemoX+1T2026"})

    assert client.create({"shortname": "good"}, {"shortname": "bad", **fields}) == error

    assert [course["shortname"] for course in moodle.courses] == ["edX+DemoX+1T2026"]


def test_a_duplicate_within_the_batch_undoes_it(moodle: MoodleSandbox, client: MoodleClient) -> None:
    assert client.create({"shortname": "twin"}, {"shortname": "TWIN"})["errorcode"] == "shortnametaken"

    assert moodle.courses == []
    assert client.create({"shortname": "twin"})[0]["shortname"] == "twin"


@pytest.mark.parametrize("twin", ["THIRD", "thìrd", "third ", "thi\u0301rd"])
def test_names_that_the_database_takes_for_the_same_are_duplicates(client: MoodleClient, twin: str) -> None:
    client.create({"shortname": "third", "idnumber": "third"})

    assert client.create({"shortname": twin})["errorcode"] == "shortnametaken"
    assert client.create({"shortname": "other", "idnumber": twin})["errorcode"] == "courseidnumbertaken"


def test_any_number_of_courses_may_lack_an_id_number(client: MoodleClient) -> None:
    reply = client.create({"shortname": "a", "idnumber": ""}, {"shortname": "b"})

    assert [course["id"] for course in reply] == [2, 3]


@pytest.mark.parametrize(("field", "limit"), [("fullname", 254), ("shortname", 255), ("idnumber", 100)])
def test_values_fit_up_to_the_limit_in_characters(client: MoodleClient, field: str, limit: int) -> None:
    assert client.create({field: "é" * (limit + 1)})["errorcode"] == "dmlwriteexception"
    assert len(client.create({field: "é" * limit})) == 1


def test_a_later_moodle_takes_longer_full_names(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.fullname_limit = 1333

    assert len(client.create({"fullname": "x" * 1333})) == 1


def test_without_the_right_to_create(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.capabilities = without("create")

    assert client.create({}) == {
        "exception": "core\\exception\\required_capability_exception",
        "errorcode": "nopermissions",
        "message": "Sorry, but you do not currently have permissions to do that (Create courses).",
    }


def test_an_unknown_format_is_accepted(client: MoodleClient) -> None:
    assert len(client.create({"format": "no-such-format"})) == 1
