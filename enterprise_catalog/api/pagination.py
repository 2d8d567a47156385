"""Cursors of keyset-paged lists, and numbered pages for the short ones."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from django.core.paginator import Page
    from rest_framework.request import Request


class BadCursorError(ValueError):
    """Text that no answer of ours ever held as a cursor."""


class _ShortPaginator(Paginator):  # type: ignore[type-arg]  # only its stubs are generic
    """Pages of lists that are hardly ever longer than one: these are counted as they are read."""

    def page(self, number: int | str) -> Page[Any]:
        """Return a page, 1 being the first; a number that is none, or of no page, is an ``InvalidPage``."""
        if str(number) == "1":
            first = list(self.object_list[: self.per_page])
            if len(first) < self.per_page:
                self.object_list = first
        return super().page(number)


class CatalogPagination(PageNumberPagination):
    """Numbered pages of catalogs."""

    django_paginator_class = _ShortPaginator
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000


def cursor_after(request: Request, key: str) -> str:
    """Return the address of the page that starts after ``key``, with the request's other parameters."""
    return replace_query_param(request.build_absolute_uri(), "cursor", _cursor_of_key(key))


def key_of_cursor(cursor: str) -> str:
    """Return the key that ``cursor`` stands for; an empty cursor stands before all keys.

    Raises:
        BadCursorError: it is not one of ours.
    """
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise BadCursorError(cursor) from error
    # The decoder passes over characters that are not of its alphabet, and would take such text for the first page's.
    if _cursor_of_key(key) != cursor:
        raise BadCursorError(cursor)
    return key


def _cursor_of_key(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()
