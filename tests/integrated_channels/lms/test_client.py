"""The HTTP client of all LMSs: the meaning of statuses and broken responses, and the error messages."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    LeaseLostError,
    RejectedError,
    ResponseTooLargeError,
    RetryableError,
    SyncError,
    ThrottledError,
    TimedOutError,
)
from enterprise_catalog.integrated_channels.lms import client as lms_client
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET: Final = "hunter2-and-more"


def client_of(handler: Callable[[httpx.Request], httpx.Response], **arguments: Any) -> LMSClient:
    return LMSClient("http://lms.test/base/", transport=httpx.MockTransport(handler), **arguments)


def answering(*content: Any, **answer: Any) -> LMSClient:
    """Return a client with a secret, whose LMS sends this response to every request."""
    return client_of(lambda _: httpx.Response(*content, **answer), secrets=[SECRET])


def failure_of(client: LMSClient) -> SyncError:
    with client, pytest.raises(SyncError) as raised:
        client.send("POST", "/page").json()
    return raised.value


# --- requests -------------------------------------------------------------------------------------------------------


def test_a_form_is_sent_in_the_order_given_below_the_base_url() -> None:
    sent: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=[1])

    answer = client_of(keep).send("POST", "/page", form={"b": "1 &", "a": "ä"}, params={"q": "x y"})

    assert (answer.status_code, answer.json()) == (200, [1])
    [request] = sent
    assert (request.method, str(request.url)) == ("POST", "http://lms.test/base/page?q=x+y")
    assert request.content == b"b=1+%26&a=%C3%A4"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


@given(st.dictionaries(st.text(), st.text()))
@example({"a": "\0", "b": "%\0é"})
@example({})
@example({"%+ &=~": "a+b%20c", "courses[0][summary]": "<p>Ünï\tcode 漢 😀\r\n</p>"})
def test_a_form_is_encoded_as_the_standard_library_does(form: dict[str, str]) -> None:
    assert lms_client.form_encoded(form) == urlencode(form).encode()


def test_what_is_raised_before_a_call_keeps_it_from_being_sent() -> None:
    def refuse(*, is_counted: bool) -> None:
        assert is_counted
        raise LeaseLostError("another worker has it")

    client = client_of(lambda _: pytest.fail("it was sent"), before_each_call=refuse)

    with pytest.raises(LeaseLostError):
        client.send("GET", "/page")


# --- statuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ConfigurationError),
        (303, ConfigurationError),
        (307, ConfigurationError),
        (400, RejectedError),
        (401, CredentialsError),
        (403, CredentialsError),
        (404, RejectedError),
        (408, RetryableError),
        (409, RejectedError),
        (413, RejectedError),
        (422, RejectedError),
        (425, RetryableError),
        (429, ThrottledError),
        (500, RetryableError),
        (503, RetryableError),
        (599, RetryableError),
    ],
)
def test_a_status_decides_what_to_do(status: int, error: type[SyncError]) -> None:
    raised = failure_of(answering(status, text="Because."))

    assert (type(raised), raised.status_code) == (error, status)


def test_the_start_of_the_body_is_reported() -> None:
    raised = failure_of(answering(422, text=" <p>Why</p> " + "x" * 1_000))

    assert raised.message.startswith("The LMS returned 422: <p>Why</p> xxx")
    assert len(raised.message) < 350


def test_a_body_that_is_not_text_is_reported() -> None:
    assert failure_of(answering(500, content=b"\xff\xfe")).message == "The LMS returned 500: \ufffd\ufffd"


def test_an_empty_body_needs_no_words() -> None:
    assert failure_of(answering(500)).message == "The LMS returned 500."


def test_a_redirect_is_not_followed_and_its_target_is_in_the_message() -> None:
    asked: list[str] = []

    def moved(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(303, headers={"Location": f"http://lms.test/new?token={SECRET}"})

    raised = failure_of(client_of(moved, secrets=[SECRET]))

    assert raised.message == ("The LMS redirects to http://lms.test/new?token=[secret]. Check the base URL.")
    assert asked == ["/base/page"]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"cut": ', b"NaN", b'"\xff"', b"[" * 10_000])
def test_an_answer_that_is_not_json_may_be_json_later(body: bytes) -> None:
    raised = failure_of(answering(200, content=body))

    assert (type(raised), raised.status_code) == (RetryableError, 200)
    assert raised.message.startswith("The LMS's response is not JSON: ")


# --- Retry-After ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "kind"), [(429, ThrottledError), (503, RetryableError)])
def test_only_a_temporary_failure_has_a_retry_after(status: int, kind: type[ThrottledError | RetryableError]) -> None:
    raised = failure_of(answering(status, headers={"Retry-After": "7"}))

    assert isinstance(raised, kind)
    assert raised.retry_after_seconds == 7


# --- vendor codes and messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 409, 429, 503])
def test_an_lms_own_code_and_words_take_the_place_of_the_body(status: int) -> None:
    with answering(status, text="{long}") as client, pytest.raises(SyncError) as raised:
        client.send("POST", "/page", explain=lambda answer: (f"code-{answer.status_code}", f"No {SECRET}, no."))

    assert raised.value.vendor_code == f"code-{status}"
    assert raised.value.message == f"The LMS returned {status}: No [secret], no."


def test_the_body_is_reported_if_there_is_no_message() -> None:
    with answering(502, text="<p>Proxy</p>") as client, pytest.raises(SyncError, match=r"502: <p>Proxy</p>"):
        client.send("POST", "/page", explain=lambda _: ("", ""))


def test_an_answer_that_is_not_raised_needs_no_explanation() -> None:
    def explain(answer: lms_client.LMSResponse) -> tuple[str, str]:
        raise AssertionError(f"{answer.status_code} is explained without need")

    with answering(404) as client:
        assert client.send("GET", "/page", accept={404}, explain=explain).status_code == 404


# --- broken and oversized responses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("t"),
        httpx.WriteTimeout("t"),
        httpx.PoolTimeout("t"),
        httpx.ConnectError(""),
        httpx.ReadError("r"),
        httpx.RemoteProtocolError("p"),
        httpx.ProxyError("p"),
    ],
)
def test_a_connection_that_fails_may_work_later(error: httpx.TransportError) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    raised = failure_of(client_of(fail))

    assert (type(raised), raised.status_code) == (RetryableError, None)
    assert raised.__cause__ is error


def test_a_body_that_does_not_decompress_may_later() -> None:
    broken = client_of(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Trickle(b"no gzip")))

    assert type(failure_of(broken)) is RetryableError


class Trickle(httpx.SyncByteStream):
    """A response body in the given parts. Counts the parts that were read."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.read += 1
            yield part


def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lms_client, "MAX_RESPONSE_BYTES", 10)
    body = Trickle(*[b"12345"] * 100)

    raised = failure_of(client_of(lambda _: httpx.Response(200, stream=body)))

    assert (type(raised), raised.message) == (ResponseTooLargeError, "The response is larger than 10 bytes.")
    assert body.read == 3


def test_an_answer_of_just_the_largest_size_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lms_client, "MAX_RESPONSE_BYTES", 10)

    assert answering(200, content=b"[12345678]").send("GET", "/").json() == [12345678]


@pytest.mark.parametrize("base_url", ["", "lms", "ftp://lms.test", "http://", "http://lms:port", "http://a..b"])
def test_an_invalid_base_url_is_a_configuration_error(base_url: str) -> None:
    raised = failure_of(LMSClient(base_url))

    assert type(raised) is ConfigurationError
    assert raised.message.startswith("The base URL is invalid: ")


# --- over a real socket ---------------------------------------------------------------------------------------------


def test_a_closed_port_is_reported() -> None:
    raised = failure_of(LMSClient(f"http://127.0.0.1:{free_port()}", private_addresses=True))

    assert type(raised) is RetryableError
    assert raised.message.startswith("The connection to the LMS failed: ")


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
def test_the_connection_breaks(moodle: MoodleSandbox, moodle_url: str, kind: FaultKind) -> None:
    moodle.faults.add(Fault(kind=kind))

    raised = failure_of(LMSClient(moodle_url, private_addresses=True))

    assert type(raised) is RetryableError
    assert raised.message.startswith("The connection to the LMS failed: ")


def test_no_answer_comes_in_time(moodle: MoodleSandbox, moodle_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(moodle.faults, "sleep", lambda _: given_up.wait(timeout=10))
    moodle.faults.add(Fault(kind=FaultKind.DELAY))
    monkeypatch.setattr(lms_client, "TIMEOUT", httpx.Timeout(5, read=0.02))

    raised = failure_of(LMSClient(moodle_url, private_addresses=True))
    given_up.set()

    assert (type(raised), raised.message) == (
        TimedOutError,
        "The LMS did not respond in time (ReadTimeout).",
    )
