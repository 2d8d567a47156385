"""Moodle's errors, HTML pages and malformed responses, and the channel's authentication."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.moodle.auth import MoodleCredentials
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RejectedForNowError,
    RetryableError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.settings import SiteState
from enterprise_catalog.sandbox.moodle.web_service import LOGIN_PAGE, MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import BY_PASSWORD, BY_TOKEN, connected, outgoing
from tests.sandbox.moodle.client import without

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.moodle.settings import MoodleSite

LOOK_UP = "core_course_get_courses_by_field"
CREATE = "core_course_create_courses"
WRONG_TOKEN = MoodleCredentials(token=SecretStr("f" * 32))


def _write_error(debuginfo: str | None) -> str:
    return json.dumps({"errorcode": "dmlwriteexception", "message": "No.", "debuginfo": debuginfo})


@pytest.fixture
def moodle() -> MoodleSandbox:
    moodle = MoodleSandbox()
    moodle.table.add(Course(fullname="Taken", shortname="Taken", idnumber="taken", categoryid=1))
    return moodle


def failure_of_create(moodle: MoodleSandbox, *, credentials: MoodleCredentials = BY_TOKEN, **fields: Any) -> SyncError:
    """Return the error raised by a create of one course; ``fields`` replace fields of its payload."""
    with pytest.raises(SyncError) as raised:
        connected(moodle, credentials=credentials).create([outgoing("A", **fields)])
    return raised.value


def json_answer(body: str, *, operation: str = "*", times: int | None = 1) -> Fault:
    return Fault(
        kind=FaultKind.ANSWER, operation=operation, status=200, body=body, content_type="application/json", times=times
    )


@pytest.mark.parametrize(
    ("knobs", "error", "code"),
    [
        ({"functions": frozenset()}, CredentialsError, "accessexception"),
        ({"service_enabled": False}, CredentialsError, "accessexception"),
        ({"suspended": True}, CredentialsError, "wsaccessusersuspended"),
        ({"capabilities": without("create")}, CredentialsError, "nopermissions"),
        ({"category_ids": frozenset({4})}, ConfigurationError, "errorcatcontextnotvalid"),
        ({"must_change_password": True}, ConfigurationError, "errorcatcontextnotvalid"),
        ({"state": SiteState.DATABASE_DOWN}, RetryableError, "dbconnectionfailed"),
        ({"state": SiteState.UPGRADING}, RetryableError, "upgraderunning"),
        ({"state": SiteState.WEB_MAINTENANCE}, RetryableError, "sitemaintenance"),
        ({"state": SiteState.CLI_MAINTENANCE}, RetryableError, ""),
        ({"state": SiteState.WEB_SERVICES_OFF}, CredentialsError, ""),
        ({"fullname_limit": 10}, RejectedForNowError, "dmlwriteexception"),
        ({"fullname_limit": 10, "debug": True}, RejectedError, "dmlwriteexception"),
    ],
)
def test_the_state_of_a_site_decides_what_to_do(
    moodle: MoodleSite, knobs: dict[str, object], error: type[SyncError], code: str
) -> None:
    for name, value in knobs.items():
        setattr(moodle, name, value)
    assert isinstance(moodle, MoodleSandbox)

    raised = failure_of_create(moodle)

    assert (type(raised), raised.vendor_code) == (error, code)
    assert [course["idnumber"] for course in moodle.courses] == ["taken"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"fullname": "<b>"}, "invalidparameter"),
        ({"fullname": None}, "invalidparameter"),
        ({"colour": "red"}, "invalidparameter"),
        ({"shortname": ""}, "errorinvalidparam"),
        ({"startdate": 2, "enddate": 1}, "enddatebeforestartdate"),
        ({"startdate": 0, "enddate": 1}, "nostartdatenoenddate"),
    ],
)
def test_what_moodle_has_against_a_course_refuses_the_course(
    moodle: MoodleSandbox, fields: dict[str, Any], code: str
) -> None:
    raised = failure_of_create(moodle, **fields)

    assert (type(raised), raised.vendor_code, raised.status_code) == (RejectedError, code, 200)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (
            '{"exception": "dml_missing_record_exception", "errorcode": "invalidrecord", "message": "No function."}',
            ConfigurationError,
            "Moodle: No function.",
        ),
        ('{"exception": "Error", "message": "PHP tripped"}', RejectedError, "Moodle: PHP tripped"),
        ('{"exception": "Error", "errorcode": null, "message": null}', RejectedError, "Moodle: Error"),
        ('{"errorcode": "sessiontimeout"}', RetryableError, "Moodle: an error without a message"),
        ('{"exception": ["not", "a text"]}', RetryableError, "an unexpected response"),
        (_write_error("Lock wait timeout exceeded; try restarting transaction"), RetryableError, "Moodle: No."),
        (_write_error("ERROR:  deadlock detected"), RetryableError, "Moodle: No."),
        (_write_error("Data too long for column 'idnumber' at row 1"), RejectedError, "Moodle: No."),
        (_write_error("Got error 28 from storage engine"), RejectedForNowError, "Moodle: No."),
        (_write_error(None), RejectedForNowError, "Moodle: No."),
        ('{"exception": "x", "errorcode": "wsaccessuserexpired", "message": "m"}', CredentialsError, "Moodle: m"),
    ],
)
def test_errors_that_the_sandbox_does_not_play(
    moodle: MoodleSandbox, body: str, error: type[SyncError], message: str
) -> None:
    moodle.faults.add(json_answer(body))

    raised = failure_of_create(moodle)

    assert type(raised) is error
    assert message in raised.message


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
def test_a_connection_that_breaks_may_work_later(moodle: MoodleSandbox, kind: FaultKind) -> None:
    moodle.faults.add(Fault(kind=kind))

    raised = failure_of_create(moodle)

    assert type(raised) is RetryableError
    assert "connection" in raised.message


@pytest.mark.parametrize("body", ["<html>Back soon</html>", "", "Warning: something {", '[{"id": 2, "shortn'])
def test_an_answer_that_is_not_json_may_be_one_later(moodle: MoodleSandbox, body: str) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=body))

    raised = failure_of_create(moodle)

    assert type(raised) is RetryableError
    described = {"": "it is empty", "<html>Back soon</html>": "an HTML page: “Back soon”"}.get(body, body)
    assert raised.message == f"The LMS's response is not JSON: {described}"


def test_a_message_of_moodle_holds_no_markup(moodle: MoodleSandbox) -> None:
    moodle.state = SiteState.DATABASE_DOWN

    raised = failure_of_create(moodle)

    assert raised.message.startswith("Moodle: Error: Database connection failed It is possible that the database is")


def test_a_maintenance_page_is_named_by_its_title(moodle: MoodleSandbox) -> None:
    moodle.state = SiteState.CLI_MAINTENANCE

    raised = failure_of_create(moodle)

    assert raised.message == ("The LMS returned 503: an HTML page: “503 This site is undergoing maintenance”")


def test_a_database_that_is_locked_at_log_in_may_be_free_later(moodle: MoodleSandbox) -> None:
    moodle.faults.add(json_answer(_write_error("Lock wait timeout exceeded"), operation=LOGIN_PAGE))

    raised = failure_of_create(moodle, credentials=BY_PASSWORD)

    assert (type(raised), raised.vendor_code) == (RetryableError, "dmlwriteexception")


def test_too_many_requests_pass_on_how_long_to_wait(moodle: MoodleSandbox) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=429, retry_after="7"))

    raised = failure_of_create(moodle)

    assert isinstance(raised, ThrottledError)
    assert raised.retry_after_seconds == 7


def test_web_services_that_are_switched_off_are_named() -> None:
    raised = failure_of_create(MoodleSandbox(state=SiteState.WEB_SERVICES_OFF))

    assert raised.message == "Moodle returned 403: web services or the REST protocol are disabled. Enable both."


def test_a_redirect_is_not_followed_and_its_target_is_reported() -> None:
    moodle = MoodleSandbox(wwwroot="http://moodle.test:8000/lms")
    channel = connected(moodle, base_url="http://localhost:8000/lms")

    with pytest.raises(ConfigurationError, match=r"redirects to http://moodle\.test:8000/lms/webservice/rest/server"):
        channel.create([outgoing("A")])

    assert moodle.calls == {CREATE: 1}
    assert moodle.courses == []


@pytest.mark.parametrize("credentials", [BY_TOKEN, BY_PASSWORD])
def test_a_wrong_address_is_a_fault_of_the_configuration(moodle: MoodleSandbox, credentials: MoodleCredentials) -> None:
    channel = connected(moodle, credentials=credentials, base_url="http://moodle.test/no/moodle")

    with pytest.raises(ConfigurationError, match="The base URL has no Moodle web service"):
        channel.find(["A"])


def test_a_request_that_a_proxy_finds_too_large_refuses_its_items(moodle: MoodleSandbox) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=413))

    raised = failure_of_create(moodle)

    assert (type(raised), raised.status_code) == (RejectedError, 413)


# --- logging in -----------------------------------------------------------------------------------------------------


def test_it_logs_in_once_for_many_calls(moodle: MoodleSandbox) -> None:
    channel = connected(moodle, credentials=BY_PASSWORD)

    channel.find(["A", "B", "taken"])

    assert moodle.calls == {LOGIN_PAGE: 1, LOOK_UP: 3}


def test_it_logs_in_again_when_the_token_was_taken_away(moodle: MoodleSandbox) -> None:
    channel = connected(moodle, credentials=BY_PASSWORD)
    channel.find(["A"])
    moodle.tokens.clear()

    assert channel.find(["taken"]) == {"taken": "2"}
    assert moodle.calls == {LOGIN_PAGE: 2, LOOK_UP: 3}


def test_it_logs_in_again_when_the_token_has_expired(moodle: MoodleSandbox) -> None:
    channel = connected(moodle, credentials=BY_PASSWORD)
    channel.find(["A"])
    moodle.expire_tokens()

    assert channel.find(["taken"]) == {"taken": "2"}
    assert moodle.calls == {LOGIN_PAGE: 2, LOOK_UP: 3}


@pytest.mark.parametrize("code", ["invalidtoken", "accessexception"])
def test_the_number_of_logins_is_limited(moodle: MoodleSandbox, code: str) -> None:
    body = f'{{"exception": "x", "errorcode": "{code}", "message": "m"}}'
    moodle.faults.add(json_answer(body, operation=LOOK_UP, times=None))

    with pytest.raises(CredentialsError):
        connected(moodle, credentials=BY_PASSWORD).find(["A"])

    assert moodle.calls == {LOGIN_PAGE: 2, LOOK_UP: 2}


def test_a_given_token_that_is_wrong_is_not_tried_twice(moodle: MoodleSandbox) -> None:
    raised = failure_of_create(moodle, credentials=WRONG_TOKEN)

    assert (type(raised), raised.vendor_code) == (CredentialsError, "invalidtoken")
    assert moodle.calls == {CREATE: 1}


@pytest.mark.parametrize(
    ("knobs", "error", "code"),
    [
        ({"password": "changed"}, CredentialsError, "invalidlogin"),
        ({"suspended": True}, CredentialsError, "invalidlogin"),
        ({"service": "another"}, CredentialsError, "servicenotavailable"),
        ({"state": SiteState.WEB_SERVICES_OFF}, CredentialsError, "enablewsdescription"),
        ({"state": SiteState.WEB_MAINTENANCE}, RetryableError, "sitemaintenance"),
        ({"state": SiteState.DATABASE_DOWN}, RetryableError, "dbconnectionfailed"),
        ({"state": SiteState.CLI_MAINTENANCE}, RetryableError, ""),
    ],
)
def test_a_log_in_that_fails_is_never_the_fault_of_an_item(
    moodle: MoodleSandbox, knobs: dict[str, object], error: type[SyncError], code: str
) -> None:
    for name, value in knobs.items():
        setattr(moodle, name, value)

    raised = failure_of_create(moodle, credentials=BY_PASSWORD)

    assert (type(raised), raised.vendor_code) == (error, code)
    assert CREATE not in moodle.calls


def test_a_log_in_refused_for_an_unknown_reason_is_no_fault_of_an_item_either(moodle: MoodleSandbox) -> None:
    moodle.faults.add(json_answer('{"error": "Agree first", "errorcode": "sitepolicynotagreed"}', operation=LOGIN_PAGE))

    raised = failure_of_create(moodle, credentials=BY_PASSWORD)

    assert type(raised) is CredentialsError
    assert raised.message == ("Moodle: Agree first. Log in to Moodle as this account and agree to the site policy.")


@pytest.mark.parametrize("body", ['{"token": ""}', '{"token": null}', "{}", "[]", "null", '{"token": 5}'])
def test_a_log_in_page_without_a_token_may_have_one_later(moodle: MoodleSandbox, body: str) -> None:
    moodle.faults.add(json_answer(body, operation=LOGIN_PAGE))

    assert type(failure_of_create(moodle, credentials=BY_PASSWORD)) is RetryableError
