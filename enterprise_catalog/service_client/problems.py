"""Causes and remedies, for operators, when a service or its token endpoint cannot be used.

Uses no database. Redacts nothing: the caller redacts the arguments or the result.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError, ProtocolError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HTTP_HINT: Final = (
    "If the service redirects plain HTTP to HTTPS, use an https:// address, or set SECURE_SSL_REDIRECT=false for it to"
    " allow plain HTTP inside a cluster."
)
#: Remedy for an error that ends by itself.
TEMPORARY: Final = "See its log. The next run tries again."

#: Status -> remedy, for responses of the token endpoint.
TOKEN_REMEDIES: Final = {
    HTTPStatus.BAD_REQUEST: "Check that the client has the grant type client credentials.",
    HTTPStatus.UNAUTHORIZED: "It rejected the client's credentials. Check OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET.",
    HTTPStatus.FORBIDDEN: "Check that the client OAUTH2_CLIENT_ID is allowed to get tokens there.",
    HTTPStatus.NOT_FOUND: "Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token.",
    HTTPStatus.TOO_MANY_REQUESTS: TEMPORARY,
}


#: Class of the error or of an underlying error, cause, remedy. The first match counts.
_CAUSES: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (requests.exceptions.SSLError, "TLS failed", "Check its certificate, and the scheme of {setting}."),
    (requests.ConnectTimeout, "the connection timed out", "Check {setting} and the firewalls in between."),
    (requests.Timeout, "the response timed out", TEMPORARY),
    (ReadTimeoutError, "the response timed out", TEMPORARY),
    (NameResolutionError, "its host name cannot be resolved", "Check {setting}."),
    (NewConnectionError, "no connection", "Check that it is running, and check {setting}."),
    (ProtocolError, "the connection was closed early", TEMPORARY),
)


def connection_problem(error: Exception, *, setting: str) -> str:
    """Return the cause and the remedy for a request that got no complete response, in plain words.

    The error's own text is not part of it: it names Python's classes, repeats the URL, and may contain a secret.

    Args:
        error: from requests, or from urllib3 while the body is read.
        setting: name of the setting that contains the URL.
    """
    reasons = {type(reason) for reason in (error, *_reasons(error))}
    for kind, cause, remedy in _CAUSES:
        if any(issubclass(each, kind) for each in reasons):
            return f"{cause}. {remedy.format(setting=setting)}"
    if "timed out" in str(error):  # While reading a body; requests has no class for this.
        return f"the response timed out. {TEMPORARY}"
    return f"the request failed ({type(error).__name__}). Check {setting}."


def status_problem(status: int, *, location: str, remedies: Mapping[HTTPStatus, str], setting: str) -> str:
    """Return the remedy for a response with an unexpected status. Names the target of a redirect.

    Args:
        location: target of a redirect, redacted; empty if the response has none.
        remedies: status -> remedy; those of the service, or :data:`TOKEN_REMEDIES`.
        setting: name of the setting that contains the URL.
    """
    if location or status in _REDIRECTS:
        return f"It redirects to {location or 'an unknown address'}. Set {setting} to the new address. {_HTTP_HINT}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TEMPORARY
    return remedies.get(HTTPStatus(status), "") if status in _KNOWN else ""


_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KNOWN: Final = frozenset(HTTPStatus)


def _reasons(error: Exception) -> Iterator[BaseException]:
    """Yield the errors that caused an error of requests; urllib3 wraps its reasons in ``MaxRetryError``."""
    for argument in error.args:
        if isinstance(argument, BaseException):
            yield argument
            reason = getattr(argument, "reason", None)
            if isinstance(reason, BaseException):
                yield reason
