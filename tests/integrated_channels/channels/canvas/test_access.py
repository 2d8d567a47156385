"""Consent, tokens and permissions at Canvas, and the error messages when access is denied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.canvas.auth import SCOPES, CanvasCredentials
from enterprise_catalog.integrated_channels.domain import Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
)
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID, REFRESH_TOKEN, SUFFICIENT_PERMISSIONS
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import (
    AUTHORIZED,
    BASE_URL,
    CREATE,
    LOOK,
    NOT_AUTHORIZED,
    TOKEN,
    add,
    connected,
    outgoing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas

REDIRECT_URI = "https://catalog.example.org/authorized?a=b"


# --- consent --------------------------------------------------------------------------------------------------------


def consented(canvas: CanvasSandbox, url: str) -> dict[str, list[str]]:
    """Follow ``url`` as the user's browser does. Return the query parameters of the redirect."""
    with httpx.Client(transport=httpx.WSGITransport(app=canvas)) as browser:
        return parse_qs(urlsplit(browser.get(url).headers["location"]).query)


def test_a_consent_gives_a_valid_refresh_token(canvas: CanvasSandbox) -> None:
    channel = connected(canvas, credentials=NOT_AUTHORIZED)

    returned = consented(canvas, channel.authorization_url(redirect_uri=REDIRECT_URI, state="s & t"))
    given = channel.redeem(returned["code"][0], redirect_uri=REDIRECT_URI)

    assert returned["state"] == ["s & t"]
    assert given.keys() == {"refresh_token"}
    authorized = CanvasCredentials.model_validate({**canvas.channel_credentials(), **given})
    assert connected(canvas, credentials=authorized).find(["A"]) == {}


def test_the_consent_requests_scopes_only_if_the_developer_key_enforces_them(canvas: CanvasSandbox) -> None:
    canvas.enforced_scopes = SCOPES
    asking = connected(canvas, enforces_scopes=True).authorization_url(redirect_uri=REDIRECT_URI, state="s")
    silent = connected(canvas).authorization_url(redirect_uri=REDIRECT_URI, state="s")

    assert "code" in consented(canvas, asking)
    assert consented(canvas, silent)["error"] == ["invalid_scope"]
    assert silent == (
        f"{BASE_URL}/login/oauth2/auth?client_id={CLIENT_ID}&response_type=code"
        "&redirect_uri=https%3A%2F%2Fcatalog.example.org%2Fauthorized%3Fa%3Db&state=s"
    )


def test_a_code_is_taken_once_and_with_its_own_redirect_only(canvas: CanvasSandbox) -> None:
    channel = connected(canvas, credentials=NOT_AUTHORIZED)
    url = channel.authorization_url(redirect_uri=REDIRECT_URI, state="s")
    used, other = consented(canvas, url)["code"][0], consented(canvas, url)["code"][0]
    channel.redeem(used, redirect_uri=REDIRECT_URI)

    with pytest.raises(CredentialsError, match="invalid_grant: authorization_code not found"):
        channel.redeem(used, redirect_uri=REDIRECT_URI)
    with pytest.raises(CredentialsError, match="Authorize the configuration again"):
        channel.redeem(other, redirect_uri="https://elsewhere.example.org/")


def test_a_grant_without_a_refresh_token_is_no_consent(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=200, body='{"access_token": "once"}'))

    with pytest.raises(CredentialsError, match="returned no refresh token"):
        channel.redeem("a code", redirect_uri=REDIRECT_URI)


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_without_a_consent_it_reports_the_missing_consent_and_sends_nothing(canvas: CanvasSandbox) -> None:
    channel = connected(canvas, credentials=NOT_AUTHORIZED)

    with pytest.raises(CredentialsError, match="This configuration has not been authorized yet"):
        channel.create([outgoing("A")])

    assert canvas.calls == {}


def test_one_token_serves_all_calls_and_the_refresh_token_stays_as_it_is(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    saved: list[object] = []
    channel.save_credentials = saved.append

    channel.find(["A", "B", "C"])

    assert canvas.calls == {TOKEN: 1, LOOK: 3}
    assert canvas.login.refresh_tokens == {REFRESH_TOKEN}
    assert saved == []


def test_a_token_that_expires_on_the_way_is_renewed_once_and_the_call_repeated(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    channel.find(["A"])
    canvas.expire_tokens()

    [result] = channel.create([outgoing("A")])

    assert result.outcome is Outcome.DONE
    assert len(canvas.content()) == 1
    assert canvas.calls[TOKEN] == 2
    assert canvas.calls[CREATE] == 2


def test_a_canvas_that_takes_none_of_its_own_tokens_stops_the_run(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.token_seconds = 0

    with pytest.raises(CredentialsError, match="rejected an access token that it had just issued"):
        channel.find(["A"])

    assert canvas.calls == {TOKEN: 2, LOOK: 2}


@pytest.mark.parametrize("error", ["invalid_request", "invalid_grant"])
def test_a_revoked_refresh_token_stops_the_run_with_a_reason(error: str) -> None:
    canvas = CanvasSandbox(unknown_refresh_token_error=error)
    canvas.login.refresh_tokens.clear()

    with pytest.raises(CredentialsError) as refusal:
        connected(canvas).find(["A"])

    assert refusal.value.message == (
        f"Canvas rejected the stored consent ({error}: refresh_token not found). Authorize the configuration again."
    )
    assert (refusal.value.status_code, refusal.value.vendor_code) == (400, error)


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_a_wrong_developer_key_stops_the_run(canvas: CanvasSandbox, field: str) -> None:
    wrong = AUTHORIZED.model_copy(update={field: SecretStr("wrong") if field == "client_secret" else "wrong"})

    with pytest.raises(CredentialsError, match="invalid_client") as refusal:
        connected(canvas, credentials=wrong).find(["A"])

    assert refusal.value.status_code == 401


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_login_failure_is_not_a_rejection(canvas: CanvasSandbox, channel: Canvas, status: int) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status))

    with pytest.raises(Exception, match=f"returned {status}") as error:
        channel.find(["A"])

    assert not isinstance(error.value, CredentialsError)


@pytest.mark.parametrize(("status", "error"), [(404, ConfigurationError), (409, CredentialsError)])
def test_a_log_in_that_is_refused_blames_no_item(
    canvas: CanvasSandbox, channel: Canvas, status: int, error: type[Exception]
) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status, body="{}"))

    with pytest.raises(error):
        channel.find(["A"])


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"access_token": ""}', '{"access_token": 7}'])
def test_a_log_in_that_is_not_understood_may_work_later(canvas: CanvasSandbox, channel: Canvas, body: str) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=200, body=body))

    with pytest.raises(RetryableError):
        channel.find(["A"])


# --- permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_right_in_the_account_stops_the_run_and_renews_no_token(status: Literal[401, 403]) -> None:
    canvas = CanvasSandbox(permissions=frozenset(), refusal_status=status)

    with pytest.raises(CredentialsError, match="lacks a permission in the Canvas account") as refusal:
        connected(canvas).create([outgoing("A")])

    assert refusal.value.status_code == status
    assert canvas.calls == {TOKEN: 1, CREATE: 1}


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("call", ["find", "update", "delete"])
def test_a_refused_right_to_one_course_is_that_courses_and_the_others_go_on(
    status: Literal[401, 403], call: str
) -> None:
    canvas = CanvasSandbox(refusal_status=status)
    channel = connected(canvas)
    theirs, ours = add(canvas, "A"), add(canvas, "B")
    canvas.forbidden_course_ids = {int(theirs)}
    calls: dict[str, Callable[[str, str], object]] = {
        "find": lambda key, _: channel.find([key]),
        "update": lambda key, course: channel.update([outgoing(key, remote_id=course)]),
        "delete": lambda key, course: channel.delete([Outgoing(key, {}, course)]),
    }

    with pytest.raises(RejectedError, match="lacks a permission for this Canvas course") as refusal:
        calls[call]("A", theirs)

    assert refusal.value.status_code == status
    assert calls[call]("B", ours)


@pytest.mark.parametrize(
    ("missing", "deed"),
    [("manage_courses_admin", "manage courses"), ("manage_courses_publish", "publish courses")],
)
def test_a_right_that_is_refused_for_every_course_stops_the_run(
    canvas: CanvasSandbox, channel: Canvas, missing: str, deed: str
) -> None:
    canvas.permissions = SUFFICIENT_PERMISSIONS - {missing}
    courses = [outgoing(key, remote_id=add(canvas, key)) for key in ("A", "B")]

    transmission = Transmitter(channel).transmit(courses)
    with pytest.raises(CredentialsError, match=f"may not {deed} in the account"):
        channel.update(courses[:1])

    assert isinstance(transmission.stopped_by, CredentialsError)
    assert {result.outcome for result in transmission.results.values()} == {Outcome.SKIPPED}


def test_the_permissions_of_the_account_are_read_once(canvas: CanvasSandbox, channel: Canvas) -> None:
    for key in ("A", "B", "C"):
        canvas.forbidden_course_ids = {*canvas.forbidden_course_ids, int(add(canvas, key))}

    for key in ("A", "B", "C"):
        with pytest.raises(RejectedError):
            channel.find([key])

    assert canvas.calls.total() == 1 + 3 + 2


def test_an_account_that_is_not_there_stops_the_run(canvas: CanvasSandbox) -> None:
    with pytest.raises(ConfigurationError, match="Canvas has no account /api/v1/accounts/9"):
        connected(canvas, account_id=9).create([outgoing("A")])


@pytest.mark.parametrize("status", [301, 303])
def test_a_redirect_is_a_wrong_base_url(canvas: CanvasSandbox, channel: Canvas, status: int) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=status))

    with pytest.raises(ConfigurationError, match="redirects to"):
        channel.create([outgoing("A")])


# --- check connection -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["conclude", "delete"])
def test_a_check_of_a_healthy_canvas_finds_no_problems_and_changes_nothing(canvas: CanvasSandbox, policy: str) -> None:
    add(canvas, "A")

    assert connected(canvas, delete_policy=policy).check_connection() == []
    assert canvas.calls.keys() == {TOKEN, "GET /api/v1/accounts/:id", "GET /api/v1/accounts/:account_id/permissions"}


def test_older_permissions_suffice_as_well(canvas: CanvasSandbox) -> None:
    canvas.permissions = {"manage_courses", "change_course_state", "manage_sis", "read_course_list"}

    assert connected(canvas, delete_policy="delete").check_connection() == []


@pytest.mark.parametrize(
    ("missing", "deed"),
    [
        ("manage_courses_add", "add courses"),
        ("manage_courses_admin", "manage courses"),
        ("manage_courses_publish", "publish courses"),
        ("manage_courses_conclude", "conclude courses"),
        ("manage_courses_delete", "delete courses"),
        ("read_sis", "read SIS data"),
    ],
)
def test_a_probe_names_each_right_that_is_missing(canvas: CanvasSandbox, missing: str, deed: str) -> None:
    canvas.permissions = SUFFICIENT_PERMISSIONS - {missing}

    [problem] = connected(canvas, delete_policy="delete" if "delete" in deed else "conclude").check_connection()

    assert problem.startswith(f"The user who authorized this configuration may not {deed} in the account.")
    assert f" one of these permissions: {missing}" in problem


def test_a_connection_check_reports_a_missing_or_inaccessible_account(canvas: CanvasSandbox) -> None:
    with pytest.raises(ConfigurationError, match="Canvas has no account /api/v1/accounts/9"):
        connected(canvas, account_id=9).check_connection()

    canvas.permissions = frozenset()
    with pytest.raises(CredentialsError, match="not authorized to perform that action"):
        connected(canvas).check_connection()
