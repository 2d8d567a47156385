"""Access to customers' catalogs, by a role in the caller's token or in this site's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from edx_rbac.utils import contexts_accessible_from_database
from rest_framework.permissions import BasePermission

from enterprise_catalog.catalog.models import CatalogRoleAssignment
from enterprise_catalog.web.rest.roles import Scope, contexts_in_token

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView

#: The feature role that every system role of this service grants (``SYSTEM_TO_FEATURE_ROLE_MAPPING``).
CATALOG_READER = "catalog_reader"


def may_read_all(request: Request) -> bool:
    """Return True if one of the caller's roles has the context ``*``."""
    return _scope(request).is_unlimited


def readable_customers(request: Request) -> frozenset[UUID]:
    """Return the UUIDs of the customers that the caller has a role for.

    A role for all customers (:func:`may_read_all`) adds no UUIDs. A role without a context, or with a context that is
    not a UUID, grants nothing.
    """
    return _scope(request).customers


def _scope(request: Request) -> Scope:
    if not request.user.is_authenticated:
        return Scope()
    known: Scope | None = getattr(request, "catalog_scope", None)
    if known is None:
        known = Scope.of(contexts_in_token(request, CATALOG_READER))
        if not known.is_unlimited:
            assigned = Scope.of(_load_assigned_contexts(request.user))
            known = Scope(assigned.is_unlimited, known.customers | assigned.customers)
        request.catalog_scope = known  # type: ignore[attr-defined]  # cached for this request only
    return known


def _load_assigned_contexts(user: AbstractBaseUser) -> set[str]:
    roles = [name for name, allowed in settings.SYSTEM_TO_FEATURE_ROLE_MAPPING.items() if CATALOG_READER in allowed]
    assigned = contexts_accessible_from_database(user, roles, CatalogRoleAssignment)
    return {context for context in assigned if context}


class HasRoleForCustomer(BasePermission):
    """Grants access to callers with a role for the customer that the view's ``get_customer_uuid`` returns.

    The view returns ``None`` for a customer that does not exist. Then only callers with the context ``*`` get access,
    and the view may return 404. All other callers get the same response as for another customer's catalog. A view
    without this method denies access.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        ask = getattr(view, "get_customer_uuid", None)
        if ask is None:
            return False
        if may_read_all(request):
            return True
        customers = readable_customers(request)
        # A caller without customers needs no lookup, and cannot learn anything from its duration.
        return bool(customers) and ask() in customers


class HasAnyRole(BasePermission):
    """Grants access to callers with a role for at least one customer; the view filters the results."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_read_all(request) or bool(readable_customers(request))
