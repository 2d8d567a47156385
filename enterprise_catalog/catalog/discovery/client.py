"""Client of course-discovery: the only module that contains its URLs and parameters.

Returns its documents as they are. Every failure is a ``ServiceError``: a list that could not be read completely is
never treated as a complete list. The facts are from course-discovery's ``apps/api``, and from the use that Open edX's
catalog service makes of it.
"""

from __future__ import annotations

import time
from datetime import UTC
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import quote, urlencode

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enterprise_catalog.service_client.client import Service, ServiceClient
from enterprise_catalog.service_client.exceptions import (
    IncompleteListError,
    NotConfiguredError,
    UnreadableResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

#: A JSON object of course-discovery.
Document: TypeAlias = dict[str, Any]
#: Documents in the order of course-discovery; never empty.
Pages: TypeAlias = "Iterator[list[Document]]"

SEARCH_PAGE_SIZE: Final = 100
FULL_PAGE_SIZE: Final = 200  #: Of /courses/ and /programs/.
#: Keys in one request. Limited by number and, because they are in the URL, by their total length when encoded.
MAX_KEYS: Final = 50
MAX_KEYS_LENGTH: Final = 4_000
#: The kind of restricted runs that a customer's catalog may contain.
RESTRICTION_TYPE: Final = "custom-b2b-enterprise"

_DISCOVERY: Final = Service(
    name="Course-discovery",
    setting="DISCOVERY_SERVICE_API_URL",
    remedies={
        HTTPStatus.BAD_REQUEST: "Check the content filter: course-discovery rejects one of its values.",
        HTTPStatus.UNAUTHORIZED: "It rejected the token. OAUTH2_PROVIDER_URL must name the LMS of course-discovery.",
        HTTPStatus.FORBIDDEN: "The user of the client OAUTH2_CLIENT_ID needs access to course-discovery.",
        HTTPStatus.NOT_FOUND: "Check DISCOVERY_SERVICE_API_URL: it ends with /api/v1.",
        HTTPStatus.TOO_MANY_REQUESTS: "Raise the rate limit of OAUTH2_CLIENT_ID's user if this happens often.",
    },
)


class _Page(BaseModel):
    model_config = ConfigDict(strict=True)

    count: int = Field(ge=0)
    next: str | None
    results: list[Document]


class DiscoveryClient:
    """Client of course-discovery. Use it as a context manager, in one thread.

    The lists are iterators of pages, so that a list of any length needs the memory of one page. A list is complete
    only when its iterator ends without an exception: apply nothing before.

    All methods raise a ``ServiceError`` if a page cannot be read, after up to four repetitions where these may help.
    They raise an ``IncompleteListError`` if the pages do not have the promised number of results.
    """

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Create a client. Sends nothing yet.

        Args:
            sleep: called to wait before another attempt.

        Raises:
            NotConfiguredError: ``DISCOVERY_SERVICE_API_URL`` is not set.
        """
        if not settings.DISCOVERY_SERVICE_API_URL:
            raise NotConfiguredError("DISCOVERY_SERVICE_API_URL is not set, so there is no course-discovery to read.")
        self._base_url = f"{settings.DISCOVERY_SERVICE_API_URL}/"
        self._client = ServiceClient(_DISCOVERY, sleep=sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def search(self, content_filter: Mapping[str, object]) -> Pages:
        """Yield the search results that match ``content_filter``, 100 a page.

        Courses, course runs, programs, pathways, and persons unless the filter has a content type. Expired course runs
        are left out of courses; restricted runs are left out everywhere.
        """
        parameters = {"exclude_expired_course_run": "True", "include_learner_pathways": "True"}
        return self._search(content_filter, parameters)

    def search_restricted(self, content_type: str, keys: Iterable[str]) -> Pages:
        """Yield the search results of one content type with these keys, including restricted runs.

        Args:
            content_type: ``course``: each course with all its runs. ``courserun``: the runs themselves.
            keys: course-discovery matches them as phrases, so results may have other keys too.
        """
        for part in _parts(keys):
            content_filter = {"content_type": content_type, "key": part}
            yield from self._search(content_filter, {"include_restricted": RESTRICTION_TYPE})

    def read_courses(self, keys: Iterable[str], *, include_restricted: bool = False) -> Pages:
        """Yield the full documents of courses, sorted by key within each 50 keys.

        A key that course-discovery does not know, or no longer publishes, has no document.
        """
        for part in _parts(keys):
            yield from self._full("courses/", {"keys": ",".join(part), **_restricted(include=include_restricted)})

    def changed_courses(self, since: datetime, *, include_restricted: bool = False) -> Pages:
        """Yield the full documents of all courses that changed at or after ``since``, sorted by key.

        Args:
            since: aware.
        """
        moment = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        yield from self._full("courses/", {"timestamp": moment, **_restricted(include=include_restricted)})

    def read_programs(self, uuids: Iterable[str]) -> Pages:
        """Yield the full documents of programs. An unknown UUID has no document."""
        for part in _parts(uuids):
            yield from self._full("programs/", {"extended": "True", "uuids": ",".join(part)})

    def read_reviews(self) -> Pages:
        """Yield the reviews of all courses: ``course_key``, ``reviews_count``, ``avg_course_rating`` and others."""
        return self._numbered("course_review/", {})

    def _search(self, content_filter: Mapping[str, object], parameters: Mapping[str, str]) -> Pages:
        more = {"page_size": str(SEARCH_PAGE_SIZE), "ordering": "aggregation_key,start"}
        return self._numbered("search/all/", {**parameters, **more}, body=content_filter)

    def _numbered(self, path: str, parameters: Mapping[str, str], *, body: Mapping[str, object] | None = None) -> Pages:
        """Yield the pages of a list whose pages have numbers."""
        return self._pages(path, parameters, lambda number, _: {"page": number}, body=body)

    def _full(self, path: str, parameters: Mapping[str, str]) -> Pages:
        """Yield the pages of a list of full documents. A page may be smaller than requested."""
        fixed = {**parameters, "ordering": "key", "limit": str(FULL_PAGE_SIZE)}
        return self._pages(path, fixed, lambda _, offset: {"offset": offset})

    def _pages(
        self,
        path: str,
        parameters: Mapping[str, str],
        position: Callable[[int, int], Mapping[str, int]],
        *,
        body: Mapping[str, object] | None = None,
    ) -> Pages:
        """Yield the results of each page, and check that they add up.

        Args:
            position: returns the parameters of a page, given its number from 1 and the number of earlier results.

        Raises:
            IncompleteListError: the number of results differs from ``count``, or ``count`` changed between pages.
        """
        expected: int | None = None
        received = 0
        for number in count(1):
            url = f"{self._base_url}{path}?{urlencode({**parameters, **position(number, received)}, safe=',')}"
            page = self._page(path, url, body)
            expected = page.count if expected is None else expected
            received += len(page.results)
            if page.count != expected:
                message = f"The list {path} of course-discovery changed while it was read, from {expected:,} to"
                raise IncompleteListError(f"{message} {page.count:,} results. Start again.")
            is_last = not page.next
            # An empty page that is not the last one would never end.
            if received > expected or (is_last and received < expected) or not (is_last or page.results):
                message = f"Course-discovery promised {expected:,} results of {path} and returned {received:,}."
                raise IncompleteListError(f"{message} Start again; see its log if this happens often.")
            if page.results:
                yield page.results
            if is_last:
                return

    def _page(self, path: str, url: str, body: Mapping[str, object] | None) -> _Page:
        parsed = self._client.request("GET" if body is None else "POST", url, body=body)
        try:
            return _Page.model_validate(parsed)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
            message = f"Course-discovery returned an invalid page of {path} ({problem}). Check its version and its log."
            raise UnreadableResponseError(message) from error


def _restricted(*, include: bool) -> dict[str, str]:
    return {"include_restricted": RESTRICTION_TYPE} if include else {}


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    """Yield the distinct keys in parts that fit into one URL, in their order."""
    part: list[str] = []
    length = 0
    for key in dict.fromkeys(keys):
        encoded = len(quote(key, safe="")) + 1
        if part and (len(part) == MAX_KEYS or length + encoded > MAX_KEYS_LENGTH):
            yield part
            part, length = [], 0
        part.append(key)
        length += encoded
    if part:
        yield part
