"""No exception or result holds a secret or a token, even if Degreed repeats it in an error response."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.degreed.auth import DegreedCredentials
from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.sandbox.degreed.api import CLIENT_ID, CREATE, SKILLS, TOKEN, DegreedSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.degreed.connection import connected, outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET: Final = 'sé/cret & "wörd"'
BY_SECRET: Final = DegreedCredentials(client_id=CLIENT_ID, client_secret=SecretStr(SECRET))
FETCHED: Final = "sandbox-token-000001"

#: Error pages and error lists that repeat part of a request; ``%s`` stands for the secret.
ECHOES: Final = (
    "<html>You sent %s</html>",
    '{"errors": [{"code": "%s", "title": "No.", "detail": "not for %s"}]}',
    '{"data": {"id": ["%s"]}}',
    '{"access_token": ["%s"]}',
    '"%s',
)


def assert_hidden(error: BaseException, secrets: Iterable[str]) -> None:
    shown = re.sub(r'(?m)^  File ".*\n(    .*\n)*', "", "".join(traceback.format_exception(error)))
    text = shown + repr(error) + str(vars(error))
    for secret in secrets:
        for encoding in (secret, quote(secret), quote(secret, safe="")):
            assert encoding not in text


@pytest.mark.parametrize("status", [200, 201, 303, 400, 401, 403, 404, 409, 429, 503])
@pytest.mark.parametrize("echo", ECHOES)
def test_a_token_that_is_repeated_is_not_passed_on(echo: str, status: int) -> None:
    degreed = DegreedSandbox()
    body = echo.replace("%s", FETCHED)
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=status, body=body, times=None))

    with pytest.raises(SyncError) as raised:
        connected(degreed).create([outgoing("A")])

    assert_hidden(raised.value, [FETCHED])


@pytest.mark.parametrize("status", [200, 303, 400, 401, 403, 404, 422, 503])
@pytest.mark.parametrize("echo", ECHOES)
def test_neither_the_secret_nor_an_unknown_token_of_a_token_page_is_passed_on(echo: str, status: int) -> None:
    degreed = DegreedSandbox()
    body = echo.replace("%s", f"{SECRET} unknown-token")
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=status, body=body))

    with pytest.raises(SyncError) as raised:
        connected(degreed, credentials=BY_SECRET).find(["A"])

    assert_hidden(raised.value, [SECRET, "unknown-token"])


@pytest.mark.parametrize("status", [400, 403, 503])
def test_a_refusal_of_skills_that_repeats_the_token_is_recorded_without_it(status: int) -> None:
    degreed = DegreedSandbox()
    body = ECHOES[1].replace("%s", FETCHED)
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=SKILLS, status=status, body=body))

    [result] = connected(degreed).create([outgoing("A")])

    assert "not for [secret]" in result.message
    assert FETCHED not in repr(result)


def test_credentials_show_nothing_of_themselves() -> None:
    assert SECRET not in f"{BY_SECRET!r} {BY_SECRET}"
