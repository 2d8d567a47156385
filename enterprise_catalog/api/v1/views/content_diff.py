"""``POST …/content-diff/``: existing, new and removed content, compared with the caller's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from enterprise_catalog.api.v1.serializers.content_diff import MAX_DIFF_KEYS, DiffRequestSerializer, DiffSerializer
from enterprise_catalog.api.v1.views.base import BAD_KEYS, CatalogView, content_keys_of, json_response
from enterprise_catalog.catalog.snapshots.snapshot import items_as_json, keys_as_json, read_diff
from enterprise_catalog.web.rest.schema import documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from rest_framework.request import Request


class ContentDiffView(CatalogView):
    """Compare a catalog with the content keys already sent to an LMS."""

    key_limits = (0, MAX_DIFF_KEYS)

    @documented("content_diff", errors=BAD_KEYS, request=DiffRequestSerializer, responses=DiffSerializer)
    def post(self, request: Request, uuid: UUID) -> HttpResponse:
        """Return the keys that exist (with their times of change), the keys to create and the keys to delete."""
        version, diff = read_diff(self.catalog, content_keys_of(request))
        content = {
            "catalog_uuid": uuid,
            "catalog_version": version,
            "existing": items_as_json(diff.existing),
            "to_create": keys_as_json(diff.to_create),
            "to_delete": diff.to_delete,
        }
        return json_response(orjson.dumps(content))
