"""Pages of a list: with numbers, or with offsets, as Django REST framework's paginators make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug import Request

T = TypeVar("T")
R = TypeVar("R")


class NoPageError(Exception):
    """The list has no such page."""


class Page(TypedDict, Generic[R]):
    """The JSON of a page."""

    count: int  #: Of all items.
    next: str | None
    previous: None
    results: list[R]


def numbered_page(
    request: Request,
    items: Sequence[T],
    render: Callable[[Sequence[T]], list[R]],
    *,
    default_size: int,
    max_size: int,
) -> Page[R]:
    """Return the page that the parameters ``page`` and ``page_size`` select.

    Args:
        render: returns the results for the items of the page.

    Raises:
        NoPageError: the number is invalid, or after the last page.
    """
    size = min(_positive(request.args.get("page_size", ""), default_size), max_size)
    number = _positive(request.args.get("page", "1"), 0)
    start = (number - 1) * size
    if number < 1 or (start and start >= len(items)):
        raise NoPageError
    following = number + 1 if start + size < len(items) else None
    return _page(request, len(items), render(items[start : start + size]), {"page": following})


def offset_page(
    request: Request,
    items: Sequence[T],
    render: Callable[[Sequence[T]], list[R]],
    *,
    default_size: int,
    max_size: int,
) -> Page[R]:
    """Return the page that the parameters ``offset`` and ``limit`` select, or ``page`` and ``page_size``."""
    if "page" in request.args:
        return numbered_page(request, items, render, default_size=default_size, max_size=max_size)
    limit = min(_positive(request.args.get("limit", ""), default_size), max_size)
    offset = _positive(request.args.get("offset", ""), 0)
    following = offset + limit if offset + limit < len(items) else None
    return _page(request, len(items), render(items[offset : offset + limit]), {"offset": following})


def _page(request: Request, count: int, results: list[R], following: Mapping[str, int | None]) -> Page[R]:
    [(name, position)] = following.items()
    parameters = [(each, value) for each, value in request.args.items(multi=True) if each != name]
    url = f"{request.base_url}?{urlencode([*parameters, (name, position)])}"
    return {"count": count, "next": None if position is None else url, "previous": None, "results": results}


def _positive(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and int(text) > 0 else default
