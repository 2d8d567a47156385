"""Error responses: DRF's shapes, with a stable ``code`` next to the text.

Errors of one field are ``{"<field>": ["message"], "code": "…"}``. All others are ``{"detail": "…", "code": "…"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.views import exception_handler as default_exception_handler

from enterprise_catalog.db.contention import ContentionError
from enterprise_catalog.web.rest.throttles import count_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request
    from rest_framework.response import Response

log = structlog.get_logger(__name__)

_REFUSALS: Final = (status.HTTP_401_UNAUTHORIZED, status.HTTP_403_FORBIDDEN)


class BodyTooLargeError(APIException):
    """The request's body is larger than :setting:`MAX_BODY_BYTES`."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit:,} bytes.")


class DatabaseUnavailableError(APIException):
    """The database is unreachable or timed out; the same request may succeed later."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database is unavailable. Try again later."
    default_code = "database_unavailable"


class _Context(TypedDict):
    """The entries of DRF's context for exception handlers that are used here."""

    request: Request


def exception_handler(error: Exception, context: _Context) -> Response | None:
    """Return DRF's response to ``error`` with its ``code``; ``None`` for other exceptions, which become a 500."""
    if isinstance(error, OperationalError | InterfaceError | ContentionError):
        log.error("database_unavailable", exc_info=error)
        error = DatabaseUnavailableError()
    response = default_exception_handler(error, {**context})
    if response is not None and response.status_code in _REFUSALS:
        retry_after = count_refusal(context["request"])
        if retry_after is not None:
            error = Throttled(retry_after)
            response = default_exception_handler(error, {**context})
    if response is not None and isinstance(response.data, dict):
        if isinstance(error, ValidationError):
            response.data = {name: [*_flat(messages)] for name, messages in response.data.items()}
        response.data.setdefault("code", _code(error))
    return response


def _flat(messages: object, path: str = "") -> Iterator[str]:
    """Yield the messages of a field as texts. Messages of a nested value begin with its path, such as ``[2]: ``."""
    if isinstance(messages, dict):
        for name, nested in messages.items():
            yield from _flat(nested, f"{path}[{name}]")
    elif isinstance(messages, list):
        for each in messages:
            yield from _flat(each, path)
    else:
        yield f"{path}: {messages}" if path else str(messages)


def _code(error: Exception) -> str:
    if isinstance(error, APIException):
        return _first(error.get_codes())
    return "not_found" if isinstance(error, Http404) else "permission_denied"


def _first(codes: object) -> str:
    """Return the first error code from DRF's codes, which are nested by field and position."""
    while not isinstance(codes, str):
        assert isinstance(codes, dict | list)
        codes = next(iter(codes.values() if isinstance(codes, dict) else codes))
    return codes
