"""Requests of JSON to one service, with retries, limits, and a check of every status and content type."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NoReturn, Self

import orjson
import requests
import urllib3
from django.conf import settings

from enterprise_catalog.observability.redaction import Redaction
from enterprise_catalog.service_client.bounded_thread import BoundedThread
from enterprise_catalog.service_client.decoding import ACCEPTED, BodyError
from enterprise_catalog.service_client.exceptions import (
    CredentialsError,
    RateLimitedError,
    RequestRejectedError,
    ServiceError,
    UnreachableError,
    UnreadableResponseError,
)
from enterprise_catalog.service_client.http_dates import retry_after_seconds
from enterprise_catalog.service_client.problems import connection_problem, status_problem
from enterprise_catalog.service_client.session import ServiceResponse, ServiceSession, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ_TIMEOUT_SECONDS: Final = 30
#: Maximum duration of an attempt, including the token request, in seconds.
ATTEMPT_SECONDS: Final = 60.0
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
#: Pauses before the second to the fifth attempt, unless the service requests another wait.
PAUSES_SECONDS: Final = (2.0, 4.0, 8.0, 16.0)
#: A longer ``Retry-After`` is left to the caller, who can use the time otherwise.
MAX_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, and its words in messages."""

    name: str  #: Opens a sentence, such as "Course-discovery".
    setting: str  #: Name of the setting that contains its URL.
    remedies: Mapping[HTTPStatus, str]  #: Remedies by status; statuses from 500 have one already.


class ServiceClient:
    """Client of one service, with the OAuth 2 credentials from the settings. Use it as a context manager.

    Repeats a request up to four times after a connection error, a timeout, a broken response, 429 or 5xx, so each
    request must be safe to repeat.
    """

    def __init__(self, service: Service, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Create a client. Sends nothing yet.

        Args:
            service: the service, for messages.
            sleep: called to wait before another attempt.
        """
        self.service = service
        self._sleep = sleep
        self._thread = BoundedThread()
        self._session = ServiceSession(token_timeout_seconds=READ_TIMEOUT_SECONDS)
        self._session.headers["Accept"] = "application/json"
        self._session.headers["Accept-Encoding"] = ACCEPTED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.close()
        self._session.close()

    def request(self, method: str, url: str, *, body: object = None) -> object:
        """Return the parsed JSON of a response with status 200.

        Args:
            body: sent as JSON; ``None`` sends no body.

        Raises:
            ServiceError: see the subclasses. The last attempt's error, if there were several attempts.
        """
        for pause in PAUSES_SECONDS:
            try:
                return self._attempt(method, url, body)
            except UnreachableError as error:
                wait = pause if error.retry_after_seconds is None else error.retry_after_seconds
                if wait > MAX_WAIT_SECONDS:
                    raise
                self._sleep(wait)
        return self._attempt(method, url, body)

    def _attempt(self, method: str, url: str, body: object) -> object:
        response = self._send(method, url, None if body is None else orjson.dumps(body))
        if response.status_code != HTTPStatus.OK:
            raise self._refusal(response, f"{method} {_without_query(url)}")
        return self._json_of(response)

    def _send(self, method: str, url: str, data: bytes | None) -> ServiceResponse:
        headers = {} if data is None else {"Content-Type": "application/json"}
        try:
            return self._thread.run(
                lambda: self._session.fetch(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    read_timeout_seconds=READ_TIMEOUT_SECONDS,
                    seconds=ATTEMPT_SECONDS,
                    max_bytes=MAX_RESPONSE_BYTES,
                ),
                seconds=ATTEMPT_SECONDS,
            )
        except TimeoutError as error:
            message = f"{self.service.name} did not respond to {method} {_without_query(url)} within"
            raise UnreachableError(f"{message} {ATTEMPT_SECONDS:g} seconds.") from error
        except TokenError as error:
            self._raise_token_error(error)
        except BodyError as error:
            raise UnreadableResponseError(f"{self.service.name} returned an invalid response: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The text may contain a URL, such as the target of a redirect.
            reason = self._redaction().redacted(connection_problem(error, setting=self.service.setting))
            raise UnreachableError(f"{self.service.name} is unreachable: {reason}") from error

    def _raise_token_error(self, error: TokenError) -> NoReturn:
        message = self._redaction().redacted(f"The token endpoint of {settings.OAUTH2_PROVIDER_URL} {error}")
        kind = CredentialsError if error.is_reachable else UnreachableError
        raise kind(message, status_code=error.status_code) from error

    def _refusal(self, response: ServiceResponse, request: str) -> ServiceError:
        status, redaction = response.status_code, self._redaction()
        remedy = status_problem(
            status,
            location=redaction.redacted(response.headers.get("Location", "")),
            remedies=self.service.remedies,
            setting=self.service.setting,
        )
        excerpt = redaction.excerpt(response.content)
        parts = (f"{self.service.name} returned {status} for {request}.", remedy, excerpt and f"Response: {excerpt}")
        message = " ".join(part for part in parts if part)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return CredentialsError(message, status_code=status)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = RateLimitedError if status == HTTPStatus.TOO_MANY_REQUESTS else UnreachableError
            wait = retry_after_seconds(response.headers)
            return kind(message, status_code=status, retry_after_seconds=wait)
        return RequestRejectedError(message, status_code=status)

    def _json_of(self, response: ServiceResponse) -> object:
        kind = response.headers.get("Content-Type", "no content type")
        if "json" not in kind:
            excerpt = self._redaction().excerpt(response.content)
            message = f"{self.service.name} returned {kind} instead of JSON. Check {self.service.setting}. {excerpt}"
            raise UnreadableResponseError(message.strip(), status_code=response.status_code)
        try:
            parsed: object = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            message = f"{self.service.name} returned invalid JSON: {error}. See its log."
            raise UnreadableResponseError(message, status_code=response.status_code) from error
        return parsed

    def _redaction(self) -> Redaction:
        """Return the redaction of the client secret and the token, which any response may repeat."""
        return Redaction([settings.OAUTH2_CLIENT_SECRET, self._session.auth.token or ""])


def _without_query(url: str) -> str:
    return url.partition("?")[0]
