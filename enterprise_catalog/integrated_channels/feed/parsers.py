"""Parsers of an LMS's request for a feed token. They accept only small bodies with text fields."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

import msgspec
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FORM_BYTES: Final = 16_384


class FormTooLargeError(APIException):
    """The body exceeds ``MAX_FORM_BYTES``."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body of a token request must not exceed {MAX_FORM_BYTES:,} bytes."
    default_code = "body_too_large"


class _TokenRequest(msgspec.Struct):
    grant_type: str = ""
    client_id: str = ""
    client_secret: str = ""


_decode: Final = msgspec.json.Decoder(_TokenRequest).decode


class TokenFormParser(BaseParser):
    """Parses ``application/x-www-form-urlencoded`` in UTF-8. Bytes that are not UTF-8 match no password."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> QueryDict:
        try:
            return QueryDict(_read(stream))
        except ValueError as error:  # Includes Django's limit on the number of fields.
            raise ParseError("The body is not a valid form.") from error


class TokenJSONParser(BaseParser):
    """Parses ``application/json``. Ignores other fields, at any depth."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Mapping[str, str]:
        """Return the fields of an OAuth 2 token request; a missing field is an empty string.

        Raises:
            ParseError: 400; the body is not a JSON object, or one of the fields is not a UTF-8 string.
            FormTooLargeError: 413; the body exceeds ``MAX_FORM_BYTES``.
        """
        try:
            return msgspec.structs.asdict(_decode(_read(stream)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError("The body is not a JSON object with grant_type, client_id and client_secret.") from error


def _read(stream: IO[bytes]) -> bytes:
    body = stream.read(MAX_FORM_BYTES + 1)
    if len(body) > MAX_FORM_BYTES:
        raise FormTooLargeError
    return body
