"""Who may read which customer's catalogs: a role in the caller's token, or in this site's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from edx_rbac.constants import ALL_ACCESS_CONTEXT
from edx_rbac.utils import contexts_accessible_from_database, contexts_accessible_from_jwt, get_decoded_jwt
from rest_framework.permissions import BasePermission

from enterprise_catalog.catalog.models import CatalogRoleAssignment

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request
    from rest_framework.views import APIView

#: What every system role that this service knows allows (``SYSTEM_TO_FEATURE_ROLE_MAPPING``).
CATALOG_READER = "catalog_reader"


def may_read_all(request: Request) -> bool:
    """Return whether one of the caller's roles has the context ``*``."""
    return ALL_ACCESS_CONTEXT in readable_contexts(request)


def readable_contexts(request: Request) -> set[str]:
    """Return the UUIDs, as text, of the customers whose catalogs the caller may read; ``*`` stands for all.

    A role without a context allows nothing.
    """
    if not request.user.is_authenticated:
        return set()
    known: set[str] | None = getattr(request, "_readable_contexts", None)
    if known is None:
        known = {
            context.lower() for context in contexts_accessible_from_jwt(get_decoded_jwt(request), [CATALOG_READER])
        }
        if ALL_ACCESS_CONTEXT not in known:
            roles = [
                name for name, allowed in settings.SYSTEM_TO_FEATURE_ROLE_MAPPING.items() if CATALOG_READER in allowed
            ]
            assigned = contexts_accessible_from_database(request.user, roles, CatalogRoleAssignment)
            known |= {context for context in assigned if context}
        known.discard("")
        request._readable_contexts = known  # type: ignore[attr-defined]  # remembered for this request only
    return known


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
        contexts = readable_contexts(request)
        if ALL_ACCESS_CONTEXT in contexts:
            return True
        if not contexts:
            return False  # No need to look anything up, and nothing to learn from how long that would take.
        customer: UUID | None = ask()
        return customer is not None and str(customer) in contexts


class HasAnyRole(BasePermission):
    """Lets a caller in who has a role for at least one customer; the view narrows down what is seen."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  (DRF's signature)
        return bool(readable_contexts(request))
