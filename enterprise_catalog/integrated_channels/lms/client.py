"""HTTP client for all LMSs: timeouts, size limits, status codes to exceptions, redaction.

Rules for all LMSs are here. A channel parses bodies and raises the errors that are specific to its LMS.
"""

from __future__ import annotations

import copy
import functools
import string
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self, TypedDict

import httpx
import orjson
from prometheus_client import Histogram

from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    ResponseTooLargeError,
    RetryableError,
    ThrottledError,
    TimedOutError,
)
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock, check_call
from enterprise_catalog.integrated_channels.lms.ssrf import DeadlineTransport, PublicTransport
from enterprise_catalog.observability.redaction import Redaction
from enterprise_catalog.service_client.decoding import ACCEPTED, BodyError, TooLargeError, decode
from enterprise_catalog.service_client.http_dates import parse_http_date, retry_after_seconds

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.exceptions import SyncError

TIMEOUT: Final = httpx.Timeout(
    connect=5, read=60, write=30, pool=5
)  #: In seconds, for each read and write; ``deadlines.py`` limits the whole call.
_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": ACCEPTED, "User-Agent": f"python-httpx/{httpx.__version__}"}
MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
#: Maximum number of ``[`` and ``{`` in a response. Its JSON then takes at most about 200 MB of memory.
MAX_JSON_CONTAINERS: Final = 500_000
#: Shorter responses cannot contain too many containers and are not searched; in bytes.
_CONTENT_WITH_FEW_CONTAINERS: Final = 1024 * 1024
CALLS: Final = Histogram(
    "channels_call_duration_seconds",
    "Duration of calls to LMSs, by class of the HTTP status; none without a response.",
    ["channel", "status"],
    buckets=(0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 100),
)
#: A proxy timed out (504, and Cloudflare's 524); the LMS may still be processing the call.
_PROXY_TIMEOUTS: Final = (504, 524)
_LOCATION_LENGTH: Final = 300  #: Of a redirect's target in a message, in characters.

#: Bytes that a form contains unchanged. Spaces become plus signs after all plus signs of the text are encoded.
_SAFE_IN_FORM: Final = (string.ascii_letters + string.digits + "_.~- ").encode()
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class LMSResponse:
    """A response from an LMS with a status below 300, or with a status that the caller accepts."""

    status_code: int
    content: bytes
    excerpt: str  #: Start of the body, redacted, for messages.
    headers: Mapping[str, str]  #: Names are case-insensitive.

    @property
    def next_link(self) -> str | None:
        """URL of the next page in the ``Link`` header: https://www.rfc-editor.org/rfc/rfc8288."""
        return httpx.Response(self.status_code, headers=self.headers).links.get("next", {}).get("url")

    def json(self) -> object:
        """Return the body's value.

        Raises:
            RetryableError: the body is not JSON, as from a proxy or a maintenance page, or would take too much memory.
                The LMS may or may not have applied the call.
        """
        # A list takes 56 bytes of memory for two bytes of JSON, a dictionary 232 bytes for six.
        is_large = len(self.content) > _CONTENT_WITH_FEW_CONTAINERS
        if is_large and self.content.count(b"[") + self.content.count(b"{") > MAX_JSON_CONTAINERS:
            message = f"The LMS returned more than {MAX_JSON_CONTAINERS:,} JSON lists and objects."
            raise RetryableError(message, status_code=self.status_code)
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            message = f"The LMS's response is not JSON: {self.excerpt or 'it is empty'}"
            raise RetryableError(message, status_code=self.status_code) from None


#: Returns the LMS's own error code and message from a response; each may be empty.
Explain = Callable[[LMSResponse], tuple[str, str]]


class RequestOptions(TypedDict, total=False):
    """Arguments of :meth:`LMSClient.send` that the clients of single LMSs pass on."""

    form: Mapping[str, str] | None
    json: object
    params: Mapping[str, str | Sequence[str]] | None
    headers: Mapping[str, str]
    response_is_secret: bool
    is_counted: bool
    explain: Explain | None


class BeforeCall(Protocol):
    """Called before each request; an exception prevents the request."""

    def __call__(self, *, is_counted: bool) -> None:
        """Allow one request.

        Args:
            is_counted: True if the request counts against the channel's rate limit.
        """


def _go_ahead(*, is_counted: bool) -> None:
    """Allow every request."""


class LMSClient:
    """HTTP client for one LMS. Use it as a context manager; it keeps connections open between calls."""

    def __init__(
        self,
        base_url: str,
        *,
        secrets: Iterable[str] = (),
        before_each_call: BeforeCall | None = None,
        private_addresses: bool = False,
        call_clock: CallClock | None = None,
        channel_code: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Create a client for ``base_url``. Sends nothing yet. Thread-safe.

        Args:
            secrets: values to redact from messages; see :meth:`keep_secret`.
            before_each_call: called before each request; an exception prevents the request.
            private_addresses: allow an LMS with a private address; for local use only.
            call_clock: limits the duration of calls; ``None`` means 100 seconds each.
            channel_code: label of the calls' metrics; without one, calls are not measured.
            transport: for tests; ``None`` means the network.
        """
        self._channel_code = channel_code
        self.base_url = base_url.rstrip("/")
        self.server_time: datetime | None = None  #: The LMS's time, from the ``Date`` header of its last response.
        self._before_each_call = before_each_call or _go_ahead
        self._call_clock = call_clock or CallClock()
        self._redaction = Redaction(secrets)
        # Without an ``httpx.Client``, whose redirects, proxies, cookies and authentication take a fifth of a call's CPU
        # time. A redirect means that the base URL is wrong, and a POST that follows a 303 turns into a GET without its
        # parameters. A proxy from the environment would bypass the check of addresses.
        kind = DeadlineTransport if private_addresses else PublicTransport
        self._transport = transport or kind(verify=certificates())
        self._extensions = {"timeout": TIMEOUT.as_dict()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def at(self, base_url: str) -> LMSClient:
        """Return a client for another URL of the LMS, such as its token endpoint. Closed together with this client."""
        other = copy.copy(self)
        other.base_url = base_url.rstrip("/")
        return other

    def keep_secret(self, value: str) -> None:
        """Redact ``value``, such as a new token, from all messages from now on."""
        self._redaction.keep_secret(value)

    def redacted(self, text: str) -> str:
        """Return ``text`` with each known secret, in any common encoding, replaced by ``[secret]``."""
        return self._redaction.redacted(text)

    def send(  # noqa: PLR0913  (all that makes a request, by name)
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        response_is_secret: bool = False,
        is_counted: bool = True,
        explain: Explain | None = None,
    ) -> LMSResponse:
        """Send one request and return the response.

        Args:
            path: below the base URL, with a leading slash.
            form: the body, form-encoded in the given order.
            json: the body, as JSON; ``None`` for no body.
            accept: further statuses that are returned instead of raised.
            response_is_secret: the response may contain a secret that is not known yet, such as a token; no message
                quotes it.
            is_counted: True if the call counts against the channel's rate limit.
            explain: extracts the LMS's code and message from an error response. Exceptions then contain these instead
                of the start of the body; see :meth:`explained`.

        Raises:
            RetryableError: no connection, a timeout, a broken or too large response, 408, 425, 5xx.
            DeadlineExceededError: the whole call took too long.
            LMSTooSlowError: consecutive failed calls have used up the time of a call, or the run has no time left.
            StopRequestedError: a stop was requested, and the call was cut off.
            ThrottledError: 429.
            CredentialsError: 401 or 403.
            ConfigurationError: a redirect; the message contains its target.
            RejectedError: any other status from 400.
        """
        self._before_each_call(is_counted=is_counted)
        with self._call_clock.call():
            with self._translate_errors(), self._measured() as responses:
                request = self._request(method, path, form=form, json=json, params=params, headers=headers)
                with closing(self._transport.handle_request(request)) as raw:
                    responses.append(raw)
                    self._redaction.keep_cookies(raw.headers.get_list("set-cookie"))
                    content = self._read(raw)
            self.server_time = _date_of(raw.headers) or self.server_time
            excerpt = "(not shown)" if response_is_secret else self._redaction.excerpt(content)
            response = LMSResponse(raw.status_code, content, excerpt, raw.headers)
            if response.status_code >= 300 and response.status_code not in accept:
                code, text = self.explained(response, explain) if explain is not None else ("", excerpt)
                raise self._error(response, code=code, text=text)
        return response

    def _request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None,
        json: object,
        params: Mapping[str, str | Sequence[str]] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        """Return the request that :meth:`send` describes."""
        content, sent_headers = None, {**_HEADERS, **(headers or {})}
        if form is not None:
            content = form_encoded(form)
            sent_headers |= _FORM
        elif json is not None:
            content = orjson.dumps(json)
            sent_headers.setdefault("Content-Type", "application/json")
        url = _url(self.base_url + path)
        return httpx.Request(
            method, url, params=params, headers=sent_headers, content=content, extensions=self._extensions
        )

    def explained(self, response: LMSResponse, explain: Explain) -> tuple[str, str]:
        """Return the LMS's own code and message for an error, redacted.

        The code may be empty. An empty message is replaced by the start of the body.
        """
        code, text = explain(response)
        return self.redacted(code), self.redacted(text) or response.excerpt

    @contextmanager
    def _measured(self) -> Iterator[list[httpx.Response]]:
        """Measure the call in the block, which adds its response to the list, if there is one."""
        responses: list[httpx.Response] = []
        began = time.monotonic()
        try:
            yield responses
        finally:
            if self._channel_code:
                status = f"{responses[0].status_code // 100}xx" if responses else "none"
                CALLS.labels(self._channel_code, status).observe(time.monotonic() - began)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate httpx's exceptions into those of this package."""
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            # UnicodeError: Python's IDNA codec raises it for a host name with an empty or overlong label.
            raise ConfigurationError(f"The base URL is invalid: {self.redacted(str(error))}") from error
        except httpx.ReadTimeout as error:
            raise TimedOutError("The LMS did not respond in time (ReadTimeout).") from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"The LMS did not respond in time ({type(error).__name__}).") from error
        except httpx.RequestError as error:  # A broken connection, or a body that does not decompress.
            reason = self.redacted(str(error)) or type(error).__name__
            raise RetryableError(f"The connection to the LMS failed: {reason}") from error

    def _read(self, raw: httpx.Response) -> bytes:
        """Return the decompressed body. httpx would decompress it without a size limit."""
        assert isinstance(raw.stream, httpx.SyncByteStream)
        encoding = raw.headers.get("content-encoding", "")
        parts = []
        try:
            for part in decode(raw.stream, encoding=encoding, limit=MAX_RESPONSE_BYTES):
                parts.append(part)
                check_call()  # Sockets check only while they wait; an endless response may never let them wait.
        except TooLargeError as error:
            raise ResponseTooLargeError(str(error), status_code=raw.status_code) from error
        except BodyError as error:
            raise RetryableError(str(error), status_code=raw.status_code) from error
        return b"".join(parts)

    def _error(self, response: LMSResponse, *, code: str, text: str) -> SyncError:
        """Return the exception for a response that :meth:`send` does not accept."""
        status = response.status_code
        summary = f"The LMS returned {status}{f': {text}' if text else '.'}"
        if status < 400:
            where = self.redacted(response.headers.get("location", "an unknown address"))[:_LOCATION_LENGTH]
            message = f"The LMS redirects to {where}. Check the base URL."
            return ConfigurationError(message, status_code=status)
        if status in (401, 403):
            return CredentialsError(summary, status_code=status, vendor_code=code)
        if status == 429:
            wait = retry_after_seconds(response.headers)
            return ThrottledError(summary, status_code=status, vendor_code=code, retry_after_seconds=wait)
        if status in (408, 425) or status >= 500:
            wait = retry_after_seconds(response.headers)
            kind = TimedOutError if status in _PROXY_TIMEOUTS else RetryableError
            return kind(summary, status_code=status, vendor_code=code, retry_after_seconds=wait)
        return RejectedError(summary, status_code=status, vendor_code=code)


def form_encoded(form: Mapping[str, str]) -> bytes:
    """Return ``form`` encoded exactly as by the standard library's ``urlencode``, but faster.

    ``urlencode`` processes each character separately. That takes a fifth of a whole run that creates courses.
    """
    values = _quoted("\0".join(form.values()), separator=b"\0").split(b"\0")
    if len(values) != len(form):  # A value contains the separator, or there are no values.
        values = [_quoted(value) for value in form.values()]
    return b"&".join(b"%b=%b" % (_quoted_name(name), value) for name, value in zip(form, values, strict=True))


def _quoted(text: str, *, separator: bytes = b"") -> bytes:
    """Return ``text`` percent-encoded, with one pass over the text for each distinct unsafe byte.

    Args:
        separator: an unsafe byte that stays as it is.
    """
    quoted = text.encode()
    if unsafe := set(quoted.translate(None, _SAFE_IN_FORM + separator)):
        quoted = quoted.replace(b"%", b"%25")
        for byte in unsafe - set(b"%"):
            quoted = quoted.replace(bytes((byte,)), b"%%%02X" % byte)
    return quoted.replace(b" ", b"+")


#: The calls of a chunk repeat the same names; PHP accepts 1,000 of them per call.
_quoted_name = functools.lru_cache(1_024)(_quoted)


@functools.lru_cache(256)
def _url(text: str) -> httpx.URL:
    """Return the parsed URL. Many calls have the same one.

    Raises:
        InvalidURL: it has no valid host.
    """
    url = httpx.URL(text)
    if url.scheme and not url.host:
        raise httpx.InvalidURL("There is no host.")
    return url


@functools.cache
def certificates() -> ssl.SSLContext:
    """Return the trusted certificates. Loading them takes longer than a whole run that has nothing to do."""
    return httpx.create_ssl_context()


def _date_of(headers: Mapping[str, str]) -> datetime | None:
    return parse_http_date(headers.get("date", ""))
