"""No message of the client contains a secret, in any encoding and from any source."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.observability.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET: Final = 'pä/ss & "wörd"\''


def failure_of(*, status: int, body: str, secrets: list[str], response_is_secret: bool = False) -> SyncError:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    with (
        LMSClient("http://lms.test", secrets=secrets, transport=transport) as client,
        pytest.raises(SyncError) as raised,
    ):
        client.send("GET", "/", response_is_secret=response_is_secret).json()
    return raised.value


@pytest.mark.parametrize(
    "escaped",
    [
        str,
        quote,
        quote_plus,
        html.escape,
        lambda secret: urlencode({"token": secret}),
        lambda secret: json.dumps({"token": secret}) + "!",
        lambda secret: json.dumps({"token": secret}).replace("/", r"\/") + "!",
        lambda secret: f"{secret[:3]}{secret}{secret}",
        lambda secret: quote(secret, safe=""),
        lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret)),
        lambda secret: html.escape(secret).replace("&#x27;", "&#039;"),
        lambda secret: json.dumps(secret, ensure_ascii=False) + "!",
        lambda secret: json.dumps(json.dumps(secret)) + "!",
        repr,
        lambda secret: quote(quote(secret)),
        lambda secret: quote(quote_plus(secret), safe=""),
        lambda secret: quote(quote(quote(secret, safe=""), safe=""), safe=""),
        lambda secret: quote(re.sub("%..", lambda code: code[0].lower(), quote(secret)), safe=""),
    ],
)
def test_a_secret_is_taken_out_however_it_is_escaped(escaped: Callable[[str], str]) -> None:
    message = failure_of(status=200, body=escaped(SECRET), secrets=[SECRET]).message

    assert "[secret]" in message
    assert escaped(SECRET) not in message
    assert "rd" not in message.partition("[secret]")[2]


@given(st.binary(max_size=9), st.binary(max_size=9), st.sampled_from([b64encode, urlsafe_b64encode]))
def test_a_secret_is_taken_out_of_the_base64_of_what_holds_it(
    before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    redacted = LMSClient("", secrets=[SECRET]).redacted(encode(before + SECRET.encode() + after).decode())

    # Only characters that share bits with the surrounding text may remain.
    assert "[secret]" in redacted
    assert len(redacted) <= len("[secret]") + len(b64encode(before)) + len(b64encode(after)) + 2


def test_percent_encoded_base64_of_a_secret_is_redacted() -> None:
    header = b64encode(b"client:?>?>?>?>secret").decode()

    redacted = LMSClient("", secrets=["?>?>?>?>secret"]).redacted(f"http://lms.test/?auth={quote(header, safe='')}")

    assert "Pz4" not in redacted
    assert "[secret]" in redacted


def test_a_secret_percent_encoded_twice_in_a_redirect_is_redacted() -> None:
    inner = f"http://lms.test/login?token={quote(SECRET, safe='')}"
    headers = {"Location": f"http://lms.test/go?to={quote(inner, safe='')}"}
    transport = httpx.MockTransport(lambda _: httpx.Response(302, headers=headers))

    with LMSClient("http://lms.test", secrets=[SECRET], transport=transport) as client, pytest.raises(SyncError) as up:
        client.send("GET", "/")

    assert "token%3D[secret]. Check" in str(up.value)


# --- cookies set by an LMS --------------------------------------------------------------------------------------------


def echoing_cookies(*set_cookies: str) -> LMSClient:
    """Return a client of an LMS that sets one cookie per response, and repeats the last two in the body."""
    to_set = iter(set_cookies)
    last: list[str | None] = [None]

    def answer(request: httpx.Request) -> httpx.Response:
        assert "cookie" not in request.headers, "sent to the LMS"
        cookie = next(to_set)
        last.append(cookie.partition(";")[0])
        body = f"{last[-2]} and {last[-1]}"
        return httpx.Response(422, headers=[("Set-Cookie", cookie)], text=body)

    return LMSClient("http://lms.test", transport=httpx.MockTransport(answer))


def refusal_by(client: LMSClient) -> str:
    with pytest.raises(SyncError) as raised:
        client.send("GET", "/")
    return str(raised.value)


def test_a_cookie_that_an_lms_sets_is_redacted_when_it_is_echoed() -> None:
    with echoing_cookies("session=0123456789abcdef; Path=/; HttpOnly", 'other="fedcba9876543210"; Path=/') as client:
        first, second = refusal_by(client), refusal_by(client)

    assert first == "The LMS returned 422: None and session=[secret]"
    assert second == 'The LMS returned 422: session=[secret] and other="[secret]"'


def test_short_values_of_cookies_do_not_tear_ordinary_text() -> None:
    with echoing_cookies("lang=en_us; Path=/") as client:
        assert refusal_by(client).endswith("None and lang=en_us")


def test_changing_cookies_are_dropped_and_secrets_are_not() -> None:
    redaction = Redaction(["hunter2-and-more"])

    for number in range(1_000):
        redaction.keep_cookies([f"session=value-of-{number:04}"])

    assert redaction.redacted("hunter2-and-more value-of-0999 value-of-0000") == "[secret] [secret] value-of-0000"


def test_ordinary_text_is_not_torn_by_the_base64_of_short_secrets() -> None:
    assert LMSClient("", secrets=["abcd"]).redacted(b64encode(b"abcd").decode()) == "YWJjZA=="


@given(st.integers(0, 400), st.sampled_from("x€🎓"), st.sampled_from([200, 403, 422, 500]))
def test_no_part_of_a_secret_is_left_at_the_end_of_a_message(before: int, filling: str, status: int) -> None:
    secret = "0123456789abcdef" * 4

    message = failure_of(status=status, body=filling * before + secret, secrets=[secret]).message

    assert "0123" not in message
    assert "cdef" not in message


@given(st.integers(1, 4_000), st.integers(0, 400))
def test_no_part_of_a_long_secret_is_left_where_the_search_ends(length: int, before: int) -> None:
    secret = "0123456789" * length

    message = failure_of(status=500, body="x" * before + secret * 40, secrets=[secret]).message

    assert "0123" not in message


def test_of_secrets_that_start_alike_the_longer_is_taken_out_first() -> None:
    assert LMSClient("", secrets=["abcd", "abcdefgh"]).redacted("abcdefgh abcd") == "[secret] [secret]"


def test_a_secret_can_be_added_later() -> None:
    client = LMSClient("")

    client.keep_secret("fetched-token")

    assert client.redacted("a fetched-token") == "a [secret]"


@pytest.mark.parametrize("secret", ["", "a", "the"])
def test_ordinary_text_is_not_torn_by_secrets_that_are_too_short(secret: str) -> None:
    assert LMSClient("", secrets=[secret]).redacted("the learning system") == "the learning system"


@pytest.mark.parametrize("status", [200, 302, 401, 422, 503])
def test_a_secret_response_is_not_reported(status: int) -> None:
    raised = failure_of(status=status, body='{"token": "not known yet', secrets=[], response_is_secret=True)

    assert "not known yet" not in str(raised)
