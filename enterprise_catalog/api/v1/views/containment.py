"""``contains_content_items`` and ``filter_content_items``: which of a caller's keys a catalog or a customer has.

Callers ask this at each enrollment. A key is read as in :mod:`enterprise_catalog.catalog.items.matching`. A space
stands for a plus sign, as in ``generate_diff``. Portals join keys with commas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from rest_framework.exceptions import ValidationError
from rest_framework.views import APIView

from enterprise_catalog.api.v1.permissions import HasRoleForCustomer
from enterprise_catalog.api.v1.serializers.containment import (
    ContainmentQuerySerializer,
    ContainmentSerializer,
    CustomerContainmentQuerySerializer,
    CustomerContainmentSerializer,
    FilteredKeysSerializer,
    FilterRequestSerializer,
)
from enterprise_catalog.api.v1.views.base import UNKNOWN_CATALOG, CatalogView, json_response
from enterprise_catalog.catalog.items.matching import Wanted, contains_any, filter_keys, find_catalogs
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from rest_framework.request import Request

_PARAMETERS: Final = ("course_run_ids", "program_uuids")


class CatalogContainmentView(CatalogView):
    """One catalog."""

    with_restricted = False  #: Count the restricted runs that the catalog's query allows.

    @documented(
        "catalog_contains_content_items",
        errors=BAD_PARAMETER | UNKNOWN_CATALOG,
        parameters=[ContainmentQuerySerializer],
        responses=ContainmentSerializer,
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponse:
        """Return true if at least one of the keys stands for an item of the catalog."""
        catalog = self.catalog
        keys = _keys_of(request)
        found = bool(keys) and contains_any(catalog.uuid, Wanted(keys, self.with_restricted))
        return json_response(orjson.dumps({"contains_content_items": found}))


class CustomerView(APIView):
    """A view of the customer whose UUID is in the URL. A customer without catalogs need not exist here."""

    permission_classes = (HasRoleForCustomer,)
    with_restricted = False  #: Offer the restricted runs that a catalog's query allows.

    def get_customer_uuid(self) -> UUID:
        """Return the customer in the URL, for the permission check."""
        customer: UUID = self.kwargs["customer_uuid"]
        return customer


class CustomerContainmentView(CustomerView):
    """All catalogs of one customer."""

    @documented(
        "customer_contains_content_items",
        errors=BAD_PARAMETER,
        parameters=[CustomerContainmentQuerySerializer],
        responses=CustomerContainmentSerializer,
    )
    def get(self, request: Request, customer_uuid: UUID) -> HttpResponse:
        """Return true if at least one of the keys stands for an item of one of the customer's catalogs.

        ``catalog_list`` contains these catalogs. It is left out unless one of the last two parameters is not empty.
        """
        keys = _keys_of(request)
        found = find_catalogs(customer_uuid, Wanted(keys, self.with_restricted)) if keys else []
        body: dict[str, object] = {"contains_content_items": bool(found)}
        query = request.query_params
        if query.get("get_catalogs_containing_specified_content_ids") or query.get("get_catalog_list"):
            body["catalog_list"] = found
        return json_response(orjson.dumps(body))


class FilterView(CustomerView):
    """The keys that the customer's catalogs have."""

    @documented(
        "filter_content_items", errors=BAD_OBJECT, request=FilterRequestSerializer, responses=FilteredKeysSerializer
    )
    def post(self, request: Request, customer_uuid: UUID) -> HttpResponse:
        """Return those of the keys that an item of the catalogs has, or the course of one of their runs.

        Other customers' catalogs in ``catalog_uuids`` are ignored.
        """
        body = validate(FilterRequestSerializer, body_of(request))
        wanted = Wanted(body["content_keys"], self.with_restricted)
        keys = filter_keys(customer_uuid, wanted, body.get("catalog_uuids") or ())
        return json_response(orjson.dumps({"filtered_content_keys": keys}))


def _keys_of(request: Request) -> list[str]:
    """Return the keys in the URL; empty if each parameter is empty.

    Raises:
        ValidationError: neither parameter is there, or a key is not valid.
    """
    values = {name: request.query_params.getlist(name) for name in _PARAMETERS if name in request.query_params}
    if not values:
        raise ValidationError({_PARAMETERS[0]: [f"Send {' or '.join(_PARAMETERS)}, or both."]}, code="required")
    checked = validate(ContainmentQuerySerializer, values)
    return list(dict.fromkeys(key for name in values for key in checked[name]))
