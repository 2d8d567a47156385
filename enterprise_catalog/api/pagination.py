"""Cursors for keyset-paginated lists, and numbered pages for short lists."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from django.core.paginator import Page
    from rest_framework.request import Request


class BadCursorError(ValueError):
    """Text that is not a cursor of this API."""


class _ShortPaginator(Paginator):  # type: ignore[type-arg]  # only its stubs are generic
    """Paginates lists that rarely have more than one page: a short first page is counted without a query."""

    def page(self, number: int | str) -> Page[object]:
        """Return a page, starting with 1. Raises ``InvalidPage`` if ``number`` is not a number or has no page."""
        if str(number) == "1":
            first = list(self.object_list[: self.per_page])
            if len(first) < self.per_page:
                self.object_list = first
        return super().page(number)


class CatalogPagination(PageNumberPagination):
    """Numbered pages of catalogs: 100 a page by default, at most 1,000."""

    django_paginator_class = _ShortPaginator
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000


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
