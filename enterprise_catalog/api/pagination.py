"""Numbered pages for short lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from rest_framework.pagination import PageNumberPagination

if TYPE_CHECKING:
    from django.core.paginator import Page


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
