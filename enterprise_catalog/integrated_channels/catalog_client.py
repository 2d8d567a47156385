"""The only file that knows the catalog's URLs and JSON. It asks with Open edX's ``OAuthAPIClient``.

Whatever goes wrong is a ``CatalogUnavailableError``: a catalog that could not be read is never an empty catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar
from uuid import UUID

import orjson
import requests
from django.conf import settings
from edx_rest_api_client.client import OAuthAPIClient
from pydantic import AfterValidator, BaseModel, BeforeValidator, TypeAdapter, ValidationError

from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.types import ContentItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CONNECT_TIMEOUT_SECONDS: Final = 5
READ_TIMEOUT_SECONDS: Final = 120
MAX_DIFF_KEYS: Final = 250_000  #: The API's own limit.
_EXCERPT_LENGTH: Final = 300


class _Existing(BaseModel):
    content_key: str
    updated_at: datetime


class _Diff(BaseModel):
    catalog_version: str
    existing: list[_Existing]
    to_create: list[str]
    to_delete: list[str]


class _Missing(BaseModel):
    content_key: str
    reason: str


class _Metadata(BaseModel):
    results: list[dict[str, Any]]
    missing: list[_Missing]


class _Catalog(BaseModel):
    uuid: UUID


class _CatalogPage(BaseModel):
    next: str | None
    results: list[_Catalog]


def _text(value: object) -> object:
    return "" if value is None else value


def _organization_names(value: object) -> object:
    """Take the name out of ``Northwind: Northwind Institute``, as catalogs write organizations."""
    if not isinstance(value, list):
        return () if value is None else value
    return tuple(entry.partition(": ")[2] or entry if isinstance(entry, str) else entry for entry in value)


def _aware(moment: datetime) -> datetime:
    """Take a time without a zone for UTC, as all of Open edX's are."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_Text = Annotated[str, BeforeValidator(_text)]
_Moment = Annotated[datetime, AfterValidator(_aware)]


class _Document(BaseModel):
    """The fields of a content document that channels translate; the catalog promises only the first three."""

    content_key: str
    content_type: str
    content_last_modified: _Moment
    title: _Text = ""
    short_description: _Text = ""
    full_description: _Text = ""
    enrollment_url: _Text = ""
    marketing_url: _Text = ""
    image_url: _Text = ""
    organizations: Annotated[tuple[str, ...], BeforeValidator(_organization_names)] = ()
    course_type: _Text = ""
    start: _Moment | None = None
    end: _Moment | None = None


@dataclass(frozen=True, slots=True)
class DiffAnswer:
    """How one catalog differs from the keys sent."""

    existing: dict[str, datetime]  #: Key -> when the item last changed.
    to_create: list[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that is not of a shape that can be translated."""

    reason: str
    updated_at: datetime | None  #: When it last changed, if that much can be read.


@dataclass(frozen=True, slots=True)
class MetadataAnswer:
    """What became of each key asked for; each is in exactly one of the three."""

    items: dict[str, ContentItem]
    unreadable: dict[str, Unreadable]
    missing: dict[str, str]  #: Key -> the catalog's reason.


M = TypeVar("M", bound=BaseModel)


class CatalogClient:
    """Asks the catalog service, as the OAuth2 client of the settings. Use it as a context manager."""

    def __init__(self) -> None:
        self._base_url = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/"
        self._session = OAuthAPIClient(
            settings.OAUTH2_PROVIDER_URL, settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def catalogs_of(self, customer_uuid: UUID) -> list[UUID]:
        """Return the UUIDs of the customer's catalogs, ascending.

        Raises:
            CatalogUnavailableError: no answer, or no such customer.
        """
        url: str | None = f"{self._base_url}?enterprise_customer={customer_uuid}&page_size=1000"
        found = []
        while url is not None:
            page = self._ask("GET", url, _CatalogPage)
            found += [catalog.uuid for catalog in page.results]
            url = page.next
        return sorted(found)

    def diff(self, catalog_uuid: UUID, known_keys: Sequence[str]) -> DiffAnswer:
        """Return how the catalog differs from ``known_keys``, of which there may be any number.

        Raises:
            CatalogUnavailableError: no answer, no such catalog, or an answer that leaves keys out.
        """
        url = f"{self._base_url}{catalog_uuid}/content-diff/"
        answers = [self._diff_part(url, part) for part in _parts(known_keys)]
        if len({answer.catalog_version for answer in answers}) > 1:
            raise CatalogUnavailableError(f"Catalog {catalog_uuid} changed while it was being compared.")
        return DiffAnswer(
            existing={item.content_key: item.updated_at for answer in answers for item in answer.existing},
            # What is new to one part of the keys may be known to another.
            to_create=sorted(set.intersection(*(set(answer.to_create) for answer in answers))),
        )

    def metadata(self, catalog_uuid: UUID, keys: Sequence[str]) -> MetadataAnswer:
        """Return the content of ``keys``, at most 1,000.

        Raises:
            CatalogUnavailableError: no answer, no such catalog, or an answer that leaves keys out.
        """
        url = f"{self._base_url}{catalog_uuid}/content-metadata/"
        answer = self._ask("POST", url, _Metadata, {"content_keys": list(keys)})
        items: dict[str, ContentItem] = {}
        unreadable: dict[str, Unreadable] = {}
        for document in answer.results:
            key = str(document.get("content_key"))
            try:
                items[key] = _item(document)
            except ValidationError as error:
                reason = f"The content document cannot be read: {_first_fault(error)}"
                unreadable[key] = Unreadable(reason, _updated_at(document))
        missing = {item.content_key: item.reason for item in answer.missing}
        _check_complete(keys, items.keys() | unreadable.keys() | missing.keys())
        return MetadataAnswer(items, unreadable, missing)

    def _diff_part(self, url: str, keys: Sequence[str]) -> _Diff:
        answer = self._ask("POST", url, _Diff, {"content_keys": keys})
        # What is in neither of the two would be taken for gone, and deleted.
        _check_complete(keys, {item.content_key for item in answer.existing} | set(answer.to_delete))
        return answer

    def _ask(self, method: str, url: str, model: type[M], body: Mapping[str, Any] | None = None) -> M:
        try:
            # A redirect that is followed turns a POST into a GET, which asks something else.
            response = self._session.request(
                method,
                url,
                json=body,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                allow_redirects=False,
            )
        except (requests.RequestException, TypeError) as error:
            # Open edX's client trips (TypeError) over a token end point that answers with other JSON than a token's.
            # The text may hold the URL of that end point, but never the secret, which is in the body.
            reason = str(error) or "the token end point does not answer with a token"
            raise CatalogUnavailableError(f"The catalog service does not answer: {reason}") from error
        if response.status_code != requests.codes.ok:
            excerpt = response.content[:_EXCERPT_LENGTH].decode(errors="replace").strip()
            message = f"The catalog service answered {response.status_code} to {method} {url}: {excerpt}"
            raise CatalogUnavailableError(message, status_code=response.status_code)
        try:
            # Read by the library that read the documents at their import: pydantic's own refuses some that it takes.
            return model.model_validate(orjson.loads(response.content))
        except orjson.JSONDecodeError as error:
            raise CatalogUnavailableError(f"The catalog's answer is not JSON: {error}") from None
        except ValidationError as error:
            raise CatalogUnavailableError(f"The catalog's answer cannot be read: {_first_fault(error)}") from error


_DOCUMENT: Final = TypeAdapter(_Document)
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(_Moment)


def _item(document: Mapping[str, Any]) -> ContentItem:
    read = _DOCUMENT.validate_python(document)
    fields = {name: value for name, value in read if name != "content_last_modified"}
    return ContentItem(updated_at=read.content_last_modified, **fields)


def _check_complete(keys: Sequence[str], answered: Iterable[str]) -> None:
    if lost := set(keys).difference(answered):
        raise CatalogUnavailableError(f"The catalog's answer leaves out {len(lost)} of {len(keys)} keys.")


def _updated_at(document: Mapping[str, Any]) -> datetime | None:
    try:
        return _MOMENT.validate_python(document.get("content_last_modified"))
    except ValidationError:
        return None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``keys`` in parts that one request may carry; one empty part when there are none."""
    yield keys[:MAX_DIFF_KEYS]
    for start in range(MAX_DIFF_KEYS, len(keys), MAX_DIFF_KEYS):
        yield keys[start : start + MAX_DIFF_KEYS]
