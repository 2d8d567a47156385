"""``GET …/enterprise-catalogs/`` and ``…/{uuid}/``: catalogs and their versions, with ETags."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.views import APIView

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.api.v1.permissions import HasAnyRole, may_read_all, readable_customers
from enterprise_catalog.api.v1.serializers import CatalogListQuerySerializer, CatalogPageSerializer, CatalogSerializer
from enterprise_catalog.api.v1.views.base import UNKNOWN_CATALOG, CatalogView, not_modified, with_etag
from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
from enterprise_catalog.catalog.state import state_of
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, NOT_MODIFIED, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponseBase
    from rest_framework.request import Request

    from enterprise_catalog.catalog.querysets import EnterpriseCatalogQuerySet


_UNKNOWN: Final = {
    "404": "The page does not exist, or the customer does not exist (for callers whose role has the context *)."
}


class CatalogDetailView(CatalogView):
    """One catalog."""

    @documented("catalog_detail", errors=NOT_MODIFIED | UNKNOWN_CATALOG, responses=CatalogSerializer)
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return the catalog with its version. Returns 304 if the caller's ``If-None-Match`` is up to date."""
        return _conditional(request, CatalogSerializer(self.catalog).data)


class CatalogListView(APIView):
    """The catalogs that the caller may read, or those of one customer."""

    permission_classes = (HasAnyRole,)

    @documented(
        "catalog_list",
        errors=NOT_MODIFIED | BAD_PARAMETER | _UNKNOWN,
        parameters=[
            CatalogListQuerySerializer,
            OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1}),
        ],
        responses=CatalogPageSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return one page of catalogs, ascending by UUID.

        Returns 403 for a customer whose catalogs the caller may not read. Returns 404 for a customer that does not
        exist, but only to callers who may read all catalogs.
        """
        customer = validate(CatalogListQuerySerializer, request.query_params.dict()).get("enterprise_customer")
        catalogs = self._of_caller(request) if customer is None else self._of_customer(request, customer)
        paginator = CatalogPagination()
        page = paginator.paginate_queryset(catalogs.with_parts(), request, view=self)
        if not page and customer is not None and not EnterpriseCustomer.objects.filter(pk=customer).exists():
            raise Http404(f"There is no customer {customer}.")
        catalogs_as_json = [CatalogSerializer(state_of(catalog)).data for catalog in page or ()]
        return _conditional(request, paginator.get_paginated_response(catalogs_as_json).data)

    def _of_caller(self, request: Request) -> EnterpriseCatalogQuerySet:
        if may_read_all(request):
            return EnterpriseCatalog.objects.all()
        return EnterpriseCatalog.objects.of_customers(readable_customers(request))

    def _of_customer(self, request: Request, customer: UUID) -> EnterpriseCatalogQuerySet:
        if not may_read_all(request) and customer not in readable_customers(request):
            raise PermissionDenied
        return EnterpriseCatalog.objects.of_customers([customer])


def _conditional(request: Request, body: object) -> HttpResponseBase:
    """Return ``body``, or 304. The ETag is the digest of the body and changes with any part of it."""
    content = orjson.dumps(body, default=str)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return not_modified(request, etag) or with_etag(content, etag)
