"""Errors of requests to other services, sorted by what to do about them.

::

    ServiceError
     ├── NotConfiguredError        a setting is missing: an operator must act
     ├── CredentialsError          the service or its token endpoint rejects the client: an operator must act
     ├── UnreachableError          no complete response, or 5xx: the same request may work later
     │    └── RateLimitedError       429: the same request works after a wait
     ├── RequestRejectedError      the service rejects this request: repeating it does not help
     └── UnreadableResponseError   a response that is not what the service's API promises
          └── IncompleteListError    the pages of a list do not add up

Messages are one or a few plain sentences, with cause and remedy, and never contain a secret.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base class: the service could not be used. The text names the service, the cause and the remedy."""

    def __init__(self, message: str, *, status_code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code  #: HTTP status of the last response; ``None`` without a response.


class NotConfiguredError(ServiceError):
    """The setting with the service's URL is not set."""


class CredentialsError(ServiceError):
    """The token endpoint rejects the client's credentials, or the service rejects the token (401, 403)."""


class UnreachableError(ServiceError):
    """No complete response after all attempts: no connection, a timeout, a broken response, or 5xx."""

    def __init__(
        self, message: str, *, status_code: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, status_code=status_code)
        self.retry_after_seconds = retry_after_seconds  #: As the service requested; ``None`` if it did not.


class RateLimitedError(UnreachableError):
    """The service accepts no more requests for now (429)."""


class RequestRejectedError(ServiceError):
    """A redirect, or a status from 400 to 499 that is not about credentials or rates."""


class UnreadableResponseError(ServiceError):
    """Status 200 with a body that is too large, not JSON, or not of the promised shape."""


class IncompleteListError(UnreadableResponseError):
    """The pages of a list have other than the promised number of results, or the number changed between pages."""
