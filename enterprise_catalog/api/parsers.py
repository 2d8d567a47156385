"""Request bodies: JSON with content keys, with limits before and during parsing."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from enterprise_catalog.api.content_keys import decode_content_keys
from enterprise_catalog.web.rest.input import read_body

if TYPE_CHECKING:
    from enterprise_catalog.web.rest.input import ParserContext


class ParsedKeys:
    """Content keys that can be taken only once.

    A request and its view refer to each other: both live until the next garbage collection. The keys, up to 100 MB,
    must be released earlier.
    """

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys

    def take(self) -> list[str]:
        """Return the keys and release them."""
        keys, self._keys = self._keys, []
        return keys


class ContentKeysParser(BaseParser):
    """Parses ``application/json`` into content keys, within the view's ``key_limits``."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: ParserContext | None = None
    ) -> Any:
        """Return the :class:`ParsedKeys` of ``{"content_keys": […]}``.

        Raises:
            BodyTooLargeError: 413; decided by ``Content-Length`` if sent, otherwise once more bytes than the limit are
                read.
            KeysTooLargeError: 413; see :func:`decode_content_keys`.
            ValidationError: 400; contains the position of the first bad element, or of the JSON syntax error.
        """
        assert parser_context is not None  # DRF always passes it.
        min_keys, max_keys = parser_context["view"].key_limits
        body = read_body(stream, parser_context["request"], limit=settings.MAX_BODY_BYTES)
        return ParsedKeys(decode_content_keys(body, min_keys=min_keys, max_keys=max_keys))
