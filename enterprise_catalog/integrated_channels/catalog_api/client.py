"""Client of the catalog service: the only module that contains its URLs and JSON.

Every failure is a ``CatalogUnavailableError``: a catalog that could not be read is never treated as an empty catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.core.cache import cache
from pydantic import BaseModel, ValidationError

from enterprise_catalog.integrated_channels.catalog_api.changes import MAX_CHANGES, Changes, ChangesPage
from enterprise_catalog.integrated_channels.catalog_api.connection import (
    READ_TIMEOUT_SECONDS,
    CatalogConnection,
    are_alike,
    etag_of,
    first_problem,
    read_body,
)
from enterprise_catalog.integrated_channels.catalog_api.documents import read_item, read_updated_at
from enterprise_catalog.integrated_channels.catalog_api.lookups import (
    Catalog,
    ChangedCustomers,
    ContentLookup,
    Customer,
)
from enterprise_catalog.integrated_channels.exceptions import (
    CatalogUnavailableError,
    ChangesUnavailableError,
    NoChangesReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.domain import ContentItem
    from enterprise_catalog.service_client.session import ServiceResponse

MAX_DIFF_KEYS: Final = 250_000  #: The API's own limit.
MAX_METADATA_KEYS: Final = 1_000  #: The API's own limit.
#: Responses to a request for changes that the service cannot list: the version is too old or unknown; it has another
#: format; an older service does not have the endpoint.
_NO_CHANGES: Final = (requests.codes.gone, requests.codes.bad_request, requests.codes.not_found)
CUSTOMER_NAME_SECONDS: Final = 3_600  #: How long a customer's name is cached.


class _Diff(BaseModel):
    catalog_version: str
    existing: list[object]  # Up to 250,000 entries; validated once, when their versions are read.
    to_create: list[str]
    to_delete: list[str]


class _Missing(BaseModel):
    content_key: str
    reason: str


class _Versions(BaseModel):
    catalog_version: str
    results: list[dict[str, object]]
    missing: list[_Missing]


class _Metadata(BaseModel):
    catalog_version: str
    results: list[dict[str, object]]
    missing: list[_Missing]


class _CatalogPage(BaseModel):
    next: str | None
    results: list[Catalog]


class _Customers(BaseModel):
    results: list[Customer]


@dataclass(frozen=True, slots=True)
class CatalogList:
    """A customer's catalogs."""

    uuids: list[UUID]  #: Ascending.
    #: Changes with every change of the catalogs or their content; to be sent back unchanged. Empty if the service
    #: returns no usable ETag, or if the list has several pages: the ETag would cover only one of them.
    etag: str
    customer_name: str = ""  #: Empty if the customer has no catalogs.
    versions: Mapping[UUID, str] = field(default_factory=dict)  #: Catalog -> version, as in its diff.


@dataclass(frozen=True, slots=True)
class DiffResponse:
    """Differences between one catalog and the keys that were sent."""

    version: str  #: Of the catalog; changes with every change of its content.
    existing: dict[str, str]  #: Key -> version: the time of the last change, see :func:`.changes.read_moment`.
    to_create: list[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A content document with invalid fields, which cannot be translated."""

    reason: str
    updated_at: datetime | None  #: Time of the last change; ``None`` if invalid.


@dataclass(frozen=True, slots=True)
class MetadataResponse:
    """The result for each requested key. Each key is in exactly one of the three mappings."""

    items: dict[str, ContentItem]
    unreadable: dict[str, Unreadable]
    missing: dict[str, str]  #: Key -> the reason from the catalog.
    version: str  #: Of the catalog, when the content was read.


class CatalogClient:
    """Client of the catalog service, with the OAuth 2 credentials from the settings. Use it as a context manager."""

    def __init__(
        self,
        *,
        read_timeout_seconds: float | None = None,
        before_each_request: Callable[[], None] | None = None,
        run_seconds_left: Callable[[], float] | None = None,
    ) -> None:
        """Create a client. Sends nothing yet.

        Args:
            read_timeout_seconds: maximum duration of each read; ``None`` means 120 seconds.
            before_each_request: called before each request; an exception prevents the request.
            run_seconds_left: returns the number of seconds that the run has left; ``None`` sets no limit.
        """
        self._api_url = f"{settings.CATALOG_API_URL}/api/v1/"
        self._base_url = f"{self._api_url}enterprise-catalogs/"
        self._connection = CatalogConnection(
            read_timeout_seconds=read_timeout_seconds or READ_TIMEOUT_SECONDS,
            before_each_request=before_each_request or (lambda: None),
            run_seconds_left=run_seconds_left or (lambda: float("inf")),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def list_catalogs(self, customer_uuid: UUID) -> CatalogList:
        """Return the customer's catalogs, including deleted catalogs: their items have yet to leave the LMS.

        Raises:
            CatalogUnavailableError: no response, or no such customer.
        """
        return self._fetch_all_pages(self._connection.send("GET", self._list_url(customer_uuid, include_deleted=True)))

    def list_catalogs_if_changed(self, etag: str, customer_uuid: UUID) -> CatalogList | None:
        """Return the same as :meth:`list_catalogs`, or ``None`` if nothing has changed since ``etag``.

        Args:
            etag: from an earlier response; empty without one.

        Raises:
            CatalogUnavailableError: no response, or no such customer.
        """
        response = self._connection.send("GET", self._list_url(customer_uuid, include_deleted=True), etag=etag)
        if response.status_code == requests.codes.not_modified:
            return None
        catalogs = self._fetch_all_pages(response)
        # A proxy may drop the condition or break it: Apache appends "-gzip" to ETags and then does not recognize them.
        return None if catalogs.etag and are_alike(catalogs.etag, etag) else catalogs

    def catalogs_of(self, customer_uuid: UUID) -> list[Catalog]:
        """Return the customer's catalogs with their titles, ascending by title.

        Raises:
            CatalogUnavailableError: no response, or no such customer.
        """
        pages = self._pages(self._connection.send("GET", self._list_url(customer_uuid)))
        return sorted((catalog for page in pages for catalog in page.results), key=lambda each: (each.title, each.uuid))

    def changed_customers(self, since: str) -> ChangedCustomers:
        """Return the customers whose catalogs changed since a cursor, and the next cursor.

        Args:
            since: the last cursor; empty for a first cursor, without customers.

        Raises:
            CatalogUnavailableError: no response; with status code 410, the cursor is too old or unknown.
        """
        query = f"?{urlencode({'since': since})}" if since else ""
        return self._connection.ask("GET", f"{self._api_url}catalog-changes/{query}", ChangedCustomers)

    def find_customers(self, text: str) -> list[Customer]:
        """Return at most 20 customers whose name starts with ``text`` in any case, or the one with this UUID.

        Raises:
            CatalogUnavailableError: no response.
        """
        return self._connection.ask(
            "GET", f"{self._api_url}enterprise-customers/?{urlencode({'q': text})}", _Customers
        ).results

    def customer_name(self, customer_uuid: UUID) -> str | None:
        """Return the customer's name, or ``None`` if there is no such customer. Names are cached for an hour.

        Raises:
            CatalogUnavailableError: no response.
        """
        cache_key = f"customer-name:{customer_uuid}"
        name: str | None = cache.get(cache_key)
        if name is None and (found := self.find_customers(str(customer_uuid))):
            name = found[0].name
            cache.set(cache_key, name, CUSTOMER_NAME_SECONDS)
        return name

    def look_up(self, customer_uuid: UUID, text: str) -> ContentLookup:
        """Return the content with the key ``text`` for the customer, and content that the user may have meant instead.

        Args:
            text: 1 to 255 characters: a key, the key of a course run, or the beginning of a title.

        Raises:
            CatalogUnavailableError: no response, no such customer, or an invalid text.
        """
        query = urlencode({"enterprise_customer": customer_uuid, "content_key": text})
        return self._connection.ask("GET", f"{self._api_url}content-lookup/?{query}", ContentLookup)

    def fetch_diff(self, catalog_uuid: UUID, known_keys: Sequence[str]) -> DiffResponse:
        """Return the differences between the catalog and ``known_keys``. Any number of keys is allowed.

        Raises:
            CatalogUnavailableError: no response, no such catalog, or a response that omits keys.
        """
        url = f"{self._base_url}{catalog_uuid}/content-diff/"
        first, *others = parts = [self._fetch_diff_part(url, part) for part in _parts(known_keys)]
        if not others:
            return first
        if len({response.version for response in parts}) > 1:
            message = f"Catalog {catalog_uuid} changed during the comparison. The next run compares it again."
            raise CatalogUnavailableError(message)
        return DiffResponse(
            version=first.version,
            existing={key: updated_at for response in parts for key, updated_at in response.existing.items()},
            # A key that is missing from one part of the keys may be in another part.
            to_create=sorted(set.intersection(*(set(response.to_create) for response in parts))),
        )

    def fetch_changes(self, catalog_uuid: UUID, since: str) -> Changes:
        """Return the catalog's changes since a version.

        Args:
            since: ``version`` of an earlier diff or of earlier changes.

        Raises:
            ChangesUnavailableError: the service does not have the changes, or they are more than ``MAX_CHANGES``.
            CatalogUnavailableError: no response, or an invalid response.
        """
        changes, number = Changes(), 0
        url: str | None = f"{self._base_url}{catalog_uuid}/content-changes/?{urlencode({'since': since})}"
        while url is not None:
            try:
                page = self._connection.ask("GET", url, ChangesPage)
            except CatalogUnavailableError as error:
                if error.status_code in _NO_CHANGES:
                    raise ChangesUnavailableError(NoChangesReason.EXPIRED) from error
                raise
            changes.add(page)
            # Counts each page, so that a service with a wrong link is not asked forever.
            number += 1 + len(page.created) + len(page.changed) + len(page.removed)
            if number > MAX_CHANGES:
                raise ChangesUnavailableError(NoChangesReason.MANY)
            url = page.next
        return changes

    def fetch_versions(self, catalog_uuid: UUID, keys: Sequence[str], *, at: str) -> dict[str, datetime]:
        """Return content key -> version, for those of ``keys`` that are in the catalog. Any number of keys.

        Args:
            at: expected version of the catalog.

        Raises:
            ChangesUnavailableError: the catalog has another version.
            CatalogUnavailableError: no response, no such catalog, or a response that omits keys.
        """
        url = f"{self._base_url}{catalog_uuid}/content-metadata/"
        versions: dict[str, datetime] = {}
        for start in range(0, len(keys), MAX_METADATA_KEYS):
            part = list(keys[start : start + MAX_METADATA_KEYS])
            response = self._connection.ask("POST", url, _Versions, {"content_keys": part})
            if response.catalog_version != at:
                raise ChangesUnavailableError(NoChangesReason.MOVED)
            for document in response.results:
                version = read_updated_at(document)
                if version is None:
                    message = "The catalog service's response is invalid: a document has no content_last_modified."
                    raise CatalogUnavailableError(message)
                versions[str(document.get("content_key"))] = version
            _check_complete(part, versions, {item.content_key for item in response.missing})
        return versions

    def fetch_metadata(self, catalog_uuid: UUID, keys: Sequence[str]) -> MetadataResponse:
        """Return the content of ``keys``; at most 1,000 keys.

        Raises:
            CatalogUnavailableError: no response, no such catalog, or a response that omits keys.
        """
        url = f"{self._base_url}{catalog_uuid}/content-metadata/"
        response = self._connection.ask("POST", url, _Metadata, {"content_keys": list(keys)})
        items: dict[str, ContentItem] = {}
        unreadable: dict[str, Unreadable] = {}
        for document in response.results:
            key = str(document.get("content_key"))
            try:
                items[key] = read_item(document)
            except ValidationError as error:
                reason = f"The content document is invalid: {first_problem(error)}"
                unreadable[key] = Unreadable(reason, read_updated_at(document))
        missing = {item.content_key: item.reason for item in response.missing}
        _check_complete(keys, items, unreadable, missing)
        return MetadataResponse(items, unreadable, missing, response.catalog_version)

    def _fetch_diff_part(self, url: str, keys: Sequence[str]) -> DiffResponse:
        response = self._connection.ask("POST", url, _Diff, {"content_keys": keys})
        existing = _versions(response.existing)
        # A key in neither list would be treated as gone, and its item deleted.
        _check_complete(keys, existing, response.to_delete)
        return DiffResponse(response.catalog_version, existing, response.to_create)

    def _list_url(self, customer_uuid: UUID, *, include_deleted: bool = False) -> str:
        url = f"{self._base_url}?enterprise_customer={customer_uuid}&page_size=1000"
        return f"{url}&include_deleted=true" if include_deleted else url

    def _fetch_all_pages(self, response: ServiceResponse) -> CatalogList:
        """Return the catalogs of all pages; ``response`` contains the first page."""
        pages = list(self._pages(response))
        catalogs = [catalog for page in pages for catalog in page.results]
        etag = etag_of(response) if len(pages) == 1 else ""
        name = next((catalog.enterprise_customer_name for catalog in catalogs), None)
        versions = {catalog.uuid: catalog.catalog_version for catalog in catalogs if catalog.catalog_version}
        return CatalogList(sorted(catalog.uuid for catalog in catalogs), etag, name or "", versions)

    def _pages(self, response: ServiceResponse) -> Iterator[_CatalogPage]:
        page = read_body(response, _CatalogPage)
        yield page
        while page.next is not None:
            page = self._connection.ask("GET", page.next, _CatalogPage)
            yield page


def _versions(existing: Iterable[Any]) -> dict[str, str]:
    """Return content key -> version."""
    try:
        return {item["content_key"]: item["updated_at"] for item in existing}
    except KeyError as error:
        raise CatalogUnavailableError(
            f"The catalog service's response is invalid: existing: missing {error}"
        ) from error
    except TypeError as error:
        raise CatalogUnavailableError(f"The catalog service's response is invalid: existing: {error}") from error


def _check_complete(keys: Sequence[str], found: Container[str], *others: Iterable[str]) -> None:
    if lost := {key for key in keys if key not in found}.difference(*others):
        raise CatalogUnavailableError(f"The catalog service's response omits {len(lost):,} of {len(keys):,} keys.")


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``keys`` in parts of at most ``MAX_DIFF_KEYS``; one empty part if there are no keys."""
    yield keys[:MAX_DIFF_KEYS]
    for start in range(MAX_DIFF_KEYS, len(keys), MAX_DIFF_KEYS):
        yield keys[start : start + MAX_DIFF_KEYS]
