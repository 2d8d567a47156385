"""Degreed's API: tokens, JSON:API documents, cursors and error lists. Nothing here knows what a course is.

https://developer.degreed.com/docs (authentication, pagination, rate limiting, errors) and https://jsonapi.org/format/1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.answers import read, read_or_none
from enterprise_catalog.integrated_channels.channels.oauth import ClientCredentials, request_grant
from enterprise_catalog.integrated_channels.channels.paging import pages, query_of
from enterprise_catalog.integrated_channels.channels.tokens import BearerClient
from enterprise_catalog.integrated_channels.exceptions import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

TOKEN: Final = "/oauth/token"  # noqa: S105  (a path)
#: "406: we only accept JSON".
_JSON: Final = {"Accept": "application/json"}


class DegreedCredentials(ClientCredentials):
    """An API key of the organisation, or of a content provider in it."""


class Resource(BaseModel):
    """One thing that Degreed has."""

    id: str = Field(min_length=1)
    attributes: dict[str, Any] = {}


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


def explain(answer: Answer) -> tuple[str, str]:
    """Return the code of the first error in an error list, and what all of them say; both empty if it is no such list.

    Proxies and firewalls answer with pages of their own.
    """
    told = read_or_none(_Errors, answer)
    if told is None:
        return "", ""
    words = (word for error in told.errors for word in (error.title, error.detail) if word)
    return told.errors[0].code or "", " ".join(words)


class DegreedAPI(BearerClient):
    """Calls one Degreed's API. Threads may share it."""

    def send(
        self, method: str, path: str, *, data: object = None, accept: Collection[int] = (), **request: Any
    ) -> Answer:
        """Send ``data``, if there is any, as a JSON:API document; raises as ``LMSClient.send`` does."""
        body = None if data is None else {"data": data}
        return super().send(method, path, json=body, headers=_JSON, accept=accept, explain=explain, **request)

    def resources(self, path: str, params: Mapping[str, str]) -> Iterator[Resource]:
        """Return all resources of a list, fetched page by page."""

        def fetch(query: Mapping[str, str]) -> _Page:
            return read(_Page, self.send("GET", path, params=query))

        found = pages(fetch, params, lambda page: query_of(page.links.next))
        return (resource for page in found for resource in page.data)


def fetch_token(client: LMSClient, credentials: DegreedCredentials, *, scope: str) -> str:
    """Return an access token.

    Args:
        client: of where tokens are given out, which is another host than the API's.
        scope: what is asked for, separated by commas.
    """
    form = {"grant_type": "client_credentials", **credentials.as_form(), "scope": scope}
    nothing_there = f"No tokens are given out at {client.base_url}; is token_base_url right?"
    grant = request_grant(client, TOKEN, refused=_no_token, nothing_there=nothing_there, form=form, headers=_JSON)
    return grant.access_token


def _no_token(answer: Answer) -> CredentialsError:
    status = answer.status_code
    message = f"Degreed gives no token ({status}): the client ID, the client secret or the scopes are wrong."
    return CredentialsError(message, status_code=status)


def one_resource(answer: Answer) -> Resource:
    """Return the resource that a create or an update answers with.

    Raises:
        RetryableError: it is no such answer; whether the call was carried out is not known.
    """
    return read(_Document, answer).data
