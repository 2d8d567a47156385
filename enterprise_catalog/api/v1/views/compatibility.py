"""``generate_diff`` and ``get_content_metadata``: the formats that existing Open edX callers use.

Their quirks are kept on purpose. A space in a key stands for a plus sign: clients lose plus signs when they do not
encode their URLs.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec
import orjson
from django.http import StreamingHttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.utils.urls import remove_query_param, replace_query_param

from enterprise_catalog.api.v1.serializers.compatibility import (
    LegacyDiffQuerySerializer,
    LegacyDiffRequestSerializer,
    LegacyDiffSerializer,
    LegacyMetadataSerializer,
    LegacyPageQuerySerializer,
)
from enterprise_catalog.api.v1.serializers.content_diff import MAX_DIFF_KEYS
from enterprise_catalog.api.v1.serializers.content_metadata import MAX_METADATA_KEYS
from enterprise_catalog.api.v1.views.base import BAD_KEYS, UNKNOWN_CATALOG, CatalogView, content_keys_of, json_response
from enterprise_catalog.api.v1.views.content_metadata import envelope_with
from enterprise_catalog.catalog.items.numbered_pages import NumberedPages
from enterprise_catalog.catalog.snapshots.snapshot import items_as_json, read_diff
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from django.http import HttpResponse, HttpResponseBase
    from rest_framework.request import Request


_UNKNOWN: Final = {
    "404": "The page does not exist, or the catalog does not exist (for callers whose role has the context *)."
}

#: Of a streamed response.
_DOCUMENTS_PER_PART: Final = 100


class _Key(msgspec.Struct, gc=False):
    content_key: str


class GenerateDiffView(CatalogView):
    """The diff in the format of Open edX's integrated channels."""

    key_limits = (0, MAX_DIFF_KEYS)

    @documented(
        "generate_diff",
        errors=BAD_KEYS,
        is_body_optional=True,
        request=LegacyDiffRequestSerializer,
        responses=LegacyDiffSerializer,
    )
    def post(self, request: Request, uuid: UUID) -> HttpResponse:
        """Return the diff. An empty body is an empty list of keys."""
        return self._diff(_with_pluses(content_keys_of(request, may_be_empty=True)))

    @documented(
        "generate_diff_by_url",
        errors=BAD_PARAMETER | UNKNOWN_CATALOG,
        parameters=[LegacyDiffQuerySerializer],
        responses=LegacyDiffSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponse:
        """Return the diff for up to 100 keys in the URL."""
        query = validate(LegacyDiffQuerySerializer, {"content_keys": request.query_params.getlist("content_keys")})
        return self._diff(_with_pluses(query["content_keys"]))

    def _diff(self, keys: list[str]) -> HttpResponse:
        _, diff = read_diff(self.catalog, keys, time_name="date_updated")
        content = {
            "items_found": items_as_json(diff.existing),
            "items_not_included": _keys_as_json(diff.to_create),
            "items_not_found": _keys_as_json(diff.to_delete),
        }
        return json_response(orjson.dumps(content))


def _keys_as_json(keys: Sequence[str]) -> orjson.Fragment:
    """Return ``[{"content_key": …}, …]``. A Struct takes a sixth of the memory of a ``dict``."""
    return orjson.Fragment(msgspec.json.encode([_Key(key) for key in keys]))


class GetContentMetadataView(CatalogView):
    """Documents in numbered pages, in the format of Open edX's callers."""

    with_restricted = False  #: Offer the restricted runs that the catalog's query allows.

    @documented(
        "get_content_metadata",
        errors=BAD_PARAMETER | _UNKNOWN,
        parameters=[LegacyPageQuerySerializer],
        responses=LegacyMetadataSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return one page, or all documents at once with ``traverse_pagination``.

        Without ``content_keys``, courses without an active run are left out.
        """
        parameters = request.query_params
        query = validate(
            LegacyPageQuerySerializer, {**parameters.dict(), "content_keys": parameters.getlist("content_keys")}
        )
        keys = [_plus(key) for key in query["content_keys"]]
        pages = NumberedPages(self.catalog.uuid, keys, self.with_restricted)
        if query["traverse_pagination"]:
            return self._all(pages)
        page, size = query["page"], query["page_size"]
        start = (page - 1) * size
        count, documents = pages.read(start=start, size=size)
        if page > 1 and start >= count:
            raise NotFound("There is no such page.")
        envelope = {
            **self._envelope(count),
            "next": page_address(request, page + 1) if start + size < count else None,
            "previous": page_address(request, page - 1) if page > 1 else None,
            "num_pages": max(1, -(-count // size)),
            "current_page": page,
            "start": start,
        }
        return json_response(envelope_with(envelope, ((document,) for document in documents)))

    def _envelope(self, count: int) -> dict[str, object]:
        catalog = self.catalog
        return {
            "count": count,
            "next": None,
            "previous": None,
            "uuid": str(catalog.uuid),
            "title": catalog.title,
            "enterprise_customer": str(catalog.customer_uuid),
        }

    def _all(self, pages: NumberedPages) -> StreamingHttpResponse:
        """Stream all documents; holds at most 500 of them in memory at a time."""
        count, documents = pages.stream()
        return StreamingHttpResponse(_stream(self._envelope(count), documents), content_type="application/json")


def _stream(envelope: dict[str, object], documents: Iterator[bytes]) -> Iterator[bytes]:
    yield orjson.dumps(envelope)[:-1] + b',"results":['
    separator = b""
    while some := list(islice(documents, _DOCUMENTS_PER_PART)):
        yield separator + b",".join(some)
        separator = b","
    yield b"]}"


def _with_pluses(keys: list[str]) -> list[str]:
    """Replace the spaces in place, in batches: 250,000 long keys fit into memory only once."""
    for start in range(0, len(keys), MAX_METADATA_KEYS):
        part = slice(start, start + MAX_METADATA_KEYS)
        keys[part] = map(_plus, keys[part])
    return keys


def _plus(key: str) -> str:
    return key.replace(" ", "+")


def page_address(request: Request, page: int) -> str:
    """Return the URL of a page of the same request."""
    address = request.build_absolute_uri()
    return remove_query_param(address, "page") if page == 1 else replace_query_param(address, "page", page)
