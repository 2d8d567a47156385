"""``generate_diff`` and ``get_content_metadata``: the formats that existing Open edX callers use.

Their quirks are kept on purpose. A space in a key stands for a plus sign: clients lose plus signs when they do not
encode their URLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import orjson
from django.http import StreamingHttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.utils.urls import remove_query_param, replace_query_param

from enterprise_catalog.api.v1.serializers import (
    MAX_DIFF_KEYS,
    MAX_METADATA_KEYS,
    LegacyDiffRequestSerializer,
    LegacyDiffSerializer,
    LegacyMetadataSerializer,
    LegacyPageQuerySerializer,
)
from enterprise_catalog.api.v1.views.base import BAD_KEYS, CatalogView, content_keys_of, json_response
from enterprise_catalog.api.v1.views.content_metadata import envelope_with
from enterprise_catalog.catalog.documents import separated
from enterprise_catalog.catalog.items.pages import read_numbered_page, read_page
from enterprise_catalog.catalog.snapshots.snapshot import read_diff
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.http import HttpResponse, HttpResponseBase
    from rest_framework.request import Request


_UNKNOWN: Final = {
    "404": "The page does not exist, or the catalog does not exist (for callers whose role has the context *)."
}


class _FoundItem(msgspec.Struct, gc=False):
    content_key: str
    date_updated: str


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
        keys = _with_pluses(content_keys_of(request, may_be_empty=True))
        _, diff = read_diff(self.catalog, keys, item_type=_FoundItem)
        content = {
            "items_found": diff.existing,
            "items_not_included": _keys_as_json(diff.to_create),
            "items_not_found": _keys_as_json(diff.to_delete),
        }
        return json_response(orjson.dumps(content))


def _keys_as_json(keys: list[str]) -> orjson.Fragment:
    """Return ``[{"content_key": …}, …]``. A Struct takes a sixth of the memory of a ``dict``."""
    return orjson.Fragment(msgspec.json.encode([_Key(key) for key in keys]))


class GetContentMetadataView(CatalogView):
    """Documents in numbered pages, in the format of Open edX's callers."""

    @documented(
        "get_content_metadata",
        errors=BAD_PARAMETER | _UNKNOWN,
        parameters=[LegacyPageQuerySerializer],
        responses=LegacyMetadataSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return one page, or all documents at once with ``traverse_pagination``."""
        parameters = request.query_params
        query = validate(
            LegacyPageQuerySerializer, {**parameters.dict(), "content_keys": parameters.getlist("content_keys")}
        )
        keys = [_plus(key) for key in query["content_keys"]]
        if query["traverse_pagination"] and not keys:
            return self._all(uuid)
        page, size = query["page"], MAX_METADATA_KEYS if query["traverse_pagination"] else query["page_size"]
        start = (page - 1) * size
        count, items = read_numbered_page(self.catalog.uuid, keys=keys, start=start, size=size)
        if page > 1 and start >= count:
            raise NotFound("There is no such page.")
        envelope = self._envelope(
            count,
            following=_address(request, page + 1) if start + size < count else None,
            previous=_address(request, page - 1) if page > 1 else None,
        )
        return json_response(envelope_with(envelope, (document for _, document in items.documents)))

    def _envelope(self, count: int, *, following: str | None, previous: str | None) -> dict[str, object]:
        catalog = self.catalog
        return {
            "count": count,
            "next": following,
            "previous": previous,
            "uuid": str(catalog.uuid),
            "title": catalog.title,
            "enterprise_customer": str(catalog.customer_uuid),
        }

    def _all(self, uuid: UUID) -> StreamingHttpResponse:
        """Stream all documents; holds at most 1,000 of them in memory at a time."""
        count, _ = read_numbered_page(self.catalog.uuid, keys=(), start=0, size=0)
        envelope = self._envelope(count, following=None, previous=None)
        return StreamingHttpResponse(_stream(uuid, envelope), content_type="application/json")


def _stream(uuid: UUID, envelope: dict[str, object]) -> Iterator[bytes]:
    yield orjson.dumps(envelope)[:-1] + b',"results":['
    separator, after = b"", ""
    while documents := read_page(uuid, after=after, size=MAX_METADATA_KEYS).documents:
        yield b"".join((separator, *separated(document for _, document in documents)))
        separator, after = b",", documents[-1][0]
    yield b"]}"


def _with_pluses(keys: list[str]) -> list[str]:
    """Replace the spaces in place, in batches: 250,000 long keys fit into memory only once."""
    for start in range(0, len(keys), MAX_METADATA_KEYS):
        part = slice(start, start + MAX_METADATA_KEYS)
        keys[part] = map(_plus, keys[part])
    return keys


def _plus(key: str) -> str:
    return key.replace(" ", "+")


def _address(request: Request, page: int) -> str:
    address = request.build_absolute_uri()
    return remove_query_param(address, "page") if page == 1 else replace_query_param(address, "page", page)
