"""Cursors of keyset-paged lists, and numbered pages for the short ones."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from rest_framework.pagination import PageNumberPagination
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.request import Request


class BadCursorError(ValueError):
    """Text that no answer of ours ever held as a cursor."""


class CatalogPagination(PageNumberPagination):
    """Numbered pages of catalogs."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000


def cursor_after(request: Request, key: str) -> str:
    """Return the address of the page that starts after ``key``, with the request's other parameters."""
    cursor = base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def key_of_cursor(cursor: str) -> str:
    """Return the key that ``cursor`` stands for; an empty cursor stands before all keys.

    Raises:
        BadCursorError: it is not one of ours.
    """
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadCursorError(cursor) from error
