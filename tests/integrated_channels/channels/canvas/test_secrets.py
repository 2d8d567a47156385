"""No exception holds a secret, a token or a code, even if Canvas repeats it in an error response."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.canvas.auth import CanvasCredentials
from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import CHANGE, TOKEN, connected, outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET: Final = 'cl/ient & "secret"'
REFRESH: Final = "1~refresh/token+of=customer"
ACCESS: Final = "1~access/token+of=run"
CODE: Final = "code/of/the/consent+1"
CREDENTIALS: Final = CanvasCredentials(
    client_id=CLIENT_ID, client_secret=SecretStr(SECRET), refresh_token=SecretStr(REFRESH)
)

#: Error responses in which a page, a proxy or Canvas repeats part of a request; ``%s`` stands for the secret.
ECHOES: Final = (
    "<html>You sent %s</html>",
    '{"errors": [{"message": "not for %s"}]}',
    '{"errors": {"integration_id": [{"message": "%s"}]}}',
    '{"errors": {"name": "%s is wrong"}}',
    '{"errors": {"%s": "is wrong"}}',
    '{"message": "%s"}',
    '{"error": "%s", "error_description": "%s"}',
    '["%s"]',
    '"%s',
)
STATUSES: Final = [200, 303, 400, 401, 403, 404, 422, 429, 503]


def text_of_error(error: BaseException) -> str:
    """Return everything a log could show of ``error`` and its causes, except the values of local variables."""
    shown = "".join(traceback.format_exception(error))
    # Remove the quoted source lines: they come from this repository and may contain the secrets of these tests.
    return re.sub(r'(?m)^  File ".*\n(    .*\n)*', "", shown) + repr(error) + str(vars(error))


def assert_hidden(shown: str, secrets: Iterable[str]) -> None:
    for secret in secrets:
        for encoding in (secret, quote(secret), quote(secret, safe=""), secret.replace('"', '\\"')):
            assert encoding not in shown


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("echo", ECHOES)
def test_what_a_log_in_repeats_is_not_passed_on(echo: str, status: int) -> None:
    for secret in (SECRET, REFRESH, quote(SECRET)):
        canvas = CanvasSandbox()
        body = echo.replace("%s", secret.replace('"', '\\"'))
        canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status, body=body))

        with pytest.raises(SyncError) as raised:
            connected(canvas, credentials=CREDENTIALS).find(["A"])

        assert_hidden(text_of_error(raised.value), [SECRET, REFRESH])


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("echo", ECHOES)
def test_a_code_that_is_repeated_is_not_passed_on(echo: str, status: int) -> None:
    canvas = CanvasSandbox()
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status, body=echo.replace("%s", CODE)))

    with pytest.raises(SyncError) as raised:
        connected(canvas, credentials=CREDENTIALS).redeem(CODE, redirect_uri="https://catalog.example.org/")

    assert_hidden(text_of_error(raised.value), [CODE])


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("echo", ECHOES)
def test_what_the_api_repeats_is_not_passed_on(echo: str, status: int) -> None:
    for secret in (ACCESS, SECRET, REFRESH):
        canvas = CanvasSandbox()
        body = echo.replace("%s", secret.replace('"', '\\"'))
        answers = (("POST /login/*", 200, f'{{"access_token": "{ACCESS}"}}'), ("*", status, body))
        canvas.faults.set(
            Fault(kind=FaultKind.ANSWER, operation=operation, status=code, body=text, times=None)
            for operation, code, text in answers
        )
        channel = connected(canvas, credentials=CREDENTIALS)

        for call in (channel.create, channel.update):
            try:
                shown = str(call([outgoing("A", remote_id="7")]))
            except SyncError as error:
                shown = text_of_error(error)
            assert_hidden(shown, [ACCESS, SECRET, REFRESH])


def test_a_token_in_a_log_in_that_is_not_understood_is_not_passed_on() -> None:
    canvas = CanvasSandbox()
    for body in (f'{{"token": "{ACCESS}"}}', f'{{"access_token": ["{ACCESS}"]}}', f'["{ACCESS}"]', f"<p>{ACCESS}</p>"):
        canvas.faults.set([Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=200, body=body)])

        with pytest.raises(SyncError) as raised:
            connected(canvas).find(["A"])

        assert_hidden(text_of_error(raised.value), [ACCESS])


def test_a_refusal_that_repeats_the_token_is_recorded_without_it() -> None:
    canvas = CanvasSandbox(client_secret=SECRET)
    canvas.login.refresh_tokens.add(REFRESH)
    body = f'{{"errors": {{"name": [{{"message": "{REFRESH} may not"}}]}}}}'
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=CHANGE, status=400, body=body))

    with pytest.raises(SyncError) as refusal:
        connected(canvas, credentials=CREDENTIALS).update([outgoing("A", remote_id="7")])

    assert refusal.value.message == "Canvas: name: [secret] may not"


def test_credentials_show_nothing_of_themselves() -> None:
    assert_hidden(f"{CREDENTIALS!r} {CREDENTIALS}", [SECRET, REFRESH])
