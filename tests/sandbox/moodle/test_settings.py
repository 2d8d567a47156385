"""Access control of the sandbox Moodle: site, service and account."""

from __future__ import annotations

from typing import Any

import pytest

from enterprise_catalog.sandbox.moodle.settings import TOKEN, SiteState
from enterprise_catalog.sandbox.moodle.web_service import LOGIN_PAGE, REST_PAGE, MoodleSandbox
from tests.sandbox.moodle.client import (
    INVALID_PARAMETER,
    INVALID_TOKEN,
    MOODLE,
    MoodleClient,
    control,
    new_course,
    numbered,
)

SEARCH = "core_course_get_courses_by_field"
NO_ACCESS = {
    "exception": "webservice_access_exception",
    "errorcode": "accessexception",
    "message": "Access control exception",
}


@pytest.mark.parametrize("token", ["wrong", "", TOKEN.upper()])
def test_a_wrong_token(client: MoodleClient, token: str) -> None:
    assert client.post(control(SEARCH, token=token)).json() == INVALID_TOKEN


def test_no_token(client: MoodleClient) -> None:
    assert client.post({"wsfunction": SEARCH, "moodlewsrestformat": "json"}).json() == INVALID_TOKEN


def test_an_expired_token_is_deleted_by_its_first_use(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.expire_tokens()

    assert client.call(SEARCH) == NO_ACCESS
    assert client.call(SEARCH) == INVALID_TOKEN
    assert moodle.tokens == {}


@pytest.mark.parametrize(
    "knobs", [{"functions": {"core_course_get_courses"}}, {"service_enabled": False}, {"capabilities": set()}]
)
def test_reasons_for_an_access_exception_cannot_be_distinguished(knobs: dict[str, Any]) -> None:
    client = MoodleClient(MoodleSandbox(**knobs))

    assert client.call(SEARCH) == NO_ACCESS


def test_an_unknown_function(client: MoodleClient) -> None:
    assert client.call("core_course_frobnicate") == {
        "exception": "dml_missing_record_exception",
        "errorcode": "invalidrecord",
        "message": "Can't find data record in database table external_functions.",
    }


def test_no_function(client: MoodleClient) -> None:
    assert client.post({"wstoken": TOKEN, "moodlewsrestformat": "json"}).json() == INVALID_PARAMETER


def test_a_suspended_user(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.suspended = True
    moodle.username = "norights"

    assert client.call(SEARCH) == {
        "exception": MOODLE,
        "errorcode": "wsaccessusersuspended",
        "message": "Refused web service access for suspended username: norights",
    }


def test_debugging_shows_the_problem_of_a_parameter() -> None:
    client = MoodleClient(MoodleSandbox(debug=True))

    reply = client.create({"fullname": "<b>x</b>"})

    assert reply == {
        **INVALID_PARAMETER,
        "debuginfo": "courses => 0 => fullname: Value error, Tags are not accepted.",
    }


def test_the_database_is_down(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.state = SiteState.DATABASE_DOWN

    answer = client.post(control(SEARCH))

    body = answer.json()
    assert (answer.status_code, body["errorcode"]) == (200, "dbconnectionfailed")
    assert body["exception"] == "dml_connection_exception"
    assert body["message"].startswith("<p>Error: Database connection failed")


def test_an_upgrade_is_running(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.state = SiteState.UPGRADING

    assert client.call(SEARCH) == {
        "exception": MOODLE,
        "errorcode": "upgraderunning",
        "message": "Site is being upgraded, please retry later.",
    }


def test_web_maintenance_keeps_everybody_out(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.state = SiteState.WEB_MAINTENANCE

    assert client.create({}) == {
        "exception": MOODLE,
        "errorcode": "sitemaintenance",
        "message": "The site is undergoing maintenance and is currently not available",
    }
    assert client.log_in()["errorcode"] == "sitemaintenance"


def test_web_maintenance_lets_an_administrator_create(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.state = SiteState.WEB_MAINTENANCE
    moodle.is_admin = True

    assert client.create({}) == [{"id": 2, "shortname": "Data for All (DATA101)"}]


@pytest.mark.parametrize("page", [REST_PAGE, LOGIN_PAGE])
def test_cli_maintenance_is_an_html_page(page: str) -> None:
    client = MoodleClient(MoodleSandbox(state=SiteState.CLI_MAINTENANCE, is_admin=True))

    answer = client.http.post(f"/{page}", data=control(SEARCH))

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")


def test_web_services_off_is_an_empty_page(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.state = SiteState.WEB_SERVICES_OFF

    answer = client.post(control(SEARCH))

    assert (answer.status_code, answer.content) == (403, b"")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_another_host_is_sent_to_the_right_one() -> None:
    moodle = MoodleSandbox(wwwroot="http://moodle.test:8000/lms")
    client = MoodleClient(moodle, base_url="http://localhost:8000/lms")

    answer = client.post({**numbered(new_course()), **control("core_course_create_courses")})

    assert (answer.status_code, answer.headers["X-Redirect-By"]) == (303, "Moodle")
    assert answer.headers["Location"] == "http://moodle.test:8000/lms/webservice/rest/server.php"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert moodle.courses == []


def test_following_the_redirect_loses_the_parameters() -> None:
    moodle = MoodleSandbox(wwwroot="http://moodle.test")
    client = MoodleClient(moodle, base_url="http://localhost")

    answer = client.http.post(f"/{REST_PAGE}", data=control(SEARCH), follow_redirects=True)

    assert answer.request.method == "GET"
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in answer.text


@pytest.mark.parametrize("wwwroot", [None, "http://moodle.test/lms"])
def test_the_right_host_is_served(wwwroot: str | None) -> None:
    client = MoodleClient(MoodleSandbox(wwwroot=wwwroot), base_url=wwwroot or "http://anything.test:81")

    assert client.call(SEARCH, {"field": "id", "value": "99"}) == {"courses": [], "warnings": []}
