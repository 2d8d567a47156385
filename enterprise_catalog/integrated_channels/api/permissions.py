"""Access to customers' configurations, by a role in the caller's token.

Admins of a customer see and change the customer's configurations. Operators may also approve deletes, for their
customers or, with the context ``*``, for all customers. Other roles get 403. An unknown configuration and another
customer's configuration give the same response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import Http404
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.web.rest.roles import Scope, contexts_in_token

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request
    from rest_framework.views import APIView

    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

# The feature roles of SYSTEM_TO_FEATURE_ROLE_MAPPING.
ADMIN: Final = "channel_admin"
OPERATOR: Final = "channel_operator"


class HasChannelRole(BasePermission):
    """Grants access to callers with a role for at least one customer's channels; the view filters the rows."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(admin_scope(request))


def admin_scope(request: Request) -> Scope:
    """Return the customers whose channels the caller sees."""
    return Scope.of(contexts_in_token(request, ADMIN))


def require_operator(request: Request, customer: UUID) -> None:
    """Reject callers who are not operators of the customer's channels.

    Raises:
        PermissionDenied: with the code ``operator_required``.
    """
    if customer not in Scope.of(contexts_in_token(request, OPERATOR)):
        raise PermissionDenied("Only an operator may do this.", code="operator_required")


def visible_configurations(request: Request) -> ConfigurationQuerySet:
    """Return the configurations that the caller sees.

    A deleted configuration and its records are not among them: their ids are unknown. Only the lists of the runs and
    decisions of all configurations keep its records.
    """
    scope = admin_scope(request)
    rows = ChannelConfiguration.objects.not_deleted().select_related("status")
    return rows if scope.is_unlimited else rows.filter(enterprise_customer_uuid__in=scope.customers)


def find_configuration(request: Request, pk: int) -> ChannelConfiguration:
    """Return a configuration that the caller sees.

    Raises:
        PermissionDenied, Http404: see :func:`unknown`.
    """
    found = visible_configurations(request).filter(pk=pk).first()
    if found is None:
        raise unknown(request, f"There is no configuration {pk}.")
    return found


def require_customer(request: Request, customer: UUID) -> None:
    """Reject a customer whose channels the caller does not see.

    Raises:
        PermissionDenied: whether or not the customer exists.
    """
    if customer not in admin_scope(request):
        raise PermissionDenied


def unknown(request: Request, message: str) -> Exception:
    """Return the error for a row that the caller does not see.

    ``Http404`` with ``message`` for callers who see all rows: the row does not exist. ``PermissionDenied`` for all
    other callers, who cannot distinguish another customer's row from one that does not exist.
    """
    return Http404(message) if admin_scope(request).is_unlimited else PermissionDenied()
