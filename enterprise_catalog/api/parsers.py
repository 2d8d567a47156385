"""Request bodies: JSON by orjson, never more of it than the limit, and errors that say where it breaks."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from enterprise_catalog.api.errors import BodyTooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping


class ORJSONParser(BaseParser):
    """Parses ``application/json``."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body's value.

        Raises:
            BodyTooLargeError: 413; decided by ``Content-Length`` if the caller sent it, else after the limit's bytes.
            ParseError: 400; not JSON in UTF-8, with the position.
        """
        limit = settings.MAX_BODY_BYTES
        request = (parser_context or {}).get("request")
        if request is not None and int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLargeError(limit)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLargeError(limit)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(
                f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}."
            ) from None
