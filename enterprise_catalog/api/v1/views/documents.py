"""``content-metadata/…`` and ``enterprise-customer/…/content-metadata/…``: documents by identifier.

An identifier ends the path. It may contain slashes, as keys of old course runs do; a final slash does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from enterprise_catalog.api.v1.serializers.documents import (
    CustomerDocumentQuerySerializer,
    PlainDocumentQuerySerializer,
    PlainPageQuerySerializer,
    PlainPageSerializer,
)
from enterprise_catalog.api.v1.views.base import json_response
from enterprise_catalog.api.v1.views.compatibility import page_address
from enterprise_catalog.api.v1.views.containment import CustomerView
from enterprise_catalog.api.v1.views.content_metadata import envelope_with
from enterprise_catalog.catalog.items.identified import read_for_customer, read_plain, read_plain_page
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from rest_framework.request import Request

_DOCUMENT: Final = {(200, "application/json"): OpenApiTypes.OBJECT}
_IDENTIFIER: Final = OpenApiParameter("identifier", str, "path", description="A key, or a UUID of content.")


class CustomerDocumentView(CustomerView):
    """One document, as the customer's catalogs serve it."""

    @documented(
        "customer_content_metadata",
        errors={"404": "None of the customer's catalogs has the item."},
        parameters=[_IDENTIFIER, CustomerDocumentQuerySerializer],
        responses=_DOCUMENT,
    )
    def get(self, request: Request, customer_uuid: UUID, identifier: str) -> HttpResponse:
        """Return the document of the first catalog that has the item, in the format of ``get_content_metadata``."""
        document = read_for_customer(
            customer_uuid,
            identifier.removesuffix("/"),
            with_restricted=self.with_restricted,
            with_customer=not request.query_params.get("skip_customer_fetch"),
        )
        return _respond(document, identifier)


class PlainDocumentView(APIView):
    """One document, without a customer."""

    permission_classes = (IsAuthenticated,)

    @documented(
        "content_metadata_detail",
        errors={"404": "There is no such item."},
        parameters=[_IDENTIFIER, PlainDocumentQuerySerializer],
        responses=_DOCUMENT,
    )
    def get(self, request: Request, identifier: str) -> HttpResponse:
        """Return the document with this key, UUID or row number. It has no enrollment URL."""
        query = validate(PlainDocumentQuerySerializer, request.query_params.dict())
        document = read_plain(identifier.removesuffix("/"), coerce_to_course=query["coerce_to_parent_course"])
        return _respond(document, identifier)


class PlainDocumentListView(APIView):
    """Documents without a customer."""

    permission_classes = (IsAuthenticated,)

    @documented(
        "content_metadata_pages",
        errors=BAD_PARAMETER | {"404": "The page does not exist."},
        parameters=[PlainPageQuerySerializer],
        responses=PlainPageSerializer,
    )
    def get(self, request: Request) -> HttpResponse:
        """Return one page of the items with these keys, UUIDs or row numbers; without them, of all items."""
        parameters = request.query_params
        query = validate(
            PlainPageQuerySerializer,
            {**parameters.dict(), "content_identifiers": parameters.getlist("content_identifiers")},
        )
        page, size = query["page"], query["page_size"]
        start = (page - 1) * size
        count, documents = read_plain_page(
            query["content_identifiers"], start=start, size=size, coerce_to_course=query["coerce_to_parent_course"]
        )
        if page > 1 and start >= count:
            raise NotFound("There is no such page.")
        envelope = {
            "count": count,
            "next": page_address(request, page + 1) if start + size < count else None,
            "previous": page_address(request, page - 1) if page > 1 else None,
        }
        return json_response(envelope_with(envelope, [(document,) for document in documents]))


def _respond(document: bytes | None, identifier: str) -> HttpResponse:
    if document is None:
        raise Http404(f"There is no content {identifier.removesuffix('/')}.")
    return json_response(document)
