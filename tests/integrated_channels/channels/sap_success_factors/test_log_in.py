"""SAP authentication by client secret and by SAML assertion, and the effect of a failed login on a run."""

from __future__ import annotations

import base64
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from enterprise_catalog.integrated_channels.channels.protocols.saml import Claims, signed_assertion
from enterprise_catalog.integrated_channels.channels.sap_success_factors.auth import SAPCredentials
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RetryableError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.sap.api import (
    AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    IMPORT,
    SAML_ENDPOINT,
    TOKEN_SERVER,
    USER_ID,
    SAPSandbox,
)
from tests.integrated_channels.channels.sap_success_factors.connection import BASE_URL, connected, outgoing
from tests.sandbox.sap.keys import a_key_pair

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSuccessFactors

KEY: Final = a_key_pair().private_key
BASIC: Final = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
TOKEN: Final = "a-token-that-must-not-be-shown"


def by(**secrets: str) -> SAPCredentials:
    """Return credentials with the given secrets."""
    return SAPCredentials(client_id=CLIENT_ID, **{name: SecretStr(value) for name, value in secrets.items()})


def by_saml(sap: SAPSandbox, credentials: SAPCredentials | None = None, **settings: Any) -> SAPSuccessFactors:
    """Return a channel that authenticates with SAML assertions."""
    return connected(sap, credentials=credentials or by(private_key=KEY), token_kind="saml_bearer", **settings)


def given_assertion() -> bytes:
    """Return a SAML assertion issued by a third party."""
    claims = Claims(
        issuer="https://idp.example.org",
        user_id=USER_ID,
        audience=AUDIENCE,
        recipient=BASE_URL + SAML_ENDPOINT,
        attributes={"api_key": CLIENT_ID},
    )
    return signed_assertion(claims, private_key=KEY, now=datetime.now(UTC))


@pytest.fixture
def sap() -> SAPSandbox:
    """A SAP sandbox that trusts our certificate."""
    return SAPSandbox(window_ms=0, certificate=a_key_pair().certificate)


def test_a_client_secret_is_exchanged_for_a_token_that_serves_all_imports(sap: SAPSandbox) -> None:
    channel = connected(sap)
    channel.apply([outgoing("A")])
    channel.apply([outgoing("B")])

    assert sap.calls == {TOKEN_SERVER: 1, IMPORT: 2}


def test_an_assertion_of_our_own_is_exchanged_for_a_token(sap: SAPSandbox) -> None:
    sap.has_token_server = False

    by_saml(sap).apply([outgoing("A")])

    assert sap.calls == {SAML_ENDPOINT: 1, IMPORT: 1}


@pytest.mark.parametrize("encoding", [bytes.decode, lambda xml: base64.b64encode(xml).decode() + "\n"])
def test_an_assertion_that_was_given_is_exchanged_too(sap: SAPSandbox, encoding: Any) -> None:
    by_saml(sap, by(assertion=encoding(given_assertion())), user_id="").check_connection()

    assert sap.calls == {SAML_ENDPOINT: 1}


def test_tokens_may_come_from_another_address() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"access_token": TOKEN})

    connected(httpx.MockTransport(answer), token_base_url="http://api.sap.test/").check_connection()

    assert asked == [f"http://api.sap.test{TOKEN_SERVER}"]


def test_a_token_that_is_refused_is_fetched_once_more(sap: SAPSandbox) -> None:
    channel = connected(sap)
    channel.apply([outgoing("A")])
    sap.expire_tokens()

    channel.apply([outgoing("B")])

    assert sap.calls == {TOKEN_SERVER: 2, IMPORT: 3}
    assert sap.offered().keys() == {"A", "B"}


# --- missing credentials ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "credentials", "user_id", "missing"),
    [
        ("token_server", by(private_key=KEY), USER_ID, "client_secret"),
        ("token_server", by(), "", "client_secret and user_id"),
        ("saml_bearer", by(client_secret="x"), USER_ID, "private_key"),
        ("saml_bearer", by(private_key=KEY), "", "user_id"),
    ],
)
def test_what_a_token_kind_needs_is_named_before_anything_is_sent(
    sap: SAPSandbox, kind: str, credentials: SAPCredentials, user_id: str, missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^The token kind '{kind}' requires {missing}.$"):
        connected(sap, credentials=credentials, token_kind=kind, user_id=user_id)

    assert sap.calls == {}


@pytest.mark.parametrize("key", ["no key", a_key_pair().locked_key, a_key_pair().certificate])
def test_a_key_that_cannot_sign_is_refused_when_it_is_entered(key: str) -> None:
    with pytest.raises(ValidationError, match="an RSA key in PEM format, without a passphrase, is required") as refusal:
        by(private_key=key)

    assert key not in str(refusal.value)


# --- failed logins ----------------------------------------------------------------------------------------------------


def test_a_wrong_secret_stops_the_run(sap: SAPSandbox) -> None:
    with pytest.raises(CredentialsError) as refusal:
        connected(sap, credentials=by(client_secret="wrong-secret")).apply([outgoing("A")])

    assert refusal.value.status_code == 403
    assert sap.calls == {TOKEN_SERVER: 1}


@pytest.mark.parametrize("settings", [{"company_id": "Another"}, {"user_id": "unknown"}])
def test_a_refused_log_in_blames_no_item(sap: SAPSandbox, settings: dict[str, Any]) -> None:
    with pytest.raises(
        CredentialsError, match=r"^SAP rejected the token request\. Check the credentials\. The LMS returned 400"
    ):
        connected(sap, **settings).apply([outgoing("A")])


@pytest.mark.parametrize("settings", [{"saml_audience": "others"}, {"user_id": "unknown"}, {"company_id": "Another"}])
def test_an_assertion_that_does_not_fit_stops_the_run(sap: SAPSandbox, settings: dict[str, Any]) -> None:
    with pytest.raises(CredentialsError):
        by_saml(sap, **settings).apply([outgoing("A")])


def test_an_assertion_signed_with_another_key_stops_the_run(sap: SAPSandbox) -> None:
    with pytest.raises(CredentialsError):
        by_saml(sap, by(private_key=a_key_pair("other").private_key)).check_connection()


def test_an_assertion_that_has_expired_stops_the_run(sap: SAPSandbox) -> None:
    sap.clock = lambda: datetime.now(UTC).timestamp() + 11 * 60

    with pytest.raises(CredentialsError):
        by_saml(sap, by(assertion=given_assertion().decode())).check_connection()


def test_an_unreachable_token_server_is_reported_with_its_address(sap: SAPSandbox) -> None:
    sap.has_token_server = False

    with pytest.raises(ConfigurationError, match=f"SAP has no token endpoint at {BASE_URL}{TOKEN_SERVER}"):
        connected(sap).apply([outgoing("A")])


@pytest.mark.parametrize(("status", "error"), [(429, ThrottledError), (503, RetryableError), (302, ConfigurationError)])
def test_other_answers_to_a_log_in_mean_what_they_always_mean(
    sap: SAPSandbox, status: int, error: type[SyncError]
) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN_SERVER, status=status))

    with pytest.raises(error):
        connected(sap).apply([outgoing("A")])


@pytest.mark.parametrize("body", ["{}", '{"access_token": ""}', '{"access_token": null}', "[]", "null", "<p>Hello</p>"])
def test_an_answer_without_a_token_is_no_token(sap: SAPSandbox, body: str) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN_SERVER, status=200, body=body))

    with pytest.raises(RetryableError):
        connected(sap).apply([outgoing("A")])

    assert sap.calls == {TOKEN_SERVER: 1}


# --- secrets --------------------------------------------------------------------------------------------------------

#: Error responses that repeat part of a request or a response; ``%s`` stands for the secret.
ECHOES: Final = (
    "<html>You sent %s</html>",
    '{"error": {"code": "x", "message": "not for %s"}}',
    '{"error": "%s is wrong"}',
    '{"access_token": ["%s"]}',
    '["%s"]',
)


def text_of_error(error: BaseException) -> str:
    """Return the text a log could show of ``error`` and its direct cause."""
    shown = "".join(line for each in (error, error.__cause__) if each for line in traceback.format_exception_only(each))
    return shown + repr(error) + str(vars(error))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422, 503])
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("secret", [CLIENT_SECRET, BASIC, TOKEN])
def test_a_log_in_that_repeats_a_secret_does_not_pass_it_on(
    sap: SAPSandbox, echo: str, status: int, secret: str
) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN_SERVER, status=status, body=echo % secret))

    with pytest.raises(SyncError) as raised:
        connected(sap).apply([outgoing("A")])

    assert secret not in text_of_error(raised.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 503])
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("secret", [CLIENT_SECRET, BASIC, TOKEN])
def test_an_import_that_repeats_a_secret_does_not_pass_it_on(
    sap: SAPSandbox, echo: str, status: int, secret: str
) -> None:
    log_in = f'{{"access_token": "{TOKEN}"}}'
    sap.faults.set(
        [
            Fault(kind=FaultKind.ANSWER, operation=TOKEN_SERVER, status=200, body=log_in, times=None),
            Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=status, body=echo % secret, times=None),
        ]
    )

    with pytest.raises(SyncError) as raised:
        connected(sap).apply([outgoing("A")])

    assert secret not in text_of_error(raised.value)


def test_an_assertion_that_is_repeated_is_not_passed_on(sap: SAPSandbox) -> None:
    assertion = base64.b64encode(given_assertion()).decode()
    body = f'{{"error": {{"message": "{assertion}"}}}}'
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=400, body=body))

    with pytest.raises(SyncError) as raised:
        by_saml(sap, by(assertion=base64.b64decode(assertion).decode())).apply([outgoing("A")])

    assert assertion[:40] not in text_of_error(raised.value)


def test_credentials_show_nothing_of_themselves() -> None:
    credentials = by(client_secret="secret-1", private_key=KEY, assertion="secret-2")

    for shown in (repr(credentials), str(credentials)):
        assert not any(secret in shown for secret in ("secret-1", "secret-2", KEY, "PRIVATE KEY"))
