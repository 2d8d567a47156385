"""JSON:API client: resources, paginated lists and errors.

Specification: https://jsonapi.org/format/1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.protocols.paging import follow_pages, query_of
from enterprise_catalog.integrated_channels.channels.protocols.tokens import BearerClient
from enterprise_catalog.integrated_channels.channels.responses import read, read_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse, RequestOptions

MEDIA_TYPE: Final = "application/vnd.api+json"


class Resource(BaseModel):
    """A JSON:API resource: its id and attributes."""

    id: str = Field(min_length=1)
    attributes: dict[str, object] = {}


class _Document(BaseModel):
    data: Resource


class _Links(BaseModel):
    next: str | None = None


class _Page(BaseModel):
    data: list[Resource]
    links: _Links = _Links()


class _Error(BaseModel):
    code: str | None = None
    title: str | None = None
    detail: str | None = None


class _Errors(BaseModel):
    errors: list[_Error] = Field(min_length=1)


def explain(response: LMSResponse) -> tuple[str, str]:
    """Return the code of the first error, and the title and detail of all errors.

    Both are empty if the response is not a JSON:API error document, such as the error page of a proxy or firewall.
    """
    document = read_or_none(_Errors, response)
    if document is None:
        return "", ""
    texts = (word for error in document.errors for word in (error.title, error.detail) if word)
    return document.errors[0].code or "", " ".join(texts)


def one_resource(response: LMSResponse) -> Resource:
    """Return the resource in the response to a create or an update.

    Raises:
        RetryableError: the response contains no resource. It is unknown if the LMS applied the call.
    """
    return read(_Document, response).data


class JSONAPIClient(BearerClient):
    """Sends JSON:API documents, and parses lists and errors. Thread-safe."""

    def __init__(self, client: LMSClient, fetch_token: Callable[[], str], *, media_type: str = MEDIA_TYPE) -> None:
        """Store the parameters. Fetches no token yet.

        Args:
            fetch_token: requests an access token from the LMS.
            media_type: media type of requests and responses, for an LMS that does not accept the one from the
                specification.
        """
        super().__init__(client, fetch_token)
        self._media_type = media_type

    def send(
        self,
        method: str,
        path: str,
        *,
        data: object = None,
        accept: Collection[int] = (),
        **request: Unpack[RequestOptions],
    ) -> LMSResponse:
        """Send a request with ``data`` (a resource, or a list of resources), if any. Raises as ``LMSClient.send``."""
        headers = {"Accept": self._media_type}
        if data is not None:
            headers["Content-Type"] = self._media_type
            request["json"] = {"data": data}
        request |= {"headers": headers, "explain": explain}
        return super().send(method, path, accept=accept, **request)

    def fetch_resources(self, path: str, params: Mapping[str, str]) -> Iterator[Resource]:
        """Return an iterator over all resources of a list. Fetches the pages as they are needed."""

        def fetch(query: Mapping[str, str]) -> _Page:
            return read(_Page, self.send("GET", path, params=query))

        found = follow_pages(fetch, params, lambda page: query_of(page.links.next))
        return (resource for page in found for resource in page.data)
