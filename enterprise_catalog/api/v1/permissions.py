"""Access to customers' catalogs, by a role in the caller's token or in this site's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from edx_rbac.constants import ALL_ACCESS_CONTEXT
from edx_rbac.utils import contexts_accessible_from_database, get_decoded_jwt
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from enterprise_catalog.catalog.models import CatalogRoleAssignment
from enterprise_catalog.web.rest.roles import Scope, contexts_in_token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView

# The feature roles that the system roles grant (``SYSTEM_TO_FEATURE_ROLE_MAPPING``).
#: May read content: the diff and documents.
CATALOG_READER: Final = "catalog_reader"
#: May read, create, change, delete and refresh catalogs, and read their queries.
CATALOG_ADMIN: Final = "catalog_admin"
#: May read, create and change catalogs.
CATALOG_PROVISIONER: Final = "catalog_provisioner"

#: The roles that may list, read, create and change catalogs.
MANAGERS: Final = (CATALOG_ADMIN, CATALOG_PROVISIONER)


def scope_of(request: Request, *feature_roles: str) -> Scope:
    """Return the customers for which the caller has at least one of the feature roles.

    A role without a context, or with a context that is not a UUID, grants nothing. :data:`CATALOG_PROVISIONER` is the
    exception: without a context it applies to all customers.
    """
    if not request.user.is_authenticated:
        return Scope()
    known: dict[Sequence[str], Scope] = request.__dict__.setdefault("catalog_scopes", {})  # for this request only
    if feature_roles not in known:
        scope = Scope.of(context for role in feature_roles for context in _contexts_in_token(request, role))
        if not scope.is_unlimited:
            assigned = Scope.of(_load_assigned_contexts(request.user, feature_roles))
            scope = Scope(assigned.is_unlimited, scope.customers | assigned.customers)
        known[feature_roles] = scope
    return known[feature_roles]


def may_read_all(request: Request) -> bool:
    """Return True if the caller may read the content of all catalogs."""
    return scope_of(request, CATALOG_READER).is_unlimited


def readable_customers(request: Request) -> frozenset[UUID]:
    """Return the UUIDs of the customers whose content the caller may read, besides a role for all customers."""
    return scope_of(request, CATALOG_READER).customers


def require_customer(request: Request, customer_uuid: UUID, *feature_roles: str) -> None:
    """Require one of the feature roles for a customer.

    Raises:
        PermissionDenied: the caller has none.
    """
    if customer_uuid not in scope_of(request, *feature_roles):
        raise PermissionDenied


def is_staff(request: Request) -> bool:
    """Return True for Django's staff, and for tokens of the Open edX LMS's staff (the claim ``administrator``)."""
    user = request.user
    return bool(
        user.is_authenticated and (user.is_staff or (get_decoded_jwt(request) or {}).get("administrator") is True)
    )


def _contexts_in_token(request: Request, feature_role: str) -> set[str]:
    contexts = contexts_in_token(request, feature_role)
    if feature_role == CATALOG_PROVISIONER and "" in contexts:
        return {ALL_ACCESS_CONTEXT}
    return contexts


def _load_assigned_contexts(user: AbstractBaseUser, feature_roles: Sequence[str]) -> set[str]:
    mapping: dict[str, list[str]] = settings.SYSTEM_TO_FEATURE_ROLE_MAPPING
    roles = [name for name, allowed in mapping.items() if not set(feature_roles).isdisjoint(allowed)]
    assigned = contexts_accessible_from_database(user, roles, CatalogRoleAssignment)
    return {context for context in assigned if context}


class HasRoleForCustomer(BasePermission):
    """Grants access to callers with a role for the customer that the view's ``get_customer_uuid`` returns.

    The view returns ``None`` for a customer that does not exist. Then only callers with the context ``*`` get access,
    and the view may return 404. All other callers get the same response as for another customer's catalog. A view
    without this method denies access.
    """

    def roles_for(self, request: Request) -> tuple[str, ...]:
        """Return the feature roles of which the caller needs one."""
        return (CATALOG_READER,)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        ask = getattr(view, "get_customer_uuid", None)
        if ask is None:
            return False
        scope = scope_of(request, *self.roles_for(request))
        # A caller without customers needs no lookup, and cannot learn anything from its duration.
        return scope.is_unlimited or (bool(scope.customers) and ask() in scope.customers)


class IsAdminOfCustomer(HasRoleForCustomer):
    """Requires the admin's role for the customer."""

    def roles_for(self, request: Request) -> tuple[str, ...]:
        return (CATALOG_ADMIN,)


class ManagesCatalog(HasRoleForCustomer):
    """Requires a role that may manage the customer's catalogs; only admins may delete."""

    def roles_for(self, request: Request) -> tuple[str, ...]:
        return (CATALOG_ADMIN,) if request.method == "DELETE" else MANAGERS


class ReadsAllCatalogs(BasePermission):
    """Requires a role that may read the content of all catalogs."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_read_all(request)


class HasAnyRole(BasePermission):
    """Grants access to callers with a role for at least one customer; the view filters the results."""

    feature_roles: tuple[str, ...] = (CATALOG_READER,)

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(scope_of(request, *self.feature_roles))


class ManagesAnyCatalog(HasAnyRole):
    """Requires a role that may manage catalogs of at least one customer. Staff may read, perhaps nothing."""

    feature_roles = MANAGERS

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) or (request.method in SAFE_METHODS and is_staff(request))


class IsAnyAdmin(HasAnyRole):
    """Requires the admin's role for at least one customer."""

    feature_roles = (CATALOG_ADMIN,)


class IsStaff(BasePermission):
    """Requires a member of staff; see :func:`is_staff`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_staff(request)
