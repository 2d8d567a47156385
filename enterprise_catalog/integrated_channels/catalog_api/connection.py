"""Requests to the catalog service, with their limits and failures.

Uses Open edX's ``OAuthAPIClient``. Every failure is a ``CatalogUnavailableError``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import orjson
import requests
import urllib3
from django.conf import settings
from pydantic import BaseModel, ValidationError

from enterprise_catalog.integrated_channels.catalog_api.problems import CATALOG_REMEDIES
from enterprise_catalog.integrated_channels.domain import MAX_ETAG_LENGTH
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.lms.deadlines import WorkThread
from enterprise_catalog.observability.redaction import Redaction
from enterprise_catalog.service_client.decoding import BodyError
from enterprise_catalog.service_client.problems import connection_problem, status_problem
from enterprise_catalog.service_client.session import ServiceResponse, ServiceSession, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ_TIMEOUT_SECONDS: Final = 120
#: Maximum duration of a request, including the token request, in seconds. A run renews its lease before each request.
REQUEST_SECONDS: Final = 150.0
MAX_RESPONSE_BYTES: Final = 1024 * 1024 * 1024  #: Far more than the diff of the largest catalogs.
#: An entity tag as defined in RFC 9110, 8.8.3. Any other value, above all ``*``, would change the meaning of the
#: request when sent back.
_ETAG: Final = re.compile(r'(?:W/)?"[!#-~\x80-\xff]+"')

M = TypeVar("M", bound=BaseModel)


class CatalogConnection:
    """A session with the OAuth 2 credentials from the settings. Close it after use."""

    def __init__(
        self,
        *,
        read_timeout_seconds: float,
        before_each_request: Callable[[], None],
        run_seconds_left: Callable[[], float],
    ) -> None:
        self._read_timeout_seconds = read_timeout_seconds
        self._before_each_request = before_each_request
        self._run_seconds_left = run_seconds_left
        self._thread = WorkThread()
        self._session = ServiceSession(token_timeout_seconds=read_timeout_seconds)
        # Compression takes the service four times as long as finding the documents. It would save time only on lines
        # below 100 Mbit/s.
        self._session.headers["Accept-Encoding"] = "identity"

    def close(self) -> None:
        """Close the session and its thread."""
        self._thread.close()
        self._session.close()

    def ask(self, method: str, url: str, model: type[M], body: Mapping[str, object] | None = None) -> M:
        """Return the body of a response with status 200.

        Raises:
            CatalogUnavailableError: no response, or an invalid response.
        """
        return read_body(self.send(method, url, body=body), model)

    def send(
        self, method: str, url: str, *, body: Mapping[str, object] | None = None, etag: str = ""
    ) -> ServiceResponse:
        """Return the response: status 200, or 304 if ``etag`` was sent.

        Raises:
            CatalogUnavailableError: no response, or another status.
            RunDeadlineError: the run's time ended before the response came.
        """
        self._before_each_request()
        headers = {"If-None-Match": etag} if etag else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else orjson.dumps(body)
        left = self._run_seconds_left()
        try:
            response = self._thread.run(
                lambda: self._session.fetch(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    read_timeout_seconds=self._read_timeout_seconds,
                    seconds=REQUEST_SECONDS,
                    max_bytes=MAX_RESPONSE_BYTES,
                ),
                seconds=min(REQUEST_SECONDS, left),
            )
        except TimeoutError as error:
            if left < REQUEST_SECONDS:
                raise RunDeadlineError from error
            message = f"The catalog service did not respond to {method} {url} within {REQUEST_SECONDS:g} seconds."
            raise CatalogUnavailableError(message) from error
        except TokenError as error:
            where = f"The token endpoint of {settings.OAUTH2_PROVIDER_URL}"
            raise CatalogUnavailableError(self._redaction().redacted(f"{where} {error}")) from error
        except BodyError as error:
            raise CatalogUnavailableError(f"The catalog service returned an invalid response: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The text may contain a URL, such as the target of a redirect.
            reason = self._redaction().redacted(connection_problem(error, setting="CATALOG_API_URL"))
            raise CatalogUnavailableError(f"The catalog service is unreachable: {reason}") from error
        expected = (requests.codes.ok, requests.codes.not_modified) if etag else (requests.codes.ok,)
        if response.status_code not in expected:
            raise self._refusal(response, f"{method} {url}")
        return response

    def _refusal(self, response: ServiceResponse, request: str) -> CatalogUnavailableError:
        status, redaction = response.status_code, self._redaction()
        location = redaction.redacted(response.headers.get("Location", ""))
        remedy = status_problem(status, location=location, remedies=CATALOG_REMEDIES, setting="CATALOG_API_URL")
        excerpt = redaction.excerpt(response.content)
        parts = (f"The catalog service returned {status} for {request}.", remedy, excerpt and f"Response: {excerpt}")
        return CatalogUnavailableError(" ".join(part for part in parts if part), status_code=status)

    def _redaction(self) -> Redaction:
        """Return the redaction of the client secret and the token, which any response may repeat."""
        return Redaction([settings.OAUTH2_CLIENT_SECRET, self._session.auth.token or ""])


def read_body(response: ServiceResponse, model: type[M]) -> M:
    """Return the parsed body.

    Raises:
        CatalogUnavailableError: it is not JSON, or does not have the model's fields.
    """
    try:
        # orjson also parsed the documents at import; pydantic's JSON parser rejects some documents that orjson accepts.
        return model.model_validate(orjson.loads(response.content))
    except orjson.JSONDecodeError as error:
        kind = response.headers.get("Content-Type", "")
        hint = f" Its type is {kind}. Check CATALOG_API_URL." if "json" not in kind else ""
        raise CatalogUnavailableError(f"The catalog service's response is not JSON: {error}.{hint}") from None
    except ValidationError as error:
        raise CatalogUnavailableError(f"The catalog service's response is invalid: {first_problem(error)}") from error


def etag_of(response: ServiceResponse) -> str:
    """Return the response's entity tag; empty if it has none, or none that can be sent back."""
    etag = response.headers.get("ETag", "")
    return etag if len(etag) <= MAX_ETAG_LENGTH and _ETAG.fullmatch(etag) else ""


def are_alike(etag: str, other: str) -> bool:
    """Compare weakly (RFC 9110, 8.8.3.2): a proxy that compresses a response turns a strong ETag into a weak one."""
    return etag.removeprefix("W/") == other.removeprefix("W/")


def first_problem(error: ValidationError) -> str:
    """Return the path of the first invalid field and its problem, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
