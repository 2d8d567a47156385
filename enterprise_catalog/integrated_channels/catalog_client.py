"""The only file that knows the catalog's URLs and JSON. It asks with Open edX's ``OAuthAPIClient``.

Whatever goes wrong is a ``CatalogUnavailableError``: a catalog that could not be read is never an empty catalog.
"""

from __future__ import annotations

import functools
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from uuid import UUID

import orjson
import requests
import urllib3
from django.conf import settings
from pydantic import BaseModel, ValidationError

from enterprise_catalog.integrated_channels.catalog_problems import (
    CATALOG_REMEDIES,
    connection_problem,
    status_problem,
)
from enterprise_catalog.integrated_channels.catalog_session import CatalogSession, TokenError
from enterprise_catalog.integrated_channels.content_documents import read_item, read_updated_at
from enterprise_catalog.integrated_channels.deadlines import WorkThread
from enterprise_catalog.integrated_channels.decoding import BodyError, decoded
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.redaction import Redaction
from enterprise_catalog.integrated_channels.types import MAX_ETAG_LENGTH, ContentItem

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

CONNECT_TIMEOUT_SECONDS: Final = 5
READ_TIMEOUT_SECONDS: Final = 120
#: How long a request may take in all, with that for a token, in seconds. A run renews its lease before each request.
REQUEST_SECONDS: Final = 150.0
MAX_RESPONSE_BYTES: Final = 1024 * 1024 * 1024  #: Far more than a diff of the largest catalogs.
MAX_DIFF_KEYS: Final = 250_000  #: The API's own limit.
#: How much of an answer is read at once. Requests' own 10 KB take a tenth of a large diff.
_BYTES_AT_ONCE: Final = 1024 * 1024
#: An entity tag as RFC 9110, 8.8.3 has it. Anything else, ``*`` above all, would ask another question if sent back.
_ETAG: Final = re.compile(r'(?:W/)?"[!#-~\x80-\xff]+"')


class _Diff(BaseModel):
    catalog_version: str
    existing: list[Any]  # May be 250,000, which are looked at once: where their versions are read.
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


@dataclass(frozen=True, slots=True)
class CatalogList:
    """A customer's catalogs."""

    uuids: list[UUID]  #: Ascending.
    #: Moves with every change of the catalogs, their content included; to be sent back as it came. Empty if the service
    #: gives none that can be, or if there are more catalogs than one page holds: it is that of one page.
    etag: str


@dataclass(frozen=True, slots=True)
class DiffAnswer:
    """How one catalog differs from the keys sent."""

    version: str  #: Of the catalog; moves with every change of what it holds.
    existing: dict[str, str]  #: Key -> when the item last changed, its version; for :func:`read_moment`.
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


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the service answered, read to its end."""

    status_code: int
    headers: Mapping[str, str]  #: Names in any case.
    content: bytes


M = TypeVar("M", bound=BaseModel)


class CatalogClient:
    """Asks the catalog service, as the OAuth2 client of the settings. Use it as a context manager."""

    def __init__(
        self,
        *,
        read_timeout_seconds: float | None = None,
        before_each_request: Callable[[], None] | None = None,
        run_seconds_left: Callable[[], float] | None = None,
    ) -> None:
        """Prepare requests; nothing is sent yet.

        Args:
            read_timeout_seconds: how long each read may take; ``None`` means 120 seconds.
            before_each_request: what it raises keeps the request from being sent.
            run_seconds_left: returns how long the run may still take; ``None`` sets no limit.
        """
        self._read_timeout_seconds = read_timeout_seconds
        self._before_each_request = before_each_request or (lambda: None)
        self._run_seconds_left = run_seconds_left or (lambda: float("inf"))
        self._thread = WorkThread()
        self._base_url = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/"
        self._session = CatalogSession(
            settings.OAUTH2_PROVIDER_URL, settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET
        )
        # The service takes four times as long to compress documents as to find them; only a line of less than 100
        # Mbit/s would be slower still.
        self._session.headers["Accept-Encoding"] = "identity"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.close()
        self._session.close()

    def catalogs_of(self, customer_uuid: UUID) -> CatalogList:
        """Return the customer's catalogs.

        Raises:
            CatalogUnavailableError: no answer, or no such customer.
        """
        return self._whole_list(self._send("GET", self._list_url(customer_uuid)))

    def catalogs_unless(self, etag: str, customer_uuid: UUID) -> CatalogList | None:
        """Return the customer's catalogs, or ``None`` if they and their content are those that had ``etag``.

        Args:
            etag: of an earlier answer; empty if none is known.

        Raises:
            CatalogUnavailableError: no answer, or no such customer.
        """
        answer = self._send("GET", self._list_url(customer_uuid), etag=etag)
        if answer.status_code == requests.codes.not_modified:
            return None
        catalogs = self._whole_list(answer)
        # A proxy between us may drop the question, or answer it wrongly: Apache adds "-gzip" to ETags and then does not
        # know them.
        return None if catalogs.etag and _are_alike(catalogs.etag, etag) else catalogs

    def diff(self, catalog_uuid: UUID, known_keys: Sequence[str]) -> DiffAnswer:
        """Return how the catalog differs from ``known_keys``, of which there may be any number.

        Raises:
            CatalogUnavailableError: no answer, no such catalog, or an answer that leaves keys out.
        """
        url = f"{self._base_url}{catalog_uuid}/content-diff/"
        first, *others = answers = [self._diff_part(url, part) for part in _parts(known_keys)]
        if not others:
            return first
        if len({answer.version for answer in answers}) > 1:
            raise CatalogUnavailableError(f"Catalog {catalog_uuid} changed while it was being compared.")
        return DiffAnswer(
            version=first.version,
            existing={key: updated_at for answer in answers for key, updated_at in answer.existing.items()},
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
                items[key] = read_item(document)
            except ValidationError as error:
                reason = f"The content document cannot be read: {_first_fault(error)}"
                unreadable[key] = Unreadable(reason, read_updated_at(document))
        missing = {item.content_key: item.reason for item in answer.missing}
        _check_complete(keys, items, unreadable, missing)
        return MetadataAnswer(items, unreadable, missing)

    def _diff_part(self, url: str, keys: Sequence[str]) -> DiffAnswer:
        answer = self._ask("POST", url, _Diff, {"content_keys": keys})
        existing = _versions(answer.existing)
        # What is in neither of the two would be taken for gone, and deleted.
        _check_complete(keys, existing, answer.to_delete)
        return DiffAnswer(answer.catalog_version, existing, answer.to_create)

    def _list_url(self, customer_uuid: UUID) -> str:
        return f"{self._base_url}?enterprise_customer={customer_uuid}&page_size=1000"

    def _whole_list(self, answer: _Answer) -> CatalogList:
        """Return the catalogs of the first page, which ``answer`` holds, and of those that follow."""
        page = _read(answer, _CatalogPage)
        etag = _etag_of(answer) if page.next is None else ""
        uuids = [catalog.uuid for catalog in page.results]
        while page.next is not None:
            page = self._ask("GET", page.next, _CatalogPage)
            uuids += [catalog.uuid for catalog in page.results]
        return CatalogList(sorted(uuids), etag)

    def _ask(self, method: str, url: str, model: type[M], body: Mapping[str, Any] | None = None) -> M:
        return _read(self._send(method, url, body=body), model)

    def _send(self, method: str, url: str, *, body: Mapping[str, Any] | None = None, etag: str = "") -> _Answer:
        """Return the answer: 200, or 304 if ``etag`` was sent along."""
        self._before_each_request()
        headers = {"If-None-Match": etag} if etag else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else orjson.dumps(body)
        left = self._run_seconds_left()
        try:
            response, content = self._thread.run(
                lambda: self._read_response(method, url, data, headers), seconds=min(REQUEST_SECONDS, left)
            )
        except TimeoutError as error:
            if left < REQUEST_SECONDS:
                raise RunDeadlineError from error
            message = f"The catalog service did not answer {method} {url} within {REQUEST_SECONDS:g} seconds."
            raise CatalogUnavailableError(message) from error
        except TokenError as error:
            where = f"The token endpoint of {settings.OAUTH2_PROVIDER_URL}"
            raise CatalogUnavailableError(self._redaction().redacted(f"{where} {error}")) from error
        except BodyError as error:
            raise CatalogUnavailableError(f"The catalog service does not answer: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The text may hold an address, that of a redirect, too.
            reason = self._redaction().redacted(connection_problem(error, setting="CATALOG_API_URL"))
            raise CatalogUnavailableError(f"The catalog service does not answer: {reason}") from error
        expected = (requests.codes.ok, requests.codes.not_modified) if etag else (requests.codes.ok,)
        if response.status_code not in expected:
            raise self._refusal(response, content, f"{method} {url}")
        return _Answer(response.status_code, response.headers, content)

    def _refusal(self, response: requests.Response, content: bytes, request: str) -> CatalogUnavailableError:
        status, redaction = response.status_code, self._redaction()
        location = redaction.redacted(response.headers.get("Location", ""))
        remedy = status_problem(status, location=location, remedies=CATALOG_REMEDIES, setting="CATALOG_API_URL")
        parts = (f"The catalog service answered {status} to {request}.", remedy, redaction.excerpt(content))
        return CatalogUnavailableError(" ".join(part for part in parts if part), status_code=status)

    def _read_response(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[requests.Response, bytes]:
        """Send a request, after one for a token if that is needed, and read the whole body; in a thread of its own."""
        ends_at = time.monotonic() + REQUEST_SECONDS
        parts = []
        # A redirect that is followed turns a POST into a GET, which asks something else.
        with self._session.request(
            method,
            url,
            data=data,
            headers=headers,
            timeout=(CONNECT_TIMEOUT_SECONDS, self._read_timeout_seconds or READ_TIMEOUT_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            raw = response.raw.stream(_BYTES_AT_ONCE, decode_content=False)
            encoding = response.headers.get("Content-Encoding", "")
            for part in decoded(raw, encoding=encoding, limit=MAX_RESPONSE_BYTES):
                parts.append(part)
                if time.monotonic() > ends_at:
                    raise TimeoutError  # Nobody waits for it any more.
        return response, b"".join(parts)

    def _redaction(self) -> Redaction:
        """Return what messages may not hold: what we are known by, whoever answers and repeats it."""
        return Redaction([settings.OAUTH2_CLIENT_SECRET, self._session.auth.token or ""])


def _read(answer: _Answer, model: type[M]) -> M:
    try:
        # Read by the library that read the documents at their import: pydantic's own refuses some that it takes.
        return model.model_validate(orjson.loads(answer.content))
    except orjson.JSONDecodeError as error:
        kind = answer.headers.get("Content-Type", "")
        hint = f" It is {kind}. Check CATALOG_API_URL." if "json" not in kind else ""
        raise CatalogUnavailableError(f"The catalog's answer is not JSON: {error}.{hint}") from None
    except ValidationError as error:
        raise CatalogUnavailableError(f"The catalog's answer cannot be read: {_first_fault(error)}") from error


def _etag_of(answer: _Answer) -> str:
    etag = answer.headers.get("ETag", "")
    return etag if len(etag) <= MAX_ETAG_LENGTH and _ETAG.fullmatch(etag) else ""


def _are_alike(etag: str, other: str) -> bool:
    """Compare weakly (RFC 9110, 8.8.3.2): a proxy that compresses an answer makes its strong ETag a weak one."""
    return etag.removeprefix("W/") == other.removeprefix("W/")


_moment_of = functools.lru_cache(maxsize=1_000)(datetime.fromisoformat)  # Many items share the same one.


def read_moment(version: str) -> datetime:
    """Return the moment that a version of an item is of.

    Raises:
        CatalogUnavailableError: it is none.
    """
    try:
        return _moment_of(version)
    except (TypeError, ValueError) as error:
        raise CatalogUnavailableError(f"The catalog's answer cannot be read: existing: {error}") from error


def _versions(existing: Iterable[Any]) -> dict[str, str]:
    """Return the version of each key."""
    try:
        return {item["content_key"]: item["updated_at"] for item in existing}
    except KeyError as error:
        raise CatalogUnavailableError(f"The catalog's answer cannot be read: existing: no {error}") from error
    except TypeError as error:
        raise CatalogUnavailableError(f"The catalog's answer cannot be read: existing: {error}") from error


def _check_complete(keys: Sequence[str], found: Container[str], *others: Iterable[str]) -> None:
    if lost := {key for key in keys if key not in found}.difference(*others):
        raise CatalogUnavailableError(f"The catalog's answer leaves out {len(lost)} of {len(keys)} keys.")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``keys`` in parts that one request may carry; one empty part when there are none."""
    yield keys[:MAX_DIFF_KEYS]
    for start in range(MAX_DIFF_KEYS, len(keys), MAX_DIFF_KEYS):
        yield keys[start : start + MAX_DIFF_KEYS]
