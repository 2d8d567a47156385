"""The customers that a caller has a role for, according to the caller's token.

A system role, such as ``enterprise_admin``, grants feature roles (``SYSTEM_TO_FEATURE_ROLE_MAPPING``). Its context is
the UUID of a customer, or ``*`` for all customers.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

from edx_rbac.constants import ALL_ACCESS_CONTEXT
from edx_rbac.utils import contexts_accessible_from_jwt, get_decoded_jwt
from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request
    from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Scope:
    """The customers that a caller has a role for: all, some or none."""

    is_unlimited: bool = False  #: One of the roles has the context ``*``.
    customers: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, contexts: Iterable[str]) -> Self:
        """Return the scope of roles with these contexts. A context that is not a UUID grants nothing."""
        customers, is_unlimited = set(), False
        for context in contexts:
            is_unlimited = is_unlimited or context == ALL_ACCESS_CONTEXT
            with suppress(ValueError):
                customers.add(UUID(context))
        return cls(is_unlimited, frozenset(customers))

    def __contains__(self, customer: UUID | None) -> bool:
        return self.is_unlimited or customer in self.customers

    def __bool__(self) -> bool:
        return self.is_unlimited or bool(self.customers)


def contexts_in_token(request: Request, feature_role: str) -> set[str]:
    """Return the contexts of the caller's roles that grant ``feature_role``; empty for unauthenticated callers."""
    if not request.user.is_authenticated:
        return set()
    found: set[str] = contexts_accessible_from_jwt(get_decoded_jwt(request), [feature_role])
    return found


class DenyAll(BasePermission):
    """Denies access. The default: each view declares its own permission."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False
