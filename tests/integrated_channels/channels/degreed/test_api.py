"""Degreed's tokens, statuses and error lists, and their effect on the sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import ValidationError

from enterprise_catalog.integrated_channels.channels.degreed.channel import DegreedSettings
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.sandbox.degreed.api import CREATE, LIST, READ, TOKEN, DegreedSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.degreed.connection import add, connected, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.degreed.channel import Degreed


def failure_of_create(degreed: DegreedSandbox, **settings: Any) -> SyncError:
    with pytest.raises(SyncError) as raised:
        connected(degreed, **settings).create([outgoing("A")])
    return raised.value


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_tokens_are_requested_from_their_own_host_as_documented() -> None:
    sent = []

    def degreed(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"access_token": "t0ken", "data": []})

    connected(httpx.MockTransport(degreed)).find(["A+B"])

    asked, found = sent
    assert str(asked.url) == "https://degreed.test/oauth/token"
    assert asked.content.decode() == (
        "grant_type=client_credentials&client_id=sandbox-key&client_secret=not-a-real-secret"
        "&scope=content%3Aread%2Ccontent%3Awrite"
    )
    assert str(found.url) == "https://api.degreed.test/api/v2/content/courses?filter%5Bexternal_id%5D=A%2BB"
    assert (found.headers["Authorization"], found.headers["Accept"]) == ("Bearer t0ken", "application/json")


def test_without_a_host_of_their_own_tokens_come_from_the_base_url(degreed: DegreedSandbox) -> None:
    channel = connected(degreed, token_base_url="")

    assert channel.find(["A"]) == {}


def test_one_token_does_for_many_calls_and_a_new_one_for_those_after_it_expired(
    degreed: DegreedSandbox, channel: Degreed
) -> None:
    add(degreed, "A")
    channel.find(["A", "B"])
    degreed.expire_tokens()

    assert "A" in channel.find(["A"])
    assert degreed.calls == {TOKEN: 2, LIST: 4}


def test_tokens_do_not_count_against_the_rate_limit(degreed: DegreedSandbox) -> None:
    counted = []

    def note(*, is_counted: bool) -> None:
        counted.append(is_counted)

    connected(degreed, before_each_call=note).find(["A"])

    assert counted == [False, True]


@pytest.mark.parametrize(
    "knobs", [{"client_id": "another"}, {"client_secret": "changed"}, {"scopes": frozenset({READ})}]
)
def test_a_key_or_scope_that_is_refused_stops_the_sync(knobs: dict[str, Any]) -> None:
    raised = failure_of_create(DegreedSandbox(**knobs))

    assert (type(raised), raised.status_code) == (CredentialsError, 403)
    assert raised.message == (
        "Degreed rejected the token request: the client ID, client secret or scopes are wrong. The LMS returned 403."
    )


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, CredentialsError),
        (401, CredentialsError),
        (422, CredentialsError),
        (404, ConfigurationError),
        (405, ConfigurationError),
        (302, ConfigurationError),
        (429, ThrottledError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_a_token_that_is_not_given_is_never_the_fault_of_an_item(
    degreed: DegreedSandbox, status: int, error: type[SyncError]
) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status))

    raised = failure_of_create(degreed)

    assert (type(raised), raised.status_code) == (error, status)
    assert CREATE not in degreed.calls


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"access_token": ""}', '{"access_token": 7}', "<html>"])
def test_a_token_page_without_a_token_may_have_one_later(degreed: DegreedSandbox, body: str) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=200, body=body))

    assert type(failure_of_create(degreed)) is RetryableError


def test_the_number_of_token_requests_is_limited(degreed: DegreedSandbox) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=401, times=None))

    assert type(failure_of_create(degreed)) is CredentialsError
    assert degreed.calls == {TOKEN: 2, CREATE: 2}


@pytest.mark.parametrize(
    "address",
    [
        "degreed.com",
        "ftp://degreed.com",
        "https://key:secret@degreed.com",
        "https://a b",
        "https://[a",
        "https://a:99999",
    ],
)
def test_a_token_host_that_is_no_address_or_holds_a_password_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="token_base_url"):
        DegreedSettings(token_base_url=address)


# --- errors ---------------------------------------------------------------------------------------------------------


def test_the_end_of_the_window_ends_the_run_with_degreeds_words_and_its_wait() -> None:
    now = [1_000_000.0]
    degreed = DegreedSandbox(clock=lambda: now[0])
    channel = connected(degreed)
    channel.find(["A"] * 70)
    now[0] += 20

    with pytest.raises(ThrottledError) as raised:
        channel.find(["A"])

    assert (raised.value.vendor_code, raised.value.retry_after_seconds) == ("quota-exceeded", 40)
    assert raised.value.message == (
        "The LMS returned 429: API calls quota exceeded. Maximum 70 requests allowed per 1m."
    )
    now[0] += 40
    assert channel.find(["A"]) == {}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RejectedError),
        (403, CredentialsError),
        (404, RejectedError),
        (406, RejectedError),
        (410, RejectedError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_an_error_list_gives_its_first_code_and_all_its_messages(
    degreed: DegreedSandbox, status: int, error: type[SyncError]
) -> None:
    errors = '{"errors": [{"code": "one", "title": "Not so.", "detail": null}, {"code": "two", "detail": "Nor so."}]}'
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=status, body=errors))

    raised = failure_of_create(degreed)

    assert (type(raised), raised.vendor_code) == (error, "one")
    assert raised.message == f"The LMS returned {status}: Not so. Nor so."


@pytest.mark.parametrize("body", ["<p>Proxy</p>", '{"errors": []}', '{"errors": ["so"]}', '{"error": "so"}', "[]", "7"])
def test_an_error_that_is_no_list_is_reported_unchanged(degreed: DegreedSandbox, body: str) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=400, body=body))

    raised = failure_of_create(degreed)

    assert (raised.vendor_code, raised.message) == ("", f"The LMS returned 400: {body}")


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
def test_a_connection_that_breaks_may_work_later(degreed: DegreedSandbox, kind: FaultKind) -> None:
    degreed.faults.add(Fault(kind=kind, operation=CREATE))

    assert type(failure_of_create(degreed)) is RetryableError


def test_a_retry_after_of_degreed_is_passed_on(degreed: DegreedSandbox) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=503, retry_after="90"))

    raised = failure_of_create(degreed)

    assert isinstance(raised, RetryableError)
    assert raised.retry_after_seconds == 90
