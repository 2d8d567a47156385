"""The sandbox SAP SuccessFactors: logins, valid imports, and the import window."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.protocols.saml import Claims, signed_assertion
from enterprise_catalog.sandbox.registry import SANDBOXES
from enterprise_catalog.sandbox.sap.api import (
    AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    COMPANY_ID,
    IMPORT,
    SAML_ENDPOINT,
    SAML_GRANT,
    SAP_WINDOW_MS,
    TOKEN_LIFETIME_SECONDS,
    TOKEN_SERVER,
    USER_ID,
    BadItem,
    SAPSandbox,
)
from tests.sandbox.sap.keys import a_key_pair

URL = "http://sap.test"
SCOPE = {"userId": USER_ID, "companyId": COMPANY_ID, "userType": "admin", "resourceType": "learning_public_api"}


class Clock:
    """A clock in epoch seconds that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


class SAPClient:
    """Calls ``sap`` in-process; returns raw responses."""

    def __init__(self, sap: SAPSandbox) -> None:
        self.http = httpx.Client(transport=httpx.WSGITransport(app=sap), base_url=URL)

    def log_in(self, *, secret: str = CLIENT_SECRET, grant: str = "client_credentials", **scope: str) -> httpx.Response:
        body = {"grant_type": grant, "scope": SCOPE | scope}
        return self.http.post(TOKEN_SERVER, json=body, auth=(CLIENT_ID, secret))

    def hand_in(self, assertion: bytes, **form: str) -> httpx.Response:
        right = {"company_id": COMPANY_ID, "client_id": CLIENT_ID, "grant_type": SAML_GRANT}
        return self.http.post(SAML_ENDPOINT, data=right | form | {"assertion": base64.b64encode(assertion).decode()})

    def send(self, *courses: Any, token: str | None = None) -> httpx.Response:
        token = self.log_in().json()["access_token"] if token is None else token
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.post(IMPORT, json={"ocnCourses": list(courses)}, headers=headers)


def a_course(course_id: str = "A", **fields: Any) -> dict[str, Any]:
    """Return a valid course; ``fields`` replace its fields, and None removes one."""
    course = {
        "courseID": course_id,
        "providerID": "EDX",
        "status": "ACTIVE",
        "title": [{"locale": "English", "value": "Data"}],
        "description": [{"locale": "English", "value": "Data, read."}],
        "content": [
            {
                "providerID": "EDX",
                "launchURL": "https://learn.example.org/",
                "contentTitle": "Data",
                "contentID": course_id,
                "launchType": 3,
            }
        ],
        **fields,
    }
    return {name: value for name, value in course.items() if value is not None}


def an_assertion(clock: Clock, *, key: str | None = None, **claims: Any) -> bytes:
    right: dict[str, Any] = {
        "issuer": CLIENT_ID,
        "user_id": USER_ID,
        "audience": AUDIENCE,
        "recipient": URL + SAML_ENDPOINT,
        "attributes": {"api_key": CLIENT_ID},
    }
    now = datetime.fromtimestamp(clock.now, tz=UTC)
    return signed_assertion(Claims(**(right | claims)), private_key=key or a_key_pair().private_key, now=now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sap(clock: Clock) -> SAPSandbox:
    return SAPSandbox(clock=clock, window_ms=0, certificate=a_key_pair().certificate)


@pytest.fixture
def client(sap: SAPSandbox) -> SAPClient:
    return SAPClient(sap)


def test_the_registry_makes_one_whose_own_credentials_open_it() -> None:
    sandbox = SANDBOXES["SAP"]()

    assert isinstance(sandbox, SAPSandbox)
    assert sandbox.channel_credentials() == {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert sandbox.channel_settings() == {"company_id": COMPANY_ID, "user_id": USER_ID, "window_seconds": 1}
    assert SAPClient(sandbox).send(a_course()).status_code == 200


# --- logins ---------------------------------------------------------------------------------------------------------


def test_a_token_for_client_and_secret(client: SAPClient) -> None:
    answer = client.log_in()

    assert answer.status_code == 200
    assert answer.json()["expires_in"] == TOKEN_LIFETIME_SECONDS


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"secret": "wrong"}, 403),
        ({"grant": "password"}, 400),
        ({"companyId": "Another"}, 400),
        ({"userId": "unknown"}, 400),
        ({"userType": "robot"}, 400),
    ],
)
def test_a_log_in_that_is_not_right_gets_no_token(client: SAPClient, asked: dict[str, str], status: int) -> None:
    assert client.log_in(**asked).status_code == status


def test_a_token_for_an_assertion(client: SAPClient, clock: Clock) -> None:
    token = client.hand_in(an_assertion(clock)).json()["access_token"]

    assert client.send(a_course(), token=token).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"user_id": "unknown"},
        {"audience": "others"},
        {"recipient": "https://others.example.org/oauth/token"},
        {"attributes": {"api_key": "another"}},
        {"attributes": {}},
        {"key": a_key_pair("other").private_key},
    ],
)
def test_an_assertion_that_is_not_right_gets_no_token(client: SAPClient, clock: Clock, claims: dict[str, Any]) -> None:
    answer = client.hand_in(an_assertion(clock, **claims))

    assert (answer.status_code, answer.json()["errorHttpCode"]) == (401, "401")


def test_an_assertion_that_was_tampered_with_gets_no_token(client: SAPClient, clock: Clock) -> None:
    forged = an_assertion(clock, user_id="unknown").replace(b"unknown", USER_ID.encode())

    assert client.hand_in(forged).status_code == 401


@pytest.mark.parametrize("xml", [b"", b"no XML", b"<a/>"])
def test_what_is_no_assertion_gets_no_token(client: SAPClient, xml: bytes) -> None:
    assert client.hand_in(xml).status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (599, 200), (600, 401)])
def test_an_assertion_is_taken_in_its_time_only(client: SAPClient, clock: Clock, seconds: int, status: int) -> None:
    assertion = an_assertion(clock)
    clock.now += seconds

    assert client.hand_in(assertion).status_code == status


@pytest.mark.parametrize(
    ("form", "status"), [({"grant_type": "x"}, 400), ({"company_id": "x"}, 401), ({"client_id": "x"}, 401)]
)
def test_a_form_that_is_not_right_gets_no_token(
    client: SAPClient, clock: Clock, form: dict[str, str], status: int
) -> None:
    assert client.hand_in(an_assertion(clock), **form).status_code == status


def test_without_a_certificate_no_assertion_is_taken(client: SAPClient, sap: SAPSandbox, clock: Clock) -> None:
    sap.certificate = None

    assert client.hand_in(an_assertion(clock)).status_code == 401


def test_a_token_server_that_was_withdrawn_is_a_404(client: SAPClient, sap: SAPSandbox) -> None:
    sap.has_token_server = False

    assert client.log_in().status_code == 404


def test_an_import_needs_a_token_that_is_valid(client: SAPClient, clock: Clock) -> None:
    token = client.log_in().json()["access_token"]
    clock.now += TOKEN_LIFETIME_SECONDS

    assert client.send(a_course(), token=token).status_code == 401
    assert client.send(a_course(), token="made-up").status_code == 401
    assert client.http.post(IMPORT, json={"ocnCourses": [a_course()]}).status_code == 401


def test_every_other_path_is_a_404(client: SAPClient) -> None:
    assert client.http.get(IMPORT).status_code == 404
    assert client.http.post("/learning/other").status_code == 404


# --- imports --------------------------------------------------------------------------------------------------------


def test_an_import_is_echoed_and_overwrites(client: SAPClient, sap: SAPSandbox) -> None:
    client.send(a_course("A"), a_course("B"))
    changed = a_course("A", title=[{"locale": "German", "value": "Daten"}])

    answer = client.send(changed)

    assert answer.json()["ocnCourses"] == [changed]
    assert answer.json()["@odata.context"] == "$metadata#OcnCourses/$entity"
    assert sap.offered() == {"A": "Daten", "B": "Data"}
    assert len(sap.content()) == 2


WRONG = {
    "no_id": {"courseID": None},
    "empty_id": {"courseID": ""},
    "unregistered_provider": {"providerID": "OTHER"},
    "unknown_status": {"status": "GONE"},
    "no_title": {"title": None},
    "empty_list_of_titles": {"title": []},
    "blank_title": {"title": [{"locale": "English", "value": " "}]},
    "unknown_locale": {"title": [{"locale": "en-US", "value": "Data"}]},
    "no_description": {"description": []},
    "no_content": {"content": None},
    "content_of_another_provider": {"content": [{**a_course()["content"][0], "providerID": "OTHER"}]},
    "content_without_url": {"content": [{**a_course()["content"][0], "launchURL": ""}]},
    "empty_date": {"schedule": [{"startDate": "", "endDate": 1, "active": True}]},
    "date_as_text": {"schedule": [{"startDate": "1", "endDate": 1, "active": True}]},
    "broken_date": {"schedule": [{"startDate": 1.5, "endDate": 2, "active": True}]},
    "missing_date": {"schedule": [{"startDate": 1, "active": True}]},
    "price_as_text": {"price": [{"currency": "USD", "value": "1"}]},
    "currency_that_is_none": {"price": [{"currency": "Dollar", "value": 1}]},
    "unknown_field": {"colour": "red"},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_a_bad_course_has_the_whole_import_refused(client: SAPClient, sap: SAPSandbox, fields: dict[str, Any]) -> None:
    answer = client.send(a_course("Good"), a_course(**fields))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "OCN_INVALID")
    assert sap.content() == []


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_or_it_is_left_out_of_what_is_taken_and_echoed(
    client: SAPClient, sap: SAPSandbox, fields: dict[str, Any]
) -> None:
    sap.bad_item = BadItem.IS_LEFT_OUT

    answer = client.send(a_course("Good"), a_course(**fields))

    assert [course["courseID"] for course in answer.json()["ocnCourses"]] == ["Good"]
    assert sap.offered().keys() == {"Good"}


@pytest.mark.parametrize("status", ["INACTIVE", "DELETED"])
def test_a_course_that_is_not_offered_needs_no_content(client: SAPClient, sap: SAPSandbox, status: str) -> None:
    retired = a_course(status=status, content=None)
    assert client.send(retired).status_code == 200

    sap.needs_content = True
    assert client.send(retired).status_code == 400


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1_000, 200), (1_001, 400)])
def test_an_import_has_one_to_a_thousand_courses(client: SAPClient, count: int, status: int) -> None:
    assert client.send(*(a_course(f"K{number}") for number in range(count))).status_code == status


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"ocnCourses": {}}'])
def test_a_body_that_is_no_import_is_refused(client: SAPClient, body: bytes) -> None:
    token = client.log_in().json()["access_token"]

    assert client.http.post(IMPORT, content=body, headers={"Authorization": f"Bearer {token}"}).status_code == 400


def test_a_course_that_never_was_active_does_not_show_in_the_import_menu(client: SAPClient, sap: SAPSandbox) -> None:
    client.send(a_course("Never active", status="INACTIVE"), a_course("Active"), a_course("Retired"))
    client.send(a_course("Retired", status="INACTIVE"))

    assert [course["courseID"] for course in sap.import_menu()] == ["Active", "Retired"]


def test_an_account_without_the_right_may_not_import(client: SAPClient, sap: SAPSandbox) -> None:
    sap.may_import = False

    assert client.send(a_course()).status_code == 403


# --- the window -----------------------------------------------------------------------------------------------------


def test_one_import_is_taken_in_a_window_and_log_ins_do_not_count(
    client: SAPClient, sap: SAPSandbox, clock: Clock
) -> None:
    sap.window_ms = SAP_WINDOW_MS
    client.log_in()
    first = client.send(a_course("A"))
    clock.now += 299.9
    second = client.send(a_course("B"))
    clock.now += 0.1
    third = client.send(a_course("C"))

    assert [answer.status_code for answer in (first, second, third)] == [200, 429, 200]
    assert second.json()["error"]["message"] == "API calling limit exceeded, Try later"
    assert "Retry-After" not in second.headers
    assert sap.offered().keys() == {"A", "C"}


def test_a_refused_import_counts_too(client: SAPClient, sap: SAPSandbox) -> None:
    sap.window_ms = SAP_WINDOW_MS
    client.send(a_course(title=[]))

    assert client.send(a_course()).status_code == 429


def test_the_retry_after_is_returned_if_configured(client: SAPClient, sap: SAPSandbox, clock: Clock) -> None:
    sap.window_ms, sap.tells_retry_after = SAP_WINDOW_MS, True
    client.send(a_course())
    clock.now += 60

    assert client.send(a_course()).headers["Retry-After"] == "240"


def test_a_reset_clears_courses_tokens_and_the_window(client: SAPClient, sap: SAPSandbox) -> None:
    sap.window_ms = SAP_WINDOW_MS
    client.send(a_course("A"))
    sap.reset()

    assert (sap.content(), sap.tokens, sap.imports) == ([], {}, [])
    assert client.send(a_course("B")).status_code == 200
