"""``GET …/content-changes/`` and ``GET …/catalog-changes/``: what changed since a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import APIView

from enterprise_catalog.api.v1.permissions import ReadsAllCatalogs
from enterprise_catalog.api.v1.serializers.changes import (
    CatalogChangesQuerySerializer,
    CatalogChangesSerializer,
    ContentChangesQuerySerializer,
    ContentChangesSerializer,
)
from enterprise_catalog.api.v1.views.base import UNKNOWN_CATALOG, CatalogView, not_modified, with_etag
from enterprise_catalog.catalog.versions import reads
from enterprise_catalog.catalog.versions.reads import Position, UnknownVersionError
from enterprise_catalog.catalog.versions.state import BadVersionError, Version
from enterprise_catalog.web.rest.cursors import BadCursorError, cursor_after, key_of_cursor
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, NOT_MODIFIED, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

_GONE = {"410": "The version is too old or unknown."}


class VersionGoneError(APIException):
    """The changes since the requested version are not known."""

    status_code = status.HTTP_410_GONE
    default_detail = "The changes since this version are not known. Compare the whole catalog."
    default_code = "version_gone"


class _ChangesView(APIView):
    """A view of changes since a version."""

    def handle_exception(self, exc: Exception) -> Response:
        """Translate the errors of ``catalog/versions/`` into errors of the API."""
        match exc:
            case BadVersionError():
                exc = ValidationError({"since": ["Invalid version."]}, "bad_version")
            case BadCursorError():
                exc = ValidationError({"cursor": ["Invalid cursor."]}, "bad_cursor")
            case UnknownVersionError():
                exc = VersionGoneError()
        return super().handle_exception(exc)


class ContentChangesView(_ChangesView, CatalogView):
    """The changes of a catalog's content."""

    @documented(
        "content_changes",
        errors=NOT_MODIFIED | BAD_PARAMETER | UNKNOWN_CATALOG | _GONE,
        parameters=[ContentChangesQuerySerializer],
        responses=ContentChangesSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return one page of the items that were created, changed or removed since a version of the catalog.

        Apply the pages in turn: each contains the changes since the previous page. Only the last page has
        ``catalog_version``. After a 410, send all keys to ``content-diff`` instead.
        """
        catalog = self.catalog
        query = validate(ContentChangesQuerySerializer, request.query_params.dict())
        since = Version.parse(query["since"])
        after = _position(query["cursor"]) if "cursor" in query else None
        etag = f'"{catalog.version}"'
        if unchanged := not_modified(request, etag):
            return unchanged
        page = reads.read_changes(catalog, since, after=after, size=query["page_size"])
        body: dict[str, Any] = {
            "catalog_uuid": uuid,
            "created": [_item(*item) for item in page.created],
            "changed": [_item(*item) for item in page.changed],
            "removed": page.removed,
            "next": None if page.end is None else cursor_after(request, str(page.end)),
        }
        if page.version is not None:
            body["catalog_version"] = str(page.version)
        return with_etag(orjson.dumps(body), etag)


class CatalogChangesView(_ChangesView):
    """The customers whose catalogs changed."""

    permission_classes = (ReadsAllCatalogs,)

    @documented(
        "catalog_changes",
        errors=NOT_MODIFIED | BAD_PARAMETER | _GONE,
        parameters=[CatalogChangesQuerySerializer],
        responses=CatalogChangesSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the customers with catalogs that changed since ``since``, a cursor of an earlier response.

        Without ``since``, only the current cursor. After a 410, consider all customers changed.
        """
        query = validate(CatalogChangesQuerySerializer, request.query_params.dict())
        customers, cursor = (
            reads.read_changed_customers(query["since"]) if "since" in query else ([], reads.read_cursor())
        )
        etag = f'"{cursor}"'
        return not_modified(request, etag) or with_etag(orjson.dumps({"customers": customers, "cursor": cursor}), etag)


def _position(cursor: str) -> Position:
    try:
        return Position.parse(key_of_cursor(cursor))
    except BadVersionError as error:
        raise BadCursorError(cursor) from error


def _item(content_key: str, updated_at: str) -> dict[str, str]:
    return {"content_key": content_key, "updated_at": updated_at}
