"""``…/catalog-queries/`` and ``…/distinct-catalog-queries/``: the queries behind catalogs, and hashes of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from django.db.models import Exists, OuterRef
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import BaseParser
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.api.v1.permissions import CATALOG_ADMIN, IsAnyAdmin, IsStaff, scope_of
from enterprise_catalog.api.v1.serializers.queries import (
    ContentFilterField,
    DistinctQueriesRequestSerializer,
    DistinctQueriesSerializer,
    QueryHashSerializer,
    QueryPageSerializer,
    QuerySerializer,
)
from enterprise_catalog.catalog.discovery.filters import hash_filter
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.web.rest.input import MAX_OBJECT_BYTES, ObjectParser, body_of, read_body, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from typing import IO

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from enterprise_catalog.web.rest.input import ParserContext


class _QueriesView(APIView):
    """A view of the queries behind the catalogs that the caller administers."""

    permission_classes = (IsAnyAdmin,)

    def queries(self) -> QuerySet[CatalogQuery]:
        """Return the queries that the caller may see, in the order of their creation."""
        scope = scope_of(self.request, CATALOG_ADMIN)
        queries = CatalogQuery.objects.order_by("pk")
        if scope.is_unlimited:
            return queries
        catalogs = EnterpriseCatalog.objects.of_customers(scope.customers).filter(catalog_query=OuterRef("pk"))
        return queries.filter(Exists(catalogs))


class QueryListView(_QueriesView):
    """The queries."""

    @documented(
        "query_list",
        errors={"404": "The page does not exist."},
        parameters=[
            OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1}),
            OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "default": 100}),
        ],
        responses=QueryPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return one page of the queries behind the catalogs that the caller administers."""
        paginator = CatalogPagination()
        page = paginator.paginate_queryset(self.queries(), request, view=self)
        return paginator.get_paginated_response([QuerySerializer(query).data for query in page or ()])


class QueryDetailView(_QueriesView):
    """One query."""

    @documented("query_detail", errors={"404": "The caller administers no such query."}, responses=QuerySerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the query with this id."""
        return Response(QuerySerializer(_first(self.queries().filter(pk=pk), f"There is no query {pk}.")).data)


class QueryByHashView(_QueriesView):
    """The query with a filter."""

    @documented(
        "query_by_hash",
        errors=BAD_PARAMETER | {"404": "No query that the caller administers has this filter."},
        parameters=[QueryHashSerializer],
        responses=QuerySerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the query whose filter has this MD5."""
        digest = validate(QueryHashSerializer, request.query_params.dict())["hash"]
        found = _first(self.queries().filter(content_filter_hash=digest), f"No query has the filter {digest}.")
        return Response(QuerySerializer(found).data)


class FormParser(BaseParser):
    """Parses a filter in a form. A parameter that occurs once is a text, except ``key``; otherwise a list of texts."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: ParserContext | None = None
    ) -> dict[str, object]:
        """Return the filter, as an object. Raises ``BodyTooLargeError``."""
        assert parser_context is not None  # DRF always passes it.
        body = read_body(stream, parser_context["request"], limit=MAX_OBJECT_BYTES)
        members = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        return {name: values[0] if len(values) == 1 and name != "key" else values for name, values in members.items()}


class FilterHashView(APIView):
    """The hash of a filter."""

    permission_classes = (IsAnyAdmin,)
    parser_classes = (ObjectParser, FormParser)

    @documented("content_filter_hash", errors=BAD_OBJECT, responses={200: {"type": "string"}})
    def get(self, request: Request) -> Response:
        """Return the MD5 of the filter in the request's body, as JSON or as a form. Without a body: of ``{}``."""
        return Response(hash_filter(ContentFilterField().run_validation(body_of(request))))


class DistinctQueriesView(APIView):
    """The number of different queries behind catalogs."""

    permission_classes = (IsStaff,)

    @documented(
        "distinct_queries",
        errors=BAD_OBJECT,
        request=DistinctQueriesRequestSerializer,
        responses=DistinctQueriesSerializer,
    )
    def post(self, request: Request) -> Response:
        """Group catalogs by their queries. Omits catalogs that do not exist or have no query."""
        uuids = validate(DistinctQueriesRequestSerializer, body_of(request))["enterprise_catalog_uuids"]
        catalogs = EnterpriseCatalog.objects.filter(pk__in=uuids, catalog_query__isnull=False).order_by("pk")
        groups: dict[str, list[str]] = {}
        for catalog in catalogs:
            groups.setdefault(str(catalog.catalog_query_id), []).append(str(catalog.pk))
        return Response({"num_distinct_query_ids": len(groups), "catalog_uuids_by_catalog_query_id": groups})


def _first(queries: QuerySet[CatalogQuery], message: str) -> CatalogQuery:
    found = queries.first()
    if found is None:
        raise Http404(message)
    return found
