"""Blackboard authentication: consent, single-use refresh tokens, and no secrets in messages."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.blackboard.auth import BlackboardCredentials
from enterprise_catalog.integrated_channels.domain import RateLimit
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    LeaseLostError,
    RejectedError,
    RetryableError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.sandbox.blackboard.api import CLIENT_ID, CLIENT_SECRET, DAY_SECONDS, BlackboardSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.blackboard.connection import Kept, connected, outgoing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard

REDIRECT: Final = "https://catalog.example.org/consented?a=1"


def consent(blackboard: BlackboardSandbox, address: str) -> str:
    """Follow ``address`` as a consenting user's browser does. Return the authorization code from the redirect."""
    with httpx.Client(transport=httpx.WSGITransport(app=blackboard)) as browser:
        answer = browser.get(address)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"].replace("?a=1?", "?a=1&")).query)["code"][0]


# --- consent --------------------------------------------------------------------------------------------------------


def test_the_consent_requests_only_the_scopes_that_the_settings_need(channel: Blackboard) -> None:
    address = channel.authorization_url(redirect_uri=REDIRECT, state="s&t")

    assert address.startswith("http://blackboard.test/learn/api/public/v1/oauth2/authorizationcode?")
    assert parse_qs(urlsplit(address).query) == {
        "redirect_uri": [REDIRECT],
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "scope": ["read write offline"],
        "state": ["s&t"],
    }


def test_real_deletes_need_a_further_scope(blackboard: BlackboardSandbox) -> None:
    address = connected(blackboard, delete_policy="Delete").authorization_url(redirect_uri=REDIRECT, state="x")

    assert parse_qs(urlsplit(address).query)["scope"] == ["read write offline delete"]


def test_a_code_is_exchanged_for_a_valid_refresh_token(blackboard: BlackboardSandbox) -> None:
    channel = connected(blackboard, refresh_token="")
    code = consent(blackboard, channel.authorization_url(redirect_uri=REDIRECT, state="x"))

    credentials = channel.redeem(code, redirect_uri=REDIRECT)

    assert set(credentials) == {"refresh_token"}
    assert connected(blackboard, refresh_token=credentials["refresh_token"]).find(["A"]) == {}


def test_a_code_is_taken_once_and_for_its_own_address_only(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    address = channel.authorization_url(redirect_uri=REDIRECT, state="x")
    code, other = consent(blackboard, address), consent(blackboard, address)
    channel.redeem(code, redirect_uri=REDIRECT)

    for again, where in ((code, REDIRECT), (other, "https://other.example.org/"), ("made-up", REDIRECT)):
        with pytest.raises(CredentialsError, match="Authorize the configuration again"):
            channel.redeem(again, redirect_uri=where)


def test_a_consent_without_offline_access_is_refused(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    address = channel.authorization_url(redirect_uri=REDIRECT, state="x").replace("+offline", "")

    with pytest.raises(CredentialsError, match="does not include offline access"):
        channel.redeem(consent(blackboard, address), redirect_uri=REDIRECT)


def test_without_a_consent_nothing_is_sent(blackboard: BlackboardSandbox) -> None:
    with pytest.raises(CredentialsError, match="This configuration has not been authorized yet"):
        connected(blackboard, refresh_token="").find(["A"])

    assert blackboard.calls == {}


# --- refresh token rotation -------------------------------------------------------------------------------------------


def test_a_new_refresh_token_is_stored_before_the_access_token_is_used(blackboard: BlackboardSandbox) -> None:
    calls_when_stored = []

    def store(changes: Mapping[str, str]) -> None:
        assert changes["refresh_token"] in blackboard.grants
        calls_when_stored.append(dict(blackboard.calls))

    channel = connected(blackboard)
    channel.save_credentials = store
    channel.find(["A"])

    assert calls_when_stored == [{"POST token": 1}]
    assert blackboard.calls == {"POST token": 1, "GET courses/:id": 1}


def test_a_refresh_token_that_cannot_be_stored_ends_the_run_before_anything_is_sent(
    blackboard: BlackboardSandbox,
) -> None:
    def lose(_: Mapping[str, str]) -> None:
        raise LeaseLostError("another worker has it")

    channel = connected(blackboard)
    channel.save_credentials = lose

    with pytest.raises(LeaseLostError):
        channel.create([outgoing("A")])

    assert blackboard.calls == {"POST token": 1}


def test_each_refresh_uses_the_token_that_the_last_one_gave(blackboard: BlackboardSandbox) -> None:
    kept = Kept()
    channel = connected(blackboard, kept=kept)

    for _ in range(3):
        channel.find(["A"])
        blackboard.expire_tokens()

    assert len(set(kept)) == 3
    assert list(blackboard.grants) == kept[-1:]
    assert connected(blackboard, refresh_token=kept[-1]).find(["A"]) == {}


def test_an_old_refresh_token_is_dead(blackboard: BlackboardSandbox) -> None:
    token = blackboard.channel_credentials()["refresh_token"]
    connected(blackboard, refresh_token=token).find(["A"])

    with pytest.raises(CredentialsError, match="invalid_grant") as raised:
        connected(blackboard, refresh_token=token).find(["A"])

    assert raised.value.vendor_code == "invalid_grant"


def test_a_site_that_does_not_change_refresh_tokens_is_taken_as_it_is() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "the-access-token", "refresh_token": "the-same"})
        return httpx.Response(404, json={"status": 404, "message": "Could not find object"})

    kept = Kept()
    channel = connected(httpx.MockTransport(answer), refresh_token="the-same", kept=kept)

    assert channel.find(["A"]) == {}
    assert kept == []


def test_threads_of_one_run_refresh_once_and_again_once_when_the_token_expires(blackboard: BlackboardSandbox) -> None:
    kept = Kept()
    channel = connected(blackboard, kept=kept)
    keys = [[f"K{number}"] for number in range(24)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(channel.find, keys))
        blackboard.expire_tokens()
        list(pool.map(channel.find, keys))

    assert blackboard.calls["POST token"] == 2
    assert len(kept) == 2
    # Only the calls in flight when the token expired may be rejected and repeated.
    assert blackboard.calls["GET courses/:id"] <= 48 + 8


def test_an_access_token_is_the_same_until_it_expires(blackboard: BlackboardSandbox) -> None:
    kept = Kept()
    connected(blackboard, kept=kept).find(["A"])
    [token] = [grant.access_token for grant in blackboard.grants.values()]

    connected(blackboard, refresh_token=kept[-1]).find(["A"])

    assert [grant.access_token for grant in blackboard.grants.values()] == [token]


def test_a_token_that_is_refused_twice_stops_the_run(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    refusal = '{"status": 401, "message": "Bearer token is invalid"}'
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation="* courses*", status=401, body=refusal, times=None))

    with pytest.raises(CredentialsError, match="Bearer token is invalid"):
        channel.create([outgoing("A")])

    assert blackboard.calls == {"POST token": 2, "POST courses": 2}


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_reported_by_name(blackboard: BlackboardSandbox) -> None:
    answer = '{"error": "invalid_client", "error_description": "x"}'
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, status=401, body=answer))

    with pytest.raises(CredentialsError, match="rejected the client ID or client secret"):
        connected(blackboard).find(["A"])


def test_an_application_that_is_not_installed_is_a_fault_of_the_configuration(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    blackboard.is_installed = False

    with pytest.raises(ConfigurationError, match="the application is not installed there"):
        channel.find(["A"])


def test_an_application_that_is_switched_off_stops_the_run(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    blackboard.is_enabled = False

    with pytest.raises(CredentialsError, match="insufficient privileges"):
        channel.find(["A"])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": "server_error"}'),
        (200, "{}"),
        (200, '{"access_token": ""}'),
        (200, "<html>"),
        (400, "<html>"),
        (503, "<html>"),
    ],
)
def test_a_token_that_may_come_later_is_waited_for(
    blackboard: BlackboardSandbox, channel: Blackboard, status: int, body: str
) -> None:
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation="POST token", status=status, body=body))

    with pytest.raises(RetryableError):
        channel.find(["A"])


def test_an_unknown_error_code_stops_the_run_and_is_not_repeated(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    body = '{"error": "<made up>", "error_description": "y"}'
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation="POST token", status=400, body=body))

    with pytest.raises(CredentialsError) as raised:
        channel.find(["A"])

    assert raised.value.message == "Blackboard Learn rejected the token request with status 400."


@pytest.mark.parametrize("operation", ["POST token", "GET courses/:id"])
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429, 503])
def test_no_message_repeats_a_secret(status: int, operation: str) -> None:
    blackboard = BlackboardSandbox()
    token = blackboard.channel_credentials()["refresh_token"]
    kept = Kept()
    connected(blackboard, refresh_token=token, kept=kept).find(["A"])
    [access] = [grant.access_token for grant in blackboard.grants.values()]
    secrets = [CLIENT_SECRET, kept[0], access]
    echo = f'{{"error": "{access}", "message": "{kept[0]} {access} {CLIENT_SECRET}", "id": 7}}'
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation=operation, status=status, body=echo, times=None))

    try:
        connected(blackboard, refresh_token=kept[0]).find(["B"])
    except SyncError as error:
        text = "".join(traceback.format_exception_only(error)) + repr(error) + str(vars(error))
        assert not [secret for secret in secrets if secret in text]
    else:
        assert (status, operation) == (404, "GET courses/:id")


def test_tokens_that_were_just_given_are_not_repeated_either() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "new-access-token", "refresh_token": "new-refresh-token"})
        return httpx.Response(400, json={"message": "new-refresh-token new-access-token"})

    with pytest.raises(RejectedError) as raised:
        connected(httpx.MockTransport(answer), refresh_token="old-refresh-token").find(["A"])

    assert raised.value.message == "Blackboard returned 400: [secret] [secret]"


def test_credentials_show_nothing_of_themselves() -> None:
    credentials = BlackboardCredentials.model_validate(
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": "the-refresh-token"}
    )

    assert CLIENT_SECRET not in f"{credentials!r} {credentials}"
    assert "the-refresh-token" not in f"{credentials!r} {credentials}"


# --- limits ---------------------------------------------------------------------------------------------------------


def test_every_call_counts_but_those_for_tokens(blackboard: BlackboardSandbox) -> None:
    counted = []

    def count(*, is_counted: bool) -> None:
        counted.append(is_counted)

    connected(blackboard, before_each_call=count).create([outgoing("A")])

    assert counted == [False, True, True, True, True]


def test_the_days_calls_are_those_of_the_settings(blackboard: BlackboardSandbox) -> None:
    channel = connected(blackboard, calls_per_day=500, parallel_calls=2)

    assert channel.rate_limit == RateLimit(500, seconds=DAY_SECONDS)
    assert (channel.items_per_call, channel.parallel_calls) == (1, 2)
    assert connected(blackboard).rate_limit == RateLimit(10_000, seconds=DAY_SECONDS)


def test_a_spent_quota_stops_the_run_until_its_reset(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    now = 1_000_000.0
    blackboard.clock = lambda: now
    blackboard.calls_per_day = 2
    channel.find(["A"])
    channel.find(["B"])
    now += 600

    with pytest.raises(ThrottledError) as raised:
        channel.create([outgoing("A")])

    assert raised.value.retry_after_seconds == DAY_SECONDS - 600 + 1
    assert blackboard.courses == {}


def test_a_probe_of_what_is_as_it_should_be_finds_nothing_and_changes_nothing(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    assert channel.check_connection() == []
    assert blackboard.calls == {"POST token": 1, "GET courses": 1}


def test_a_connection_check_reports_the_problems(blackboard: BlackboardSandbox) -> None:
    blackboard.calls_per_day = 1
    [grant] = [blackboard.grants[blackboard.channel_credentials()["refresh_token"]]]
    grant.scopes = frozenset({"read", "offline"})
    [token] = blackboard.grants

    assert connected(blackboard, refresh_token=token, delete_policy="Delete").check_connection() == [
        "The consent lacks the scope 'write'. Authorize again.",
        "The consent lacks the scope 'delete'. Authorize again.",
        "calls_per_day is 10,000, but Blackboard accepts only 1. Reduce calls_per_day.",
        "Blackboard's quota of calls is used up. Wait until Blackboard renews it.",
    ]


def test_a_probe_of_something_else_is_no_success() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, text="<html>"))

    with pytest.raises(ConfigurationError, match="The base URL has no Blackboard Learn"):
        connected(transport, refresh_token="a-refresh-token").check_connection()
