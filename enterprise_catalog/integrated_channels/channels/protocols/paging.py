"""Pagination: fetches each page once, detects loops, and never follows a link to another host."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlsplit

from enterprise_catalog.integrated_channels.exceptions import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

Q = TypeVar("Q")
P = TypeVar("P")


def follow_pages(fetch: Callable[[Q], P], first: Q, following: Callable[[P], Q | None]) -> Iterator[P]:
    """Yield the pages of a list. Fetches a page only when the consumer asks for it.

    Args:
        fetch: returns the page for a query.
        first: the query of the first page.
        following: returns the query of the next page; ``None`` after the last page.

    Raises:
        RetryableError: a page links back to a page that has already been read.
    """
    seen: list[Q] = []
    query: Q | None = first
    while query is not None:
        if query in seen:
            raise RetryableError("The list does not end: a page links back to a page that was already read.")
        seen.append(query)
        page = fetch(query)
        yield page
        query = following(page)


def query_of(link: str | None) -> dict[str, str] | None:
    """Return the query parameters of a link to the next page; ``None`` without a link.

    The host in the link is ignored. Callers send the parameters to the URL of the first page, so our token never
    reaches another host.
    """
    return dict(parse_qsl(urlsplit(link).query)) if link else None


def linked_page(response: LMSResponse, base_url: str) -> str | None:
    """Return path and query of the next page in the ``Link`` header, relative to ``base_url``; ``None`` without one.

    Raises:
        RetryableError: the link points to another host or scheme. Our token is not sent there.
    """
    link = response.next_link
    if link is None:
        return None
    ours, theirs = urlsplit(base_url), urlsplit(link)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        where = f"{theirs.scheme}://{theirs.netloc}"
        raise RetryableError(f"The list links to a page on another host, {where}. The link was not followed.")
    return f"{theirs.path.removeprefix(ours.path)}?{theirs.query}"
