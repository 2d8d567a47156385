"""``GET …/content-lookup/`` and ``GET …/enterprise-customers/``: content and customers by what users type."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
from django.http import Http404
from rest_framework.views import APIView

from enterprise_catalog.api.v1.permissions import HasAnyRole, HasRoleForCustomer, may_read_all, readable_customers
from enterprise_catalog.api.v1.serializers.search import (
    ContentLookupSerializer,
    CustomerSearchQuerySerializer,
    CustomerSearchSerializer,
    LookupQuerySerializer,
)
from enterprise_catalog.api.v1.views.base import json_response
from enterprise_catalog.catalog.items.lookup import look_up
from enterprise_catalog.catalog.models import EnterpriseCustomer, RefreshState
from enterprise_catalog.db.timestamps import format_time
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse
    from rest_framework.request import Request

    from enterprise_catalog.catalog.items.lookup import Lookup, Suggestion
    from enterprise_catalog.catalog.items.membership_notes import MembershipNote
    from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata
    from enterprise_catalog.catalog.querysets import EnterpriseCustomerQuerySet
    from enterprise_catalog.web.rest.input import Values

MAX_CUSTOMERS: Final = 20


class ContentLookupView(APIView):
    """One content item in the catalogs of one customer."""

    permission_classes = (HasRoleForCustomer,)

    @cached_property
    def parameters(self) -> Values:
        """The validated parameters.

        Raises:
            ValidationError: a parameter is missing or invalid.
        """
        return validate(LookupQuerySerializer, self.request.query_params.dict())

    def get_customer_uuid(self) -> UUID:
        """Return the customer in the URL, for the permission check."""
        customer: UUID = self.parameters["enterprise_customer"]
        return customer

    @documented(
        "content_lookup",
        errors=BAD_PARAMETER | {"404": "The customer does not exist (for callers whose role has the context *)."},
        parameters=[LookupQuerySerializer],
        responses=ContentLookupSerializer,
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the item with this key, the customer's catalogs that contain it, and similar items.

        Callers without the context ``*`` find only items that are in one of the customer's catalogs.
        """
        customer, text = self.get_customer_uuid(), self.parameters["content_key"]
        lookup = look_up(customer, text, may_read_all=may_read_all(request))
        if not lookup.catalogs and not EnterpriseCustomer.objects.filter(pk=customer).exists():
            raise Http404(f"There is no customer {customer}.")
        found = {"enterprise_customer": customer, "content_key": text, **_content_as_json(lookup)}
        return json_response(orjson.dumps(found))


class CustomerSearchView(APIView):
    """The customers that the caller may read, by name."""

    permission_classes = (HasAnyRole,)

    @documented(
        "customer_search",
        errors=BAD_PARAMETER,
        parameters=[CustomerSearchQuerySerializer],
        responses=CustomerSearchSerializer,
    )
    def get(self, request: Request) -> HttpResponse:
        """Return up to 20 customers, ascending by name.

        ``q`` is the beginning of a name, in any case, or a UUID. Without ``q``, all customers match.
        """
        text = validate(CustomerSearchQuerySerializer, request.query_params.dict())["q"].strip()
        customers = _matching(text)
        if not may_read_all(request):
            customers = customers.filter(pk__in=readable_customers(request))
        rows = customers.values("uuid", "name", "slug")[:MAX_CUSTOMERS]
        return json_response(orjson.dumps({"results": list(rows)}))


def _matching(text: str) -> EnterpriseCustomerQuerySet:
    try:
        return EnterpriseCustomer.objects.filter(pk=UUID(text))
    except ValueError:
        return EnterpriseCustomer.objects.named(text)


def _content_as_json(lookup: Lookup) -> dict[str, object]:
    content: ContentMetadata | None = lookup.content
    return {
        "is_known": content is not None,
        "title": content and content.title,
        "content_type": content and content.content_type,
        "updated_at": content and format_time(content.updated_at),
        "catalogs": [
            {
                "uuid": catalog.pk,
                "title": catalog.title,
                "contains": catalog.pk in lookup.containing,
                "query": _query_as_json(catalog.catalog_query, lookup.refreshes),
                **_note_as_json(lookup.notes.get(catalog.pk)),
            }
            for catalog in lookup.catalogs
        ],
        "suggestions": [_suggestion_as_json(suggestion) for suggestion in lookup.suggestions],
    }


def _query_as_json(query: CatalogQuery | None, refreshes: Mapping[int, str]) -> dict[str, object] | None:
    if query is None:
        return None
    return {
        "title": query.title,
        "content_source": query.source,
        "refreshed_at": query.refreshed_at and format_time(query.refreshed_at),
        "last_refresh": refreshes.get(query.pk),
    }


def _note_as_json(note: MembershipNote | None) -> dict[str, object]:
    change = note and note.change
    return {
        "last_change": change
        and {
            "change": change.kind,
            "is_held": change.refresh.state == RefreshState.HELD,
            "refresh_id": change.refresh_id,
            "changed_at": change.refresh.finished_at and format_time(change.refresh.finished_at),
        },
        "excluded_by": [*note.excluded_by] if note else [],
    }


def _suggestion_as_json(suggestion: Suggestion) -> dict[str, object]:
    return {
        "content_key": suggestion.content.content_key,
        "title": suggestion.content.title,
        "content_type": suggestion.content.content_type,
        "match": suggestion.match,
        "catalogs": suggestion.catalogs,
    }
