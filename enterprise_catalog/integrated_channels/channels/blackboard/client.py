"""Blackboard REST API client: paginated lists and errors. Independent of courses."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.protocols.paging import follow_pages, query_of
from enterprise_catalog.integrated_channels.channels.protocols.tokens import BearerClient
from enterprise_catalog.integrated_channels.channels.responses import read
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse, RequestOptions

PAGE_SIZE: Final = 100  #: Maximum number of results per page.

#: Error statuses that concern the request itself. 507: the course has no room left, which waiting does not fix.
_REFUSALS: Final = frozenset({400, 404, 409, 507})

T = TypeVar("T")


class _Paging(BaseModel):
    nextPage: str = ""


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    results: list[T]
    paging: _Paging = _Paging()


class _Failure(BaseModel):
    message: str = Field(min_length=1)  #: The only required field.
    code: str = ""


class API:
    """REST client for one Blackboard. Thread-safe."""

    def __init__(self, client: LMSClient, fetch_token: Callable[[], str]) -> None:
        self._client = client
        self._bearer = BearerClient(client, fetch_token)

    def send(
        self, method: str, path: str, *, is_refused: str = "", **request: Unpack[RequestOptions]
    ) -> LMSResponse | None:
        """Send one request and return the response; ``None`` for a 404 from Blackboard itself.

        Args:
            is_refused: the error message for a conflict (409), before Blackboard's own message.

        Raises:
            RejectedError: status 400, 409 or 507, with Blackboard's own message.
            RetryableError: the error response does not come from Blackboard, also for a 404.
        """
        response = self._bearer.send(method, path, accept=(*_REFUSALS, 303), **request)
        if response.status_code not in _REFUSALS:
            return response
        failure = read(_Failure, response)
        if response.status_code == 404:
            return None
        meaning = (response.status_code == 409 and is_refused) or f"Blackboard returned {response.status_code}"
        message = self._client.redacted(f"{meaning}: {failure.message}")
        raise RejectedError(message, status_code=response.status_code, vendor_code=self._client.redacted(failure.code))

    def fetch_list(
        self, path: str, kind: type[Page[T]], *, params: Mapping[str, str] | None = None
    ) -> Iterator[T] | None:
        """Return an iterator over a paginated list; ``None`` if ``path`` does not exist.

        The first page is fetched at once, and the next pages as they are needed.
        """
        query: Mapping[str, str] = {**(params or {}), "limit": str(PAGE_SIZE)}

        def fetch(query: Mapping[str, str]) -> Page[T] | None:
            response = self.send("GET", path, params=query)
            return read(kind, response) if response else None

        def following(page: Page[T] | None) -> Mapping[str, str] | None:
            more = query_of(page.paging.nextPage) if page else None
            return {**query, **more} if more else None

        found = follow_pages(fetch, query, following)
        first = next(found)
        return _results(first, found) if first else None


def _results(first: Page[T], others: Iterator[Page[T] | None]) -> Iterator[T]:
    for page in chain([first], others):
        if page is None:
            raise RetryableError("Blackboard returned 404 for a later page of a list.")
        yield from page.results
