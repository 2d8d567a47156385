"""One HTTP client for all learning systems: time-outs, bounded answers, status -> exceptions, redaction.

What holds for every LMS is decided here once; a channel reads bodies and raises what only it can know.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import orjson

from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TIMEOUT: Final = httpx.Timeout(connect=5, read=60, write=30, pool=5)  #: Seconds; read is per read, not for the answer.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_EXCERPT_LENGTH: Final = 300  #: In characters; what of a body that is no JSON is told to people.

#: Shorter values are too common in ordinary text to be taken out of it.
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """An LMS's answer with a status below 300."""

    status_code: int
    content: bytes
    excerpt: str  #: The start of the body, without secrets, for messages.

    def json(self) -> Any:
        """Return the body's value.

        Raises:
            RetryableError: it is no JSON; proxies and maintenance pages answer so, and whether the call was applied is
                not known.
        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            message = f"The learning system's answer is not JSON: {self.excerpt or 'it is empty'}"
            raise RetryableError(message, status_code=self.status_code) from None


class LMSClient:
    """Calls one learning system. Use it as a context manager; it keeps connections open between calls."""

    def __init__(
        self, base_url: str, *, secrets: Iterable[str] = (), transport: httpx.BaseTransport | None = None
    ) -> None:
        """Prepare calls to ``base_url``; nothing is sent yet.

        Args:
            secrets: values that no message may hold; see :meth:`keep_secret`.
            transport: for tests; ``None`` means the network.
        """
        self.base_url = base_url.rstrip("/")
        self._secrets = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        # Redirects are not followed: an LMS that answers one was given a wrong base URL, and a POST that follows a 303
        # turns into a GET without its parameters.
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def keep_secret(self, value: str) -> None:
        """Take ``value`` (a token that was just fetched, say) out of all messages from now on."""
        if len(value) >= _SHORTEST_SECRET:
            self._secrets.add(value)

    def redacted(self, text: str) -> str:
        """Return ``text`` with each known secret replaced by ``[secret]``."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text

    def send(
        self, method: str, path: str, *, form: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return the answer.

        Args:
            path: below the base URL, with its first slash.
            form: the body, form-encoded in the given order.

        Raises:
            RetryableError: no connection, a time-out, a broken or too large answer, 408, 425, 429, 5xx.
            CredentialsError: 401 or 403.
            ConfigurationError: a redirect; the message names where to.
            RejectedError: any other status from 400.
        """
        with (
            self._translated(),
            self._client.stream(method, self.base_url + path, data=form, params=params) as response,
        ):
            content = self._read(response)
        excerpt = self.redacted(content[: 4 * _EXCERPT_LENGTH].decode("utf-8", "replace"))[:_EXCERPT_LENGTH].strip()
        _raise_for_status(response, excerpt)
        return Answer(response.status_code, content, excerpt)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise httpx's exceptions as ours."""
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(f"The base URL cannot be used: {self.redacted(str(error))}") from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"The learning system did not answer in time ({type(error).__name__}).") from error
        except httpx.TransportError as error:
            reason = self.redacted(str(error)) or type(error).__name__
            raise RetryableError(f"The connection to the learning system failed: {reason}") from error

    def _read(self, response: httpx.Response) -> bytes:
        parts = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise RetryableError(
                    f"The answer is larger than {MAX_ANSWER_BYTES:,} bytes.", status_code=response.status_code
                )
        return b"".join(parts)


def _raise_for_status(response: httpx.Response, excerpt: str) -> None:
    status = response.status_code
    told = f"The learning system answered {status}{f': {excerpt}' if excerpt else '.'}"
    if status < 300:
        return
    if status < 400:
        where = response.headers.get("location", "nowhere")
        raise ConfigurationError(
            f"The learning system redirects to {where}; is the base URL right?", status_code=status
        )
    if status in (401, 403):
        raise CredentialsError(told, status_code=status)
    if status in (408, 425, 429) or status >= 500:
        raise RetryableError(told, status_code=status, retry_after_seconds=retry_after_seconds(response.headers))
    raise RejectedError(told, status_code=status)


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return how long ``Retry-After`` (seconds, or an HTTP date) asks to wait; ``None`` without a readable one."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((moment - (now or datetime.now(UTC))).total_seconds(), 0.0)
