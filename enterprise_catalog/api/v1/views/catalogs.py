"""``…/enterprise-catalogs/`` and ``…/{uuid}/``: catalogs and their versions, and their life cycle."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import orjson
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.api.v1.permissions import (
    MANAGERS,
    IsAdminOfCustomer,
    ManagesAnyCatalog,
    ManagesCatalog,
    require_customer,
    scope_of,
)
from enterprise_catalog.api.v1.serializers.catalogs import (
    CatalogCreateSerializer,
    CatalogListQuerySerializer,
    CatalogPageSerializer,
    CatalogSerializer,
    CatalogWriteSerializer,
    RefreshSerializer,
    SavedCatalogSerializer,
)
from enterprise_catalog.api.v1.serializers.fields import MAX_CATALOGS
from enterprise_catalog.api.v1.views.base import UNKNOWN_CATALOG, not_modified, with_etag
from enterprise_catalog.catalog.discovery.filters import filter_warnings
from enterprise_catalog.catalog.lms.catalogs import change_catalog, create_catalog, delete_catalog
from enterprise_catalog.catalog.lms.queries import QueryClashError
from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer, RefreshTrigger
from enterprise_catalog.catalog.tasks import NotRefreshableError, request_refresh
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, NOT_MODIFIED, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponseBase
    from rest_framework.request import Request

    from enterprise_catalog.catalog.querysets import EnterpriseCatalogQuerySet
    from enterprise_catalog.web.rest.input import Values


_UNKNOWN: Final = {
    "404": "The page does not exist, or the customer does not exist (for callers whose role has the context *)."
}
#: The names of the columns in the errors of Open edX's service.
_CLASH: Final = "{} is not unique"


class NotUniqueError(APIException):
    """Another query in use has the requested filter or title. The error has the format of Open edX's service."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "not_unique"

    def __init__(self, column: str) -> None:
        super().__init__({"catalog_query": _CLASH.format(column)})


class CannotRefreshError(APIException):
    """Nothing can refresh the catalog."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not_refreshable"


class _LifecycleView(APIView):
    """A view that creates or changes catalogs."""

    def handle_exception(self, exc: Exception) -> Response:
        """Translate the errors of ``catalog/lms/`` into errors of the API."""
        match exc:
            case QueryClashError():
                exc = NotUniqueError(exc.column)
            case EnterpriseCatalog.DoesNotExist():  # Deleted between the access check and the change.
                exc = Http404()
        return super().handle_exception(exc)


class _ExistingCatalogView(_LifecycleView):
    """A view of one catalog that has not been deleted."""

    @cached_property
    def found(self) -> EnterpriseCatalog | None:
        """The catalog at the first access; ``None`` if there is no such catalog, or it has been deleted."""
        return EnterpriseCatalog.objects.with_parts().existing().filter(pk=self.kwargs["uuid"]).first()

    def get_customer_uuid(self) -> UUID | None:
        """Return the UUID of the catalog's customer, for the permission check; ``None`` if there is no such catalog."""
        return self.found.enterprise_customer_id if self.found else None

    @property
    def catalog(self) -> EnterpriseCatalog:
        """The catalog, once access is granted.

        Raises:
            Http404: there is no such catalog. Only callers with the context ``*`` get this far.
        """
        if self.found is None:
            raise Http404(f"There is no catalog {self.kwargs['uuid']}.")
        return self.found


class CatalogDetailView(_ExistingCatalogView):
    """One catalog."""

    permission_classes = (ManagesCatalog,)

    @documented("catalog_detail", errors=NOT_MODIFIED | UNKNOWN_CATALOG, responses=CatalogSerializer)
    def get(self, request: Request, uuid: UUID) -> HttpResponseBase:
        """Return the catalog with its version. Returns 304 if the caller's ``If-None-Match`` is up to date."""
        return _conditional(request, CatalogSerializer(self.catalog).data)

    @documented(
        "catalog_replace",
        errors=BAD_OBJECT | UNKNOWN_CATALOG,
        request=CatalogWriteSerializer,
        responses=SavedCatalogSerializer,
    )
    def put(self, request: Request, uuid: UUID) -> Response:
        """Change the catalog, and the filter and title of its query. All members are required, except the query's."""
        return self._change(request, is_partial=False)

    @documented(
        "catalog_change",
        errors=BAD_OBJECT | UNKNOWN_CATALOG,
        request=CatalogWriteSerializer,
        responses=SavedCatalogSerializer,
    )
    def patch(self, request: Request, uuid: UUID) -> Response:
        """Change the members that are sent."""
        return self._change(request, is_partial=True)

    @documented("catalog_delete", errors=UNKNOWN_CATALOG, responses={204: None})
    def delete(self, request: Request, uuid: UUID) -> Response:
        """Delete the catalog. Its diff remains, with an empty catalog, for the channels that remove its courses."""
        delete_catalog(self.catalog.pk, now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, *, is_partial: bool) -> Response:
        catalog = self.catalog
        values = validate(CatalogWriteSerializer, body_of(request), is_partial=is_partial)
        require_customer(request, values.get("enterprise_customer", catalog.enterprise_customer_id), *MANAGERS)
        return Response(_saved(change_catalog(catalog.pk, values, now=timezone.now()), values))


class RefreshMetadataView(_ExistingCatalogView):
    """Refreshes of a catalog's content from course-discovery."""

    permission_classes = (IsAdminOfCustomer,)

    @documented(
        "refresh_metadata",
        errors=UNKNOWN_CATALOG | {"409": "The catalog has no query, or imported files fill it."},
        request=None,
        responses=RefreshSerializer,
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Queue a refresh of the catalog's query. Returns the task of the last hour, if there is one."""
        query = self.catalog.catalog_query
        if query is None:
            raise CannotRefreshError("The catalog has no query, so there is nothing to refresh.")
        try:
            row = request_refresh(query, trigger=RefreshTrigger.API, user=request.user.get_username())
        except NotRefreshableError as error:
            raise CannotRefreshError(str(error)) from error
        return Response({"async_task_id": row.task_id})


class CatalogListView(_LifecycleView):
    """The catalogs that the caller may manage, or those of one customer."""

    permission_classes = (ManagesAnyCatalog,)

    @documented(
        "catalog_list",
        errors=NOT_MODIFIED | BAD_PARAMETER | _UNKNOWN,
        parameters=[
            CatalogListQuerySerializer,
            OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1}),
            OpenApiParameter(
                "page_size",
                {"type": "integer", "minimum": 1, "default": 100},
                description=f"Above {MAX_CATALOGS:,}: {MAX_CATALOGS:,}. Not a number: the default.",
            ),
        ],
        responses=CatalogPageSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return one page of catalogs, ascending by UUID.

        Returns 403 for a customer whose catalogs the caller may not read. Returns 404 for a customer that does not
        exist, but only to callers who may read all catalogs.
        """
        query = validate(CatalogListQuerySerializer, request.query_params.dict())
        customer = query.get("enterprise_customer")
        catalogs = self._of_caller(request) if customer is None else self._of_customer(request, customer)
        catalogs = catalogs if query["include_deleted"] else catalogs.existing()
        paginator = CatalogPagination()
        page = paginator.paginate_queryset(catalogs.with_parts(), request, view=self)
        if not page and customer is not None and not EnterpriseCustomer.objects.filter(pk=customer).exists():
            raise Http404(f"There is no customer {customer}.")
        catalogs_as_json = [CatalogSerializer(catalog).data for catalog in page or ()]
        return _conditional(request, paginator.get_paginated_response(catalogs_as_json).data)

    @documented(
        "catalog_create",
        errors=BAD_OBJECT,
        request=CatalogCreateSerializer,
        responses={201: SavedCatalogSerializer, 200: SavedCatalogSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a catalog and its query. Changes the catalog instead if one with this UUID exists (200)."""
        values = validate(CatalogCreateSerializer, body_of(request))
        require_customer(request, values["enterprise_customer"], *MANAGERS)
        catalog_uuid = values.pop("uuid", None) or uuid4()
        self._check_existing(request, catalog_uuid)
        catalog, is_new = create_catalog(catalog_uuid, values, now=timezone.now())
        return Response(_saved(catalog, values), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    def _check_existing(self, request: Request, catalog_uuid: UUID) -> None:
        """Require a role for the customer of the catalog that already has the UUID, even if it has been deleted."""
        existing = EnterpriseCatalog.objects.filter(pk=catalog_uuid).first()
        if existing:
            require_customer(request, existing.enterprise_customer_id, *MANAGERS)

    def _of_caller(self, request: Request) -> EnterpriseCatalogQuerySet:
        scope = scope_of(request, *MANAGERS)
        if scope.is_unlimited or request.user.is_superuser:
            return EnterpriseCatalog.objects.all()
        return EnterpriseCatalog.objects.of_customers(scope.customers)

    def _of_customer(self, request: Request, customer: UUID) -> EnterpriseCatalogQuerySet:
        if not request.user.is_superuser:
            require_customer(request, customer, *MANAGERS)
        return EnterpriseCatalog.objects.of_customers([customer])


def _saved(catalog: EnterpriseCatalog, values: Values) -> dict[str, object]:
    """Return the catalog for the response to a change, with warnings about the filter in the request."""
    warnings = filter_warnings(values["content_filter"]) if "content_filter" in values else []
    return {**CatalogSerializer(catalog).data, **({"content_filter_warnings": warnings} if warnings else {})}


def _conditional(request: Request, body: object) -> HttpResponseBase:
    """Return ``body``, or 304. The ETag is the digest of the body and changes with any part of it."""
    content = orjson.dumps(body, default=str)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return not_modified(request, etag) or with_etag(content, etag)
