"""The sandbox Moodle's login page, which issues tokens."""

from __future__ import annotations

from typing import Any

import pytest

from enterprise_catalog.sandbox.moodle.settings import PASSWORD, SERVICE, TOKEN, USERNAME, SiteState
from enterprise_catalog.sandbox.moodle.web_service import LOGIN_PAGE, TOKEN_LIFETIME_SECONDS, MoodleSandbox
from tests.sandbox.moodle.client import MoodleClient, control

SEARCH = "core_course_get_courses_by_field"
NOW = 1_795_400_000.0


@pytest.fixture
def moodle() -> MoodleSandbox:
    return MoodleSandbox(clock=lambda: NOW)


def test_it_returns_the_published_token(client: MoodleClient) -> None:
    assert client.log_in() == {"token": TOKEN, "privatetoken": None}


def test_the_service_may_be_in_the_query(client: MoodleClient) -> None:
    answer = client.http.post(
        f"/{LOGIN_PAGE}?service={SERVICE}", data={"username": f" {USERNAME.upper()} ", "password": PASSWORD}
    )

    assert answer.json()["token"] == TOKEN


def test_an_expired_token_is_replaced_by_one_of_twelve_weeks(moodle: MoodleSandbox, client: MoodleClient) -> None:
    moodle.expire_tokens()

    token = client.log_in()["token"]

    assert moodle.tokens == {token: NOW + TOKEN_LIFETIME_SECONDS}
    assert token != TOKEN
    assert client.post({"field": "id", "value": "9", **control(SEARCH, token=token)}).json()["courses"] == []


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"password": "wrong"}, "invalidlogin", "Invalid login, please try again"),
        ({"username": "unknown"}, "invalidlogin", "Invalid login, please try again"),
        (
            {"service": "wrong"},
            "servicenotavailable",
            "Web service is not available (it doesn't exist or might be disabled)",
        ),
    ],
)
def test_a_failure_is_http_200(client: MoodleClient, fields: dict[str, str], code: str, message: str) -> None:
    nothing = {"stacktrace": None, "debuginfo": None, "reproductionlink": None}

    assert client.log_in(**fields) == {"error": message, "errorcode": code, **nothing}


def test_a_missing_field(client: MoodleClient) -> None:
    body = client.http.post(f"/{LOGIN_PAGE}", data={"username": USERNAME, "service": SERVICE}).json()

    assert (body["errorcode"], body["error"]) == ("missingparam", "A required parameter (password) was missing")


@pytest.mark.parametrize(
    ("knobs", "code"),
    [
        ({"suspended": True}, "invalidlogin"),
        ({"service_enabled": False}, "servicenotavailable"),
        ({"state": SiteState.WEB_SERVICES_OFF}, "enablewsdescription"),
        ({"state": SiteState.DATABASE_DOWN}, "dbconnectionfailed"),
        ({"state": SiteState.UPGRADING}, "upgraderunning"),
    ],
)
def test_no_token_is_handed_out_when(knobs: dict[str, Any], code: str) -> None:
    client = MoodleClient(MoodleSandbox(**knobs))

    assert client.log_in()["errorcode"] == code
