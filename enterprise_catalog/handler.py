"""Django's WSGI handler, for requests whose ``Content-Type`` Django cannot decode: it would answer 500."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from collections.abc import MutableMapping

#: Python's names of the charsets that a request may name. Others, such as ``rot13`` and ``idna``, raise an exception as
#: soon as a parameter is decoded.
_CHARSETS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


class Request(WSGIRequest):
    """A request that ignores the parameters of a ``Content-Type`` if it names no usable charset."""

    def _set_content_type_params(self, meta: MutableMapping[str, Any]) -> None:
        meta["CONTENT_TYPE"] = usable_content_type(meta.get("CONTENT_TYPE", ""))
        super()._set_content_type_params(meta)  # type: ignore[misc]  # the stubs leave it out


class Handler(WSGIHandler):
    """Makes each request a :class:`Request`."""

    request_class = Request


def usable_content_type(text: str) -> str:
    """Return the header as it is, or only its media type if its parameters cannot be decoded."""
    try:
        _, parameters = parse_header_parameters(text)
        charset = codecs.lookup(parameters.get("charset", "utf-8")).name
    except (LookupError, ValueError):
        charset = None
    return text if charset in _CHARSETS else text.partition(";")[0]


def application() -> Handler:
    """Set Django up and return the WSGI application."""
    django.setup(set_prefix=False)
    return Handler()
