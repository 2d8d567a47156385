"""``POST …/content-diff/``: what is new, changed and gone, compared with the keys that the caller knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from enterprise_catalog.api.v1.serializers import DiffRequestSerializer, DiffSerializer
from enterprise_catalog.api.v1.views.base import CatalogView, body_of, validated
from enterprise_catalog.catalog.documents import format_time
from enterprise_catalog.catalog.snapshots import read_diff

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
        version, diff = read_diff(catalog.pk, keys)
        return Response(
            {
                "catalog_uuid": str(uuid),
                "catalog_version": version,
                "existing": [{"content_key": key, "updated_at": format_time(moment)} for key, moment in diff.existing],
                "to_create": diff.to_create,
                "to_delete": diff.to_delete,
            }
        )
