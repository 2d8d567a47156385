"""No exception holds a token or a password, even if Moodle repeats it in an error response."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.moodle.auth import MoodleCredentials
from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.settings import TOKEN, USERNAME
from enterprise_catalog.sandbox.moodle.web_service import LOGIN_PAGE, MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import BY_TOKEN, connected, outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

PASSWORD: Final = 'pä/ss & "wörd"'
BY_PASSWORD: Final = MoodleCredentials(username=USERNAME, password=SecretStr(PASSWORD))
LOG_IN_TOKEN: Final = "abcdef0123456789abcdef0123456789"

#: Error responses in which a page, a proxy or a debugging PHP repeats part of a request; ``%s`` stands for the secret.
ECHOES: Final = (
    "<html>You sent wstoken=%s</html>",
    '{"exception": "x", "errorcode": "invalidparameter", "message": "not for %s"}',
    '{"error": "%s is wrong", "errorcode": "invalidlogin"}',
    '{"exception": "x", "errorcode": "dbconnectionfailed", "message": "%s"}',
    '<?xml version="1.0"?><EXCEPTION>%s</EXCEPTION>',
    '["%s"]',
    '"%s',
)


def text_of_error(error: BaseException) -> str:
    """Return everything a log could show of ``error`` and its causes, except the values of local variables."""
    shown = "".join(traceback.format_exception(error))
    # Remove the quoted source lines: they come from this repository and may contain the secrets of these tests.
    return re.sub(r'(?m)^  File ".*\n(    .*\n)*', "", shown) + repr(error) + str(vars(error))


def assert_hidden(error: SyncError, secrets: Iterable[str]) -> None:
    for secret in secrets:
        for encoding in (secret, quote(secret), quote(secret, safe="")):
            assert encoding not in text_of_error(error)


@pytest.mark.parametrize("status", [200, 303, 403, 404, 422, 503])
@pytest.mark.parametrize("echo", ECHOES)
def test_a_token_that_is_repeated_is_not_passed_on(echo: str, status: int) -> None:
    moodle = MoodleSandbox()
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=status, body=echo % TOKEN))

    with pytest.raises(SyncError) as raised:
        connected(moodle, credentials=BY_TOKEN).create([outgoing("A")])

    assert_hidden(raised.value, [TOKEN])


@pytest.mark.parametrize("status", [200, 303, 403, 404, 422, 503])
@pytest.mark.parametrize("spelt", [PASSWORD, quote(PASSWORD), PASSWORD.replace('"', '\\"')])
@pytest.mark.parametrize("echo", ECHOES)
def test_a_password_that_is_repeated_is_not_passed_on(echo: str, spelt: str, status: int) -> None:
    moodle = MoodleSandbox()
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=LOGIN_PAGE, status=status, body=echo % spelt))

    with pytest.raises(SyncError) as raised:
        connected(moodle, credentials=BY_PASSWORD).find(["A"])

    assert_hidden(raised.value, [PASSWORD])


@pytest.mark.parametrize("body", ['{"token": "%s', '{"tokens": ["%s"]}', '["%s"]', "<p>%s</p>", '{"token": ["%s"]}'])
@pytest.mark.parametrize("status", [200, 500])
def test_a_token_that_a_broken_log_in_answer_holds_is_not_passed_on(status: int, body: str) -> None:
    moodle = MoodleSandbox()
    answer = body % LOG_IN_TOKEN
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=LOGIN_PAGE, status=status, body=answer))

    with pytest.raises(SyncError) as raised:
        connected(moodle, credentials=BY_PASSWORD).find(["A"])

    assert_hidden(raised.value, [LOG_IN_TOKEN])


@pytest.mark.parametrize("echo", ECHOES)
def test_a_token_got_by_logging_in_is_not_passed_on_either(echo: str) -> None:
    moodle = MoodleSandbox()
    log_in = f'{{"token": "{LOG_IN_TOKEN}"}}'
    moodle.faults.set(
        [
            Fault(kind=FaultKind.ANSWER, operation=LOGIN_PAGE, status=200, body=log_in, times=None),
            Fault(kind=FaultKind.ANSWER, status=200, body=echo % LOG_IN_TOKEN, times=None),
        ]
    )

    with pytest.raises(SyncError) as raised:
        connected(moodle, credentials=BY_PASSWORD).find(["A"])

    assert_hidden(raised.value, [LOG_IN_TOKEN, PASSWORD])


def test_a_warning_that_repeats_the_token_is_recorded_without_it() -> None:
    moodle = MoodleSandbox()
    warning = f'{{"itemid": 2, "warningcode": "x", "message": "{TOKEN} may not"}}'
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body=f'{{"warnings": [{warning}]}}'))

    [result] = connected(moodle).update([outgoing("A", remote_id="2")])

    assert result.message == "Moodle: [secret] may not"


def test_credentials_show_nothing_of_themselves() -> None:
    assert TOKEN not in f"{BY_TOKEN!r} {BY_TOKEN}"
    assert PASSWORD not in f"{BY_PASSWORD!r} {BY_PASSWORD}"
