"""``…/content-metadata/``: the documents, by key (POST) and page by page (GET)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from rest_framework.response import Response

from enterprise_catalog.api.v1.serializers.content_metadata import (
    MAX_METADATA_KEYS,
    MetadataPageSerializer,
    MetadataRequestSerializer,
    MetadataSerializer,
    PageQuerySerializer,
)
from enterprise_catalog.api.v1.views.base import (
    BAD_KEYS,
    UNKNOWN_CATALOG,
    CatalogView,
    content_keys_of,
    json_response,
    not_modified,
    with_etag,
)
from enterprise_catalog.catalog.documents import separated
from enterprise_catalog.catalog.items.pages import read_items, read_page
from enterprise_catalog.web.rest.cursors import BadCursorError, cursor_after, key_of_cursor
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, NOT_MODIFIED, documented

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from django.http import HttpResponse, HttpResponseBase
    from rest_framework.request import Request

    from enterprise_catalog.catalog.documents import ServedDocument

NOT_IN_CATALOG = "not_in_catalog"


class ContentMetadataView(CatalogView):
    """The catalog's documents."""

    key_limits = (1, MAX_METADATA_KEYS)

    @documented(
        "content_metadata_by_keys", errors=BAD_KEYS, request=MetadataRequestSerializer, responses=MetadataSerializer
    )
    def post(self, request: Request, uuid: UUID) -> HttpResponse:
        """Return the documents with the given keys. Each key is in ``results`` or, with a reason, in ``missing``."""
        catalog = self.catalog
        keys = dict.fromkeys(content_keys_of(request))
        items = read_items(catalog.uuid, keys)
        found = {key for key, _ in items.documents}
        missing = [{"content_key": key, "reason": NOT_IN_CATALOG} for key in keys if key not in found]
        envelope = {"catalog_uuid": str(uuid), "catalog_version": items.version, "missing": missing}
        return json_response(envelope_with(envelope, (document for _, document in items.documents)))

    @documented(
        "content_metadata_list",
        errors=NOT_MODIFIED | BAD_PARAMETER | UNKNOWN_CATALOG,
        parameters=[PageQuerySerializer],
        responses=MetadataPageSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return one page of all documents, ascending by key. Every page has the same cost."""
        catalog = self.catalog
        query = validate(PageQuerySerializer, request.query_params.dict())
        try:
            after = key_of_cursor(query.get("cursor", ""))
        except BadCursorError:
            return Response({"cursor": ["Invalid cursor."], "code": "bad_cursor"}, status=400)
        if unchanged := not_modified(request, _etag(catalog.version)):
            return unchanged
        page = read_page(uuid, after=after, size=query["page_size"])
        is_last = len(page.documents) < query["page_size"]
        following = None if is_last else cursor_after(request, page.documents[-1][0])
        envelope = {"catalog_uuid": str(uuid), "catalog_version": page.version, "next": following}
        return with_etag(envelope_with(envelope, (document for _, document in page.documents)), _etag(page.version))


def envelope_with(envelope: Mapping[str, object], documents: Iterable[ServedDocument]) -> bytes:
    """Return the JSON of ``envelope`` with an additional field ``results``; the documents are copied unchanged."""
    return b"".join((orjson.dumps(envelope)[:-1], b',"results":[', *separated(documents), b"]}"))


def _etag(version: str) -> str:
    return f'"{version}"'
