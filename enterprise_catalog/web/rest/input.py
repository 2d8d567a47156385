"""Request bodies and parameters: bounded before they are parsed, and validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import orjson
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser

from enterprise_catalog.web.rest.errors import BodyTooLargeError

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

Instance = TypeVar("Instance")

#: Parameters or members of a body, by name. The serializer that validates them determines their types.
Values: TypeAlias = dict[str, Any]
#: DRF's context of a parser: ``request`` is the :class:`~rest_framework.request.Request`.
ParserContext: TypeAlias = Mapping[str, Any]

#: The largest body of a request that contains no list of content keys.
MAX_OBJECT_BYTES: Final = 2**20


class LengthRequiredError(APIException):
    """A chunked body without ``Content-Length``, which DRF would treat as empty."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "Send the body with a Content-Length."
    default_code = "length_required"


class ObjectParser(BaseParser):
    """Parses ``application/json`` of at most ``MAX_OBJECT_BYTES``; accepts objects only."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: ParserContext | None = None
    ) -> dict[str, object]:
        """Return the object.

        Raises:
            BodyTooLargeError: 413.
            ValidationError: 400; the body is not a JSON object. The message contains no part of the body.
        """
        assert parser_context is not None  # DRF always passes it.
        body = read_body(stream, parser_context["request"], limit=MAX_OBJECT_BYTES)
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _refusal(f"Invalid JSON at line {error.lineno} column {error.colno}.") from None
        if not isinstance(value, dict):
            raise _refusal("Must be a JSON object.")
        return value


def _refusal(message: str) -> ValidationError:
    return ValidationError({"body": [message]}, code="parse_error")


def read_body(stream: IO[bytes], request: Request, *, limit: int) -> bytes:
    """Return the request's body.

    Raises:
        BodyTooLargeError: decided by ``Content-Length`` if sent, otherwise once more bytes than ``limit`` are read.
    """
    if declared_length(request) > limit:
        raise BodyTooLargeError(limit)
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLargeError(limit)
    return body


def declared_length(request: Request) -> int:
    """Return the request's ``Content-Length`` in bytes; 0 if it is missing or not a number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdecimal() else 0


def require_length(request: Request) -> None:
    """Reject a chunked body.

    Raises:
        LengthRequiredError: the body is chunked.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequiredError


def body_of(request: Request) -> Values:
    """Return the JSON object in the request's body; an empty object if there is no body.

    Raises:
        LengthRequiredError: the body is chunked.
        ValidationError, UnsupportedMediaType, BodyTooLargeError: the body is not a JSON object of at most 1 MiB.
    """
    require_length(request)
    return dict(request.data) if declared_length(request) else {}


def validate(
    serializer_class: type[BaseSerializer[Instance]], data: Mapping[str, object], *, is_partial: bool = False
) -> Values:
    """Validate ``data``, a request's parameters, and return the serializer's values.

    Args:
        is_partial: required parameters may be missing.

    Raises:
        ValidationError: a parameter is not valid; contains its name.
    """
    serializer = serializer_class(data=data, partial=is_partial)
    serializer.is_valid(raise_exception=True)
    checked: Values = serializer.validated_data
    return checked
