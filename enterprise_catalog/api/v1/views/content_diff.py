"""``POST …/content-diff/``: what is new, changed and gone, compared with the keys that the caller knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from enterprise_catalog.api.v1.serializers import DiffRequestSerializer, DiffSerializer
from enterprise_catalog.api.v1.views.base import CatalogView, body_of, validated
from enterprise_catalog.catalog.snapshots import existing_as_json, read_diff

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request


class ContentDiffView(CatalogView):
    """Compare a catalog with the content keys already sent to a learning system."""

    @extend_schema(request=DiffRequestSerializer, responses=DiffSerializer, operation_id="content_diff")
    def post(self, request: Request, uuid: UUID) -> Response:
        """Return which keys exist (and when each last changed), which to create and which to delete."""
        catalog = self.catalog
        keys = validated(DiffRequestSerializer, body_of(request))["content_keys"]
        version, diff = read_diff(catalog, keys)
        envelope = orjson.dumps({"catalog_uuid": str(uuid), "catalog_version": version})
        body = (
            envelope[:-1],
            b',"existing":',
            existing_as_json(diff.existing),
            b',"to_create":',
            orjson.dumps(diff.to_create),
            b',"to_delete":',
            orjson.dumps(diff.to_delete),
            b"}",
        )
        return Response(b"".join(body))
