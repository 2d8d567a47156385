"""Who may read which customer's catalogs: a role in the caller's token, or in this site's database."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from edx_rbac.constants import ALL_ACCESS_CONTEXT
from edx_rbac.utils import contexts_accessible_from_database, contexts_accessible_from_jwt, get_decoded_jwt
from rest_framework.permissions import BasePermission

from enterprise_catalog.catalog.models import CatalogRoleAssignment

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView

#: What every system role that this service knows allows (``SYSTEM_TO_FEATURE_ROLE_MAPPING``).
CATALOG_READER = "catalog_reader"


def may_read_all(request: Request) -> bool:
    """Return whether one of the caller's roles has the context ``*``."""
    return ALL_ACCESS_CONTEXT in _contexts(request)


def readable_customers(request: Request) -> set[UUID]:
    """Return the customers that the caller has a role for; a role for all (:func:`may_read_all`) adds none.

    A role without a context, or with one that is no customer's UUID, allows nothing.
    """
    customers = set()
    for context in _contexts(request):
        with suppress(ValueError):
            customers.add(UUID(context))
    return customers


def _contexts(request: Request) -> set[str]:
    if not request.user.is_authenticated:
        return set()
    known: set[str] | None = getattr(request, "contexts_of_caller", None)
    if known is None:
        known = contexts_accessible_from_jwt(get_decoded_jwt(request), [CATALOG_READER])
        if ALL_ACCESS_CONTEXT not in known:
            known |= _assigned_contexts(request.user)
        request.contexts_of_caller = known  # type: ignore[attr-defined]  # remembered for this request only
    return known


def _assigned_contexts(user: AbstractBaseUser) -> set[str]:
    roles = [name for name, allowed in settings.SYSTEM_TO_FEATURE_ROLE_MAPPING.items() if CATALOG_READER in allowed]
    assigned = contexts_accessible_from_database(user, roles, CatalogRoleAssignment)
    return {context for context in assigned if context}


class HasRoleForCustomer(BasePermission):
    """Lets a caller in who has a role for the customer that the view's ``customer_in_question`` names.

    A view says ``None`` for a customer that does not exist: only callers with the context ``*`` get past this class
    then (and may be told so); to all others it looks like somebody else's. A view without that method lets nobody in.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        ask = getattr(view, "customer_in_question", None)
        if ask is None:
            return False
        if may_read_all(request):
            return True
        customers = readable_customers(request)
        # Without any there is no need to look anything up, and nothing to learn from how long that would take.
        return bool(customers) and ask() in customers


class HasAnyRole(BasePermission):
    """Lets a caller in who has a role for at least one customer; the view narrows down what is seen."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_read_all(request) or bool(readable_customers(request))
