"""The sandbox Moodle's wire format, its control pages, and PHP's truncation of long requests."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import pytest

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.settings import TOKEN
from enterprise_catalog.sandbox.moodle.web_service import REST_PAGE, MoodleSandbox
from enterprise_catalog.sandbox.registry import SANDBOXES
from tests.sandbox.moodle.client import (
    INVALID_PARAMETER,
    INVALID_TOKEN,
    MoodleClient,
    control,
    new_course,
    numbered,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SEARCH = "core_course_get_courses_by_field"


def batch(size: int) -> dict[str, str]:
    """Return the form fields of ``size`` courses, nine fields each."""
    more = {"idnumber": "", "summary": "", "summaryformat": "1", "visible": "1", "startdate": "86400", "enddate": "0"}
    return numbered(*({**new_course(), "shortname": f"short {number}", **more} for number in range(size)))


def test_the_registry_makes_a_site_that_its_own_credentials_open() -> None:
    sandbox = SANDBOXES["MOODLE"]()

    assert isinstance(sandbox, MoodleSandbox)
    assert sandbox.channel_credentials() == {"token": TOKEN}
    assert sandbox.channel_settings() == {"category_id": 1}
    assert MoodleClient(sandbox).create({}) == [{"id": 2, "shortname": "Data for All (DATA101)"}]


def test_a_reply_in_json(client: MoodleClient) -> None:
    answer = client.post({"field": "id", "value": "99", **control(SEARCH)})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"courses": [], "warnings": []}


@pytest.mark.parametrize("rest_format", [{}, {"moodlewsrestformat": "xml"}, {"moodlewsrestformat": "yaml"}])
def test_a_response_is_xml_unless_json_is_requested(client: MoodleClient, rest_format: Mapping[str, str]) -> None:
    fields = {**numbered({**new_course(), "shortname": "Q & A"}), **control("core_course_create_courses")}
    del fields["moodlewsrestformat"]

    answer = client.post({**fields, **rest_format})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    keys = ET.fromstring(answer.content).findall("MULTIPLE/SINGLE/KEY")
    assert {key.get("name"): key.findtext("VALUE") for key in keys} == {"id": "2", "shortname": "Q & A"}


def test_an_error_in_xml(client: MoodleClient) -> None:
    answer = client.post({"wstoken": "wrong", "wsfunction": SEARCH})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        '<EXCEPTION class="core\\exception\\moodle_exception">\n'
        "<ERRORCODE>invalidtoken</ERRORCODE>\n"
        "<MESSAGE>Invalid token - token not found</MESSAGE>\n"
        "</EXCEPTION>\n"
    )


def test_get_and_multipart_work_too(client: MoodleClient) -> None:
    fields = {"field": "id", "value": "1", **control(SEARCH)}

    got = client.http.get(f"/{REST_PAGE}", params=fields).json()
    posted = client.http.post(f"/{REST_PAGE}", files={name: (None, value) for name, value in fields.items()}).json()

    assert [course["id"] for course in got["courses"]] == [1]
    assert posted == got


def test_a_json_body_is_not_read(client: MoodleClient) -> None:
    answer = client.http.post(
        f"/{REST_PAGE}", params=control("core_course_create_courses"), json={"courses": [new_course()]}
    )

    assert answer.json() == INVALID_PARAMETER


def test_an_authorization_header_is_ignored(client: MoodleClient) -> None:
    fields = {"wsfunction": SEARCH, "moodlewsrestformat": "json"}

    answer = client.http.post(f"/{REST_PAGE}", data=fields, headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.json() == INVALID_TOKEN


@pytest.mark.parametrize("index", ["0", "7", "x", "edX+DemoX"])
def test_indices_may_be_sparse_or_no_numbers(client: MoodleClient, index: str) -> None:
    fields = {f"courses[{index}][{name}]": value for name, value in new_course().items()}

    assert [course["id"] for course in client.call("core_course_create_courses", fields)] == [2]


def test_empty_brackets_start_a_new_course_at_each_field(client: MoodleClient) -> None:
    fields = {f"courses[][{name}]": value for name, value in new_course().items()}

    assert client.call("core_course_create_courses", fields) == INVALID_PARAMETER


def test_empty_brackets_work_for_a_plain_list(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({}, {"shortname": "other"})
    body = f"courseids[]=2&courseids[]=3&{urlencode(control('core_course_delete_courses'))}"

    answer = client.http.post(
        f"/{REST_PAGE}", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.json() == {"warnings": []}
    assert moodle.courses == []


def test_deeper_arrays_are_read(client: MoodleClient) -> None:
    deeper = {"courses[0][customfields][0][shortname]": "tier", "courses[0][customfields][0][value]": "gold"}

    reply = client.call("core_course_create_courses", {**numbered(new_course()), **deeper})

    assert reply == [{"id": 2, "shortname": "Data for All (DATA101)"}]


@pytest.mark.parametrize("path", ["/", "/webservice/rest/", "/webservice/soap/server.php", "/moodle/login/token.php"])
def test_an_unknown_path_is_an_html_page(client: MoodleClient, path: str) -> None:
    answer = client.http.post(path, data=control(SEARCH))

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "404 Not Found" in answer.text


def test_control_parameters_first_lose_courses_without_a_word(moodle: MoodleSandbox, client: MoodleClient) -> None:
    reply = client.post({**control("core_course_create_courses"), **batch(200)}).json()

    assert len(reply) == 111
    assert [course["enddate"] for course in moodle.courses] == [0] * 110 + [86400 + 365 * 86400]


def test_control_parameters_last_lose_the_token(moodle: MoodleSandbox, client: MoodleClient) -> None:
    answer = client.post({**batch(200), **control("core_course_create_courses")})

    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in answer.text
    assert moodle.courses == []


def test_one_variable_past_the_limit_gets_through(moodle: MoodleSandbox, client: MoodleClient) -> None:
    fields = {**batch(3), **control("core_course_create_courses")}
    moodle.max_input_vars = len(fields) - 1

    assert len(client.post(fields).json()) == 3


def test_two_past_it_only_the_format_is_lost_and_the_work_is_done(moodle: MoodleSandbox, client: MoodleClient) -> None:
    fields = {**batch(3), **control("core_course_create_courses")}
    moodle.max_input_vars = len(fields) - 2

    answer = client.post(fields)

    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.text.count("<SINGLE>") == len(moodle.courses) == 3


def test_a_limit_that_is_high_enough_cuts_nothing(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.max_input_vars = 20_000

    assert len(client.post({**batch(200), **control("core_course_create_courses")}).json()) == 200


def test_content_is_every_course_but_the_sites_own(moodle: MoodleSandbox, client: MoodleClient) -> None:
    client.create({"idnumber": "DATA101", "summary": "<p>Hi</p>", "startdate": "86400", "enddate": "0"})

    record = {
        "id": 2,
        "shortname": "Data for All (DATA101)",
        "fullname": "Data for All",
        "idnumber": "DATA101",
        "summary": "<p>Hi</p>",
        "categoryid": 1,
        "startdate": 86400,
        "enddate": 0,
        "visible": 1,
    }
    assert client.http.get("/_sandbox/content").json() == [record]
    assert moodle.courses == [record]


def test_what_is_offered_is_every_visible_course(client: MoodleClient) -> None:
    client.create({"idnumber": "a", "shortname": "a"}, {"idnumber": "b", "shortname": "b", "visible": "0"})

    assert client.http.get("/_sandbox/offered").json() == {"a": "Data for All"}


def test_calls_are_counted_by_function(client: MoodleClient) -> None:
    client.create({})
    client.call(SEARCH)
    client.call(SEARCH)
    client.log_in()

    assert client.http.get("/_sandbox/calls").json() == {
        "core_course_create_courses": 1,
        "core_course_get_courses_by_field": 2,
        "login/token.php": 1,
    }


def test_reset_brings_the_published_token_back_and_keeps_knobs(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.debug = True
    moodle.table.add(Course(shortname="left over", fullname="Left over", categoryid=1))
    moodle.expire_tokens()

    client.http.post("/_sandbox/reset")

    assert (moodle.courses, moodle.tokens, moodle.debug) == ([], {TOKEN: None}, True)


def test_a_create_whose_answer_is_lost_has_happened(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.faults.add(Fault(kind=FaultKind.DROP, operation="core_course_create_courses"))

    with pytest.raises(httpx.RemoteProtocolError):
        client.create({"idnumber": "DATA101"})

    assert client.create({"idnumber": "DATA101"})["errorcode"] == "shortnametaken"
    assert client.found_ids("idnumber", "DATA101") == [2]


def test_a_fault_over_http_strikes_one_function(client: MoodleClient) -> None:
    faults = [{"kind": "answer", "operation": "core_course_update_courses", "status": 503}]
    client.http.post("/_sandbox/faults", content=json.dumps(faults))

    assert client.found_ids("id", "1") == [1]
    assert client.post(control("core_course_update_courses")).status_code == 503
