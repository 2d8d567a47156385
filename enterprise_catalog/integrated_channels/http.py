"""One HTTP client for all learning systems: time-outs, bounded answers, status -> exceptions, redaction.

What holds for every LMS is decided here once; a channel reads bodies and raises what only it can know.
"""

from __future__ import annotations

import copy
import functools
import string
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import httpx
import orjson

from enterprise_catalog.integrated_channels.addresses import DeadlineTransport, PublicTransport
from enterprise_catalog.integrated_channels.deadlines import CallClock, check_call
from enterprise_catalog.integrated_channels.decoding import ACCEPTED, BodyError, TooLargeError, decoded
from enterprise_catalog.integrated_channels.exceptions import (
    AnswerTooLargeError,
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
    ThrottledError,
    TimedOutError,
)
from enterprise_catalog.integrated_channels.redaction import Redaction

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from enterprise_catalog.integrated_channels.exceptions import SyncError

TIMEOUT: Final = httpx.Timeout(
    connect=5, read=60, write=30, pool=5
)  #: Seconds for each read and write; ``deadlines.py`` limits the whole call.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
#: How many ``[`` and ``{`` a response may contain, so that its JSON takes at most some 200 MB of memory.
MAX_JSON_CONTAINERS: Final = 500_000
#: Shorter responses cannot contain enough of them to matter, and are not searched, in bytes.
_CONTENT_WITH_FEW_CONTAINERS: Final = 1024 * 1024
#: A ``Retry-After`` beyond this is a mistake, or a date that no calendar has.
MAX_RETRY_AFTER_SECONDS: Final = 7 * 24 * 60 * 60.0
#: A proxy has waited for the LMS too long; the LMS may still be working: 504, and Cloudflare's 524.
_PROXY_TIMEOUTS: Final = (504, 524)
_LOCATION_LENGTH: Final = 300  #: In characters; what of the address that a redirect leads to is told to people.

#: What a form holds as it is. Spaces become plus signs, but only once every plus sign of the text is encoded.
_SAFE_IN_FORM: Final = (string.ascii_letters + string.digits + "_.~- ").encode()
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An LMS's answer with a status below 300, or one that the caller wanted to see."""

    status_code: int
    content: bytes
    excerpt: str  #: The start of the body, without secrets, for messages.
    headers: Mapping[str, str]  #: Names in any case.

    def json(self) -> Any:
        """Return the body's value.

        Raises:
            RetryableError: it is no JSON; proxies and maintenance pages answer so, and whether the call was applied is
                not known. Or it would take too much memory.
        """
        # A list takes 56 bytes of memory for two bytes of JSON, a dictionary 232 bytes for six.
        is_large = len(self.content) > _CONTENT_WITH_FEW_CONTAINERS
        if is_large and self.content.count(b"[") + self.content.count(b"{") > MAX_JSON_CONTAINERS:
            message = f"The LMS returned more than {MAX_JSON_CONTAINERS:,} JSON lists and objects."
            raise RetryableError(message, status_code=self.status_code)
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            message = f"The learning system's answer is not JSON: {self.excerpt or 'it is empty'}"
            raise RetryableError(message, status_code=self.status_code) from None


#: Takes the LMS's own code and words out of an answer, each empty if it has none.
Explain = Callable[[Answer], tuple[str, str]]


class BeforeCall(Protocol):
    """Called before each request; what it raises keeps the request from being sent."""

    def __call__(self, *, is_counted: bool) -> None:
        """Allow one request.

        Args:
            is_counted: whether it counts against the channel's rate limit.
        """


def _go_ahead(*, is_counted: bool) -> None:
    """Allow every request."""


class LMSClient:
    """Calls one learning system. Use it as a context manager; it keeps connections open between calls."""

    def __init__(
        self,
        base_url: str,
        *,
        secrets: Iterable[str] = (),
        before_each_call: BeforeCall | None = None,
        private_addresses: bool = False,
        call_clock: CallClock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare calls to ``base_url``; nothing is sent yet. Calls may be made from several threads.

        Args:
            secrets: values that no message may hold; see :meth:`keep_secret`.
            before_each_call: what it raises keeps the request from being sent.
            private_addresses: whether the LMS may be inside our own network, which is for local use only.
            call_clock: limits how long calls take; ``None`` means 100 seconds each.
            transport: for tests; ``None`` means the network.
        """
        self.base_url = base_url.rstrip("/")
        self.told_time: datetime | None = None  #: What the LMS said that the time was, when it last answered.
        self._before_each_call = before_each_call or _go_ahead
        self._call_clock = call_clock or CallClock()
        self._redaction = Redaction(secrets)
        # Redirects are not followed: an LMS that answers one was given a wrong base URL, and a POST that follows a 303
        # turns into a GET without its parameters.
        if transport is None:
            kind = DeadlineTransport if private_addresses else PublicTransport
            transport = kind(verify=_certificates())
        # A proxy from the environment would connect for us, to wherever it likes.
        self._client = httpx.Client(
            headers={"Accept-Encoding": ACCEPTED},
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def at(self, base_url: str) -> LMSClient:
        """Return a client of another address of the LMS, such as where it gives out tokens; closed with this one."""
        other = copy.copy(self)
        other.base_url = base_url.rstrip("/")
        return other

    def keep_secret(self, value: str) -> None:
        """Take ``value`` (a token that was just fetched, say) out of all messages from now on."""
        self._redaction.keep_secret(value)

    def redacted(self, text: str) -> str:
        """Return ``text`` with each known secret, however it is spelt, replaced by ``[secret]``."""
        return self._redaction.redacted(text)

    def send(  # noqa: PLR0913  (all that makes a request, by name)
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        answer_is_secret: bool = False,
        is_counted: bool = True,
        explain: Explain | None = None,
    ) -> Answer:
        """Send one request and return the answer.

        Args:
            path: below the base URL, with its first slash.
            form: the body, form-encoded in the given order.
            json: the body, as JSON; ``None`` for none.
            accept: further statuses that are returned and not raised.
            answer_is_secret: the answer may hold a secret that we do not know yet, as that of a log-in does; no message
                then quotes it.
            is_counted: whether the call counts against the channel's rate limit.
            explain: what it finds in an answer that is raised is what exceptions tell, as :meth:`explained` has it,
                instead of the start of the body.

        Raises:
            RetryableError: no connection, a time-out, a broken or too large response, 408, 425, 5xx.
            DeadlineExceededError: the whole call took too long.
            LMSTooSlowError: calls that failed in a row have used up the time of a call, or the run is over its own.
            StopRequestedError: the process was asked to stop, and the call was broken off.
            ThrottledError: 429.
            CredentialsError: 401 or 403.
            ConfigurationError: a redirect; the message names where to.
            RejectedError: any other status from 400.
        """
        self._before_each_call(is_counted=is_counted)
        request: dict[str, Any] = {"params": params, "headers": dict(headers or {})}
        with self._call_clock.call():
            with self._translated():
                if form is not None:
                    request["content"] = form_encoded(form)
                    request["headers"] |= _FORM
                elif json is not None:
                    request["content"] = orjson.dumps(json)
                    request["headers"].setdefault("Content-Type", "application/json")
                with self._client.stream(method, self.base_url + path, **request) as response:
                    self._redaction.keep_cookies(response.headers.get_list("set-cookie"))
                    content = self._read(response)
            self.told_time = _date_of(response.headers) or self.told_time
            excerpt = "(not shown)" if answer_is_secret else self._redaction.excerpt(content)
            answer = Answer(response.status_code, content, excerpt, response.headers)
            if answer.status_code >= 300 and answer.status_code not in accept:
                code, words = self.explained(answer, explain) if explain is not None else ("", excerpt)
                raise self._error(answer, code=code, words=words)
        return answer

    def explained(self, answer: Answer, explain: Explain) -> tuple[str, str]:
        """Return the LMS's own code and words for a refusal, without secrets.

        The code is empty if there is none; where there are no words, the start of the body stands in for them.
        """
        code, words = explain(answer)
        return self.redacted(code), self.redacted(words) or answer.excerpt

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise httpx's exceptions as ours."""
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            # Python's IDNA codec raises the last one for a host name with an empty or overlong part.
            raise ConfigurationError(f"The base URL cannot be used: {self.redacted(str(error))}") from error
        except httpx.ReadTimeout as error:
            raise TimedOutError("The learning system did not answer in time (ReadTimeout).") from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"The learning system did not answer in time ({type(error).__name__}).") from error
        except httpx.RequestError as error:  # A broken connection, or a body that does not decompress.
            reason = self.redacted(str(error)) or type(error).__name__
            raise RetryableError(f"The connection to the learning system failed: {reason}") from error

    def _read(self, response: httpx.Response) -> bytes:
        """Return the decompressed body. httpx would decompress it, too, but without a limit."""
        assert isinstance(response.stream, httpx.SyncByteStream)
        encoding = response.headers.get("content-encoding", "")
        parts = []
        try:
            for part in decoded(response.stream, encoding=encoding, limit=MAX_ANSWER_BYTES):
                parts.append(part)
                check_call()  # Sockets check it when they wait; a response that never lets them wait is endless, too.
        except TooLargeError as error:
            raise AnswerTooLargeError(str(error), status_code=response.status_code) from error
        except BodyError as error:
            raise RetryableError(str(error), status_code=response.status_code) from error
        return b"".join(parts)

    def _error(self, answer: Answer, *, code: str, words: str) -> SyncError:
        """Return the exception for an answer that is none to go on with."""
        status = answer.status_code
        told = f"The learning system answered {status}{f': {words}' if words else '.'}"
        if status < 400:
            where = self.redacted(answer.headers.get("location", "nowhere"))[:_LOCATION_LENGTH]
            message = f"The learning system redirects to {where}; is the base URL right?"
            return ConfigurationError(message, status_code=status)
        if status in (401, 403):
            return CredentialsError(told, status_code=status, vendor_code=code)
        if status == 429:
            wait = retry_after_seconds(answer.headers)
            return ThrottledError(told, status_code=status, vendor_code=code, retry_after_seconds=wait)
        if status in (408, 425) or status >= 500:
            wait = retry_after_seconds(answer.headers)
            kind = TimedOutError if status in _PROXY_TIMEOUTS else RetryableError
            return kind(told, status_code=status, vendor_code=code, retry_after_seconds=wait)
        return RejectedError(told, status_code=status, vendor_code=code)


def form_encoded(form: Mapping[str, str]) -> bytes:
    """Return what the standard library's ``urlencode`` makes of ``form``.

    That one looks at every character by itself, which is a fifth of a whole run that creates courses.
    """
    return b"&".join(b"%b=%b" % (_quoted_name(name), _quoted(value)) for name, value in form.items())


def _quoted(text: str) -> bytes:
    """Return ``text`` percent-encoded, by a pass over all of it for each of the few bytes that are unsafe in it."""
    quoted = text.encode()
    if unsafe := set(quoted.translate(None, _SAFE_IN_FORM)):
        quoted = quoted.replace(b"%", b"%25")
        for byte in unsafe - set(b"%"):
            quoted = quoted.replace(bytes((byte,)), b"%%%02X" % byte)
    return quoted.replace(b" ", b"+")


#: Those of a chunk's calls are the same in each; PHP takes a thousand of them in one call.
_quoted_name = functools.lru_cache(1_024)(_quoted)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust. Reading it takes longer than a whole run that finds nothing to do."""
    return httpx.create_ssl_context()


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return how long ``Retry-After`` (seconds, or an HTTP date) asks to wait; ``None`` without a readable one.

    At most :data:`MAX_RETRY_AFTER_SECONDS`.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    moment = _moment(value)
    if moment is None:
        return None
    wait = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)


def _date_of(headers: Mapping[str, str]) -> datetime | None:
    return _moment(headers.get("date", ""))


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    # A zone of "-0000", or none, says UTC without saying where the sender is.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
