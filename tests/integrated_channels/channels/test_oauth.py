"""What holds for every token that is asked for; consents are tried with the channels that need them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.oauth import basic_authentication, request_grant
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RetryableError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.http import LMSClient

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.oauth import Grant
    from enterprise_catalog.integrated_channels.http import Answer

PATH = "/oauth/token"


def a_client(status: int = 200, body: str = "") -> LMSClient:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    return LMSClient("https://lms.test", transport=transport)


def refused(answer: Answer) -> CredentialsError:
    return CredentialsError(f"Not let in: {answer.excerpt}", status_code=answer.status_code)


def granted(client: LMSClient) -> Grant:
    return request_grant(client, PATH, refused=refused, nothing_there="Nobody is there.", form={"a": "b"})


def test_tokens_that_are_given_are_kept_out_of_messages() -> None:
    client = a_client(body='{"access_token": "the-access", "refresh_token": "the-refresh", "scope": "read write"}')

    grant = granted(client)

    assert (grant.access_token, grant.refresh_token, grant.scope) == ("the-access", "the-refresh", "read write")
    assert client.redacted("the-access the-refresh") == "[secret] [secret]"


def test_a_request_for_tokens_counts_against_no_limit() -> None:
    counted = []
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": "t"}))

    def note(*, is_counted: bool) -> None:
        counted.append(is_counted)

    granted(LMSClient("https://lms.test", transport=transport, before_each_call=note))

    assert counted == [False]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, ConfigurationError),
        (400, CredentialsError),
        (401, CredentialsError),
        (403, CredentialsError),
        (404, ConfigurationError),
        (405, ConfigurationError),
        (408, RetryableError),
        (409, CredentialsError),
        (422, CredentialsError),
        (425, RetryableError),
        (429, ThrottledError),
        (500, RetryableError),
    ],
)
def test_whatever_an_lms_has_against_a_log_in_it_is_no_item(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        granted(a_client(status, "what was sent"))

    assert type(raised.value) is error
    assert "what was sent" not in str(raised.value)


@pytest.mark.parametrize("body", ["", "{}", '{"access_token": ""}', "<html>"])
def test_an_answer_without_a_token_may_have_one_later(body: str) -> None:
    with pytest.raises(RetryableError):
        granted(a_client(200, body))


def test_no_message_repeats_how_we_show_who_we_are() -> None:
    client = a_client()
    pair = b64encode(b"us:our-secret").decode()

    assert basic_authentication(client, "us", "our-secret") == {"Authorization": f"Basic {pair}"}
    assert client.redacted(pair) == "[secret]"
