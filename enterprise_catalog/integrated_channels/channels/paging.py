"""Lists that come page by page: each page once, never in a circle, and never from another host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from enterprise_catalog.integrated_channels.exceptions import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.integrated_channels.http import Answer

Q = TypeVar("Q")
P = TypeVar("P")

#: Of the header ``Link``: https://www.rfc-editor.org/rfc/rfc8288
_NEXT: Final = re.compile(r'<([^<>]+)>;\s*rel="next"')


def pages(fetch: Callable[[Q], P], first: Q, following: Callable[[P], Q | None]) -> Iterator[P]:
    """Yield the pages of a list; each is fetched once the one before it was used.

    Args:
        fetch: returns the page that a query asks for.
        first: the query of the first page.
        following: returns the query of the page after one; ``None`` after the last.

    Raises:
        RetryableError: the list never ends.
    """
    seen: list[Q] = []
    query: Q | None = first
    while query is not None:
        if query in seen:
            raise RetryableError("The list leads in a circle: a page leads back to one that was read, in circles.")
        seen.append(query)
        page = fetch(query)
        yield page
        query = following(page)


def query_of(link: str | None) -> dict[str, str] | None:
    """Return the parameters of a link to the next page; ``None`` without a link.

    They are sent to where the first page came from, whatever host the link names: the token is for no other.
    """
    return dict(parse_qsl(urlsplit(link).query)) if link else None


def linked_page(answer: Answer, base_url: str) -> str | None:
    """Return path and query, below ``base_url``, of the page that the header ``Link`` names next, if it names one.

    Raises:
        RetryableError: it is at another address, which is not given our token.
    """
    link = _NEXT.search(answer.headers.get("link", ""))
    if link is None:
        return None
    ours, theirs = urlsplit(base_url), urlsplit(link[1])
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        where = f"{theirs.scheme}://{theirs.netloc}"
        raise RetryableError(f"The next page is said to be at {where}, which is not its own address.")
    return f"{theirs.path.removeprefix(ours.path)}?{theirs.query}"
