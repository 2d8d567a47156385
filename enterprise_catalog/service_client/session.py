"""The session with a service: Open edX's client, with bounded responses, and causes when it gets no token."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import requests
from django.conf import settings
from edx_rest_api_client.client import OAuthAPIClient

from enterprise_catalog.service_client.decoding import decode
from enterprise_catalog.service_client.problems import TOKEN_REMEDIES, connection_problem, status_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT_SECONDS: Final = 5
#: Read size in bytes. With the default of requests (10 KB), reading takes a tenth of the time of a large diff.
_BYTES_AT_ONCE: Final = 1024 * 1024
_WRONG_PROVIDER: Final = "Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token."


class TokenError(Exception):
    """The client got no token. The text contains cause and remedy, and is not redacted yet."""

    def __init__(self, message: str, *, status_code: int | None = None, is_reachable: bool = True) -> None:
        super().__init__(message)
        self.status_code = status_code  #: Of the token endpoint; ``None`` without a response.
        self.is_reachable = is_reachable  #: ``False`` without a response, and for 5xx.


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A complete response of the service."""

    status_code: int
    headers: Mapping[str, str]  #: Names are case-insensitive.
    content: bytes  #: Decompressed.


class ServiceSession(OAuthAPIClient):
    """Open edX's client. Separates errors of the token endpoint from errors of the service."""

    def __init__(self, *, token_timeout_seconds: float) -> None:
        """Create a session with the credentials from the settings. Sends nothing yet.

        Args:
            token_timeout_seconds: maximum duration of each read from the token endpoint. The library's default of 5
                seconds would stop syncs when a site is busy.
        """
        super().__init__(
            settings.OAUTH2_PROVIDER_URL,
            settings.OAUTH2_CLIENT_ID,
            settings.OAUTH2_CLIENT_SECRET,
            timeout=(CONNECT_TIMEOUT_SECONDS, token_timeout_seconds),
        )

    def fetch(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        read_timeout_seconds: float,
        seconds: float,
        max_bytes: int,
    ) -> ServiceResponse:
        """Send a request, after a token request if needed, and read the whole body. Follows no redirect.

        Args:
            read_timeout_seconds: maximum duration of each read.
            seconds: maximum duration of the request, checked after each part of the body.
            max_bytes: maximum size of the body, before and after decompression.

        Raises:
            TokenError: no token.
            BodyError: the body is too large, or cannot be decompressed.
            TimeoutError: the request took longer than ``seconds``.
            requests.RequestException: no response.
            urllib3.exceptions.HTTPError: the response broke off.
        """
        ends_at = time.monotonic() + seconds
        parts = []
        # Following a redirect would turn a POST into a GET, which is a different request.
        with self.request(
            method,
            url,
            data=data,
            headers=headers,
            timeout=(CONNECT_TIMEOUT_SECONDS, read_timeout_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            raw = response.raw.stream(_BYTES_AT_ONCE, decode_content=False)
            for part in decode(raw, encoding=response.headers.get("Content-Encoding", ""), limit=max_bytes):
                parts.append(part)
                if time.monotonic() > ends_at:
                    raise TimeoutError
        return ServiceResponse(response.status_code, response.headers, b"".join(parts))

    def _ensure_authentication(self) -> None:
        try:
            super()._ensure_authentication()
        except requests.RequestException as error:
            raise _token_error(error) from error
        except (TypeError, ValueError, OverflowError) as error:  # JSON, but not a token response.
            raise TokenError(f"did not return a token ({type(error).__name__}). {_WRONG_PROVIDER}") from error


def _token_error(error: requests.RequestException) -> TokenError:
    response = error.response
    if response is None:
        problem = connection_problem(error, setting="OAUTH2_PROVIDER_URL")
        return TokenError(f"is unreachable: {problem}", is_reachable=False)
    status, location = response.status_code, ""
    if response.history:  # requests followed the redirect with a GET, which is a different request.
        status, location = response.history[0].status_code, response.history[0].headers.get("Location", "")
    elif response.ok:
        kind = response.headers.get("Content-Type", "a response")
        return TokenError(f"returned {kind} without a token. {_WRONG_PROVIDER}", status_code=status)
    remedy = status_problem(status, location=location, remedies=TOKEN_REMEDIES, setting="OAUTH2_PROVIDER_URL")
    is_reachable = status < requests.codes.server_error and status != requests.codes.too_many_requests
    return TokenError(f"returned {status}. {remedy}".strip(), status_code=status, is_reachable=is_reachable)
