"""Cursors for keyset-paginated lists: a page continues after the last key of the page before."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.request import Request


class BadCursorError(ValueError):
    """Text that is not a cursor of this API."""


def cursor_after(request: Request, key: str) -> str:
    """Return the URL of the page that starts after ``key``, with the request's other parameters."""
    return replace_query_param(request.build_absolute_uri(), "cursor", _cursor_of_key(key))


def key_of_cursor(cursor: str) -> str:
    """Return the key encoded in ``cursor``; an empty cursor gives an empty key, which sorts before all others.

    Raises:
        BadCursorError: ``cursor`` is not a cursor of this API.
    """
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise BadCursorError(cursor) from error
    # The decoder skips characters outside its alphabet. Such text could decode to the first page's cursor.
    if _cursor_of_key(key) != cursor:
        raise BadCursorError(cursor)
    return key


def _cursor_of_key(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()
