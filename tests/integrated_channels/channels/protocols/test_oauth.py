"""Token requests shared by all channels, and the error messages when a consent yields no token."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.protocols.oauth import (
    ClientCredentials,
    Consent,
    ConsentCredentials,
    basic_authentication,
    request_client_token,
    request_grant,
)
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RetryableError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.lms.client import LMSClient

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.protocols.oauth import Grant
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

PATH = "/oauth/token"


def a_client(status: int = 200, body: str = "") -> LMSClient:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    return LMSClient("https://lms.test", transport=transport)


def refused(answer: LMSResponse) -> CredentialsError:
    return CredentialsError(f"Not let in: {answer.excerpt}", status_code=answer.status_code)


def granted(client: LMSClient) -> Grant:
    return request_grant(client, PATH, refused=refused, nothing_there="There is no such endpoint.", form={"a": "b"})


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
def test_no_login_error_is_an_error_of_an_item(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        granted(a_client(status, "what was sent"))

    assert type(raised.value) is error
    assert "what was sent" not in str(raised.value)


def test_a_rejection_in_our_words_has_its_status_and_no_text_of_the_lms() -> None:
    client = a_client(400, "what was sent")

    with pytest.raises(CredentialsError) as raised:
        request_grant(client, PATH, refused="No token.", nothing_there="There is no such endpoint.", form={"a": "b"})

    assert (raised.value.message, raised.value.status_code) == ("No token. The LMS returned 400.", 400)


def test_our_application_requests_tokens_with_its_id_secret_and_scopes() -> None:
    asked = []

    def lms(request: httpx.Request) -> httpx.Response:
        asked.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(200, json={"access_token": "t"})

    client = LMSClient("https://lms.test", transport=httpx.MockTransport(lms))
    credentials = ClientCredentials(client_id="us", client_secret=SecretStr("our-secret"))

    token = request_client_token(
        client, PATH, credentials, scope="read write", refused="No token.", nothing_there="There is no such endpoint."
    )

    who = {"client_id": "us", "client_secret": "our-secret"}
    assert asked == [{"grant_type": "client_credentials", **who, "scope": "read write"}]
    assert token == "t"


@pytest.mark.parametrize("body", ["", "{}", '{"access_token": ""}', "<html>"])
def test_an_answer_without_a_token_may_have_one_later(body: str) -> None:
    with pytest.raises(RetryableError):
        granted(a_client(200, body))


def test_no_message_repeats_how_we_show_who_we_are() -> None:
    client = a_client()
    pair = b64encode(b"us:our-secret").decode()

    assert basic_authentication(client, "us", "our-secret") == {"Authorization": f"Basic {pair}"}
    assert client.redacted(pair) == "[secret]"


# --- user consent -----------------------------------------------------------------------------------------------------


class LecternConsent(Consent):
    """Consent at an invented LMS, Lectern."""

    authorization_path = "/authorize"
    token_path = PATH


class Lectern:
    """The attributes of a channel that a consent uses."""

    label: ClassVar[str] = "Lectern"

    def __init__(self, client: LMSClient, *, is_authorized: bool = True) -> None:
        self.client = client
        refresh_token = SecretStr("the-refresh-token") if is_authorized else None
        self.credentials = ConsentCredentials(
            client_id="us", client_secret=SecretStr("our-secret"), refresh_token=refresh_token
        )


def consent(status: int = 200, body: str = "", *, is_authorized: bool = True) -> LecternConsent:
    return LecternConsent(cast("Any", Lectern(a_client(status, body), is_authorized=is_authorized)))


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            '{"error": "invalid_grant", "error_description": "Too old"}',
            "Lectern rejected the stored consent (invalid_grant: Too old). Authorize the configuration again.",
            "invalid_grant",
        ),
        (
            '{"error": "invalid_client"}',
            "Lectern rejected the client ID or client secret (invalid_client). Correct the credentials.",
            "invalid_client",
        ),
        ('{"error": "invalid_scope"}', "Lectern rejected the token request (invalid_scope).", "invalid_scope"),
        ('{"error": "made-up", "error_description": "y"}', "Lectern rejected the token request with status 400.", ""),
        ("{}", "Lectern rejected the token request with status 400.", ""),
    ],
)
def test_a_rejection_states_what_to_do_and_repeats_only_codes_of_oauth(body: str, message: str, code: str) -> None:
    with pytest.raises(CredentialsError) as raised:
        consent(400, body).fetch_token()

    assert raised.value.message == message
    assert (raised.value.status_code, raised.value.vendor_code) == (400, code)


def test_an_lms_may_have_another_code_for_a_consent_that_is_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LecternConsent, "withdrawn_codes", frozenset({"invalid_request"}))

    with pytest.raises(CredentialsError, match="rejected the stored consent"):
        consent(400, '{"error": "invalid_request"}').fetch_token()
    with pytest.raises(CredentialsError, match="rejected the token request"):
        consent(400, '{"error": "invalid_grant"}').fetch_token()


@pytest.mark.parametrize("code", ["server_error", "temporarily_unavailable"])
def test_a_refusal_that_may_pass_is_waited_for(code: str) -> None:
    with pytest.raises(RetryableError, match=f"is temporarily unable to issue a token \\({code}\\)") as raised:
        consent(400, f'{{"error": "{code}"}}').fetch_token()

    assert raised.value.vendor_code == code


def test_a_refusals_words_are_bounded_and_hold_no_secret() -> None:
    client = a_client(400, f'{{"error": "invalid_grant", "error_description": "the-refresh-token {"x" * 999}"}}')
    client.keep_secret("the-refresh-token")

    with pytest.raises(CredentialsError, match=r"\(invalid_grant: \[secret\] x+…\)") as raised:
        LecternConsent(cast("Any", Lectern(client))).fetch_token()

    assert len(raised.value.message) < 400


def test_a_missing_consent_and_a_missing_server_are_reported_by_name() -> None:
    with pytest.raises(CredentialsError, match="This configuration has not been authorized yet"):
        consent(is_authorized=False).fetch_token()
    with pytest.raises(ConfigurationError, match="The base URL has no token endpoint of Lectern"):
        consent(404).fetch_token()
    with pytest.raises(CredentialsError, match="Lectern returned no refresh token"):
        consent(200, '{"access_token": "t"}').redeem("code", redirect_uri="https://catalog.example.org/")
