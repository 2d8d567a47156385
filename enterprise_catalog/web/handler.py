"""Django's WSGI handler, for requests with a ``Content-Type`` that Django cannot decode and would answer with a 500."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from collections.abc import MutableMapping

#: Python's names of the accepted charsets. Others, such as ``rot13`` and ``idna``, raise an exception as soon as a
#: parameter is decoded.
_CHARSETS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


class Request(WSGIRequest):
    """A request that ignores the parameters of its ``Content-Type`` if the charset is not usable."""

    def _set_content_type_params(self, meta: MutableMapping[str, str]) -> None:
        meta["CONTENT_TYPE"] = usable_content_type(meta.get("CONTENT_TYPE", ""))
        super()._set_content_type_params(meta)  # type: ignore[misc]  # missing from the stubs


class Handler(WSGIHandler):
    """A WSGI handler whose requests are :class:`Request` objects."""

    request_class = Request


def usable_content_type(text: str) -> str:
    """Return the header unchanged, or only its media type if its parameters cannot be decoded."""
    try:
        _, parameters = parse_header_parameters(text)
        charset = codecs.lookup(parameters.get("charset", "utf-8")).name
    except (LookupError, ValueError):
        charset = None
    return text if charset in _CHARSETS else text.partition(";")[0]


def application() -> Handler:
    """Set up Django and return the WSGI application."""
    django.setup(set_prefix=False)
    return Handler()
