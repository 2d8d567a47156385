"""``operations/``: long actions on a configuration, carried out by a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from rest_framework import status
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.pages import BY_KEY_AND_ID
from enterprise_catalog.integrated_channels.api.permissions import (
    admin_scope,
    find_configuration,
    require_operator,
    unknown,
)
from enterprise_catalog.integrated_channels.api.serializers.actions import ActionSerializer
from enterprise_catalog.integrated_channels.api.serializers.operations import (
    OperationItemPageSerializer,
    OperationItemQuerySerializer,
    OperationItemSerializer,
    OperationSerializer,
)
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.models import Operation, OperationItem, OperationKind
from enterprise_catalog.integrated_channels.tasks import start_operation
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

#: The long actions that change what is sent.
_OPERATORS_ONLY: Final = frozenset({OperationKind.ADOPT, OperationKind.RESEND_ALL})


def _starting(kind: OperationKind) -> type[ChannelsView]:
    """Return the view that starts an operation of this kind."""

    class StartView(ChannelsView):
        """Start a long action."""

        @documented(
            f"configuration_{kind.value}",
            errors=BAD_OBJECT | UNKNOWN,
            is_body_optional=True,
            request=ActionSerializer,
            responses={202: OperationSerializer},
        )
        def post(self, request: Request, pk: int) -> Response:
            """Start the action in a worker. Returns the operation, or the one of this kind that is not finished."""
            configuration = find_configuration(request, pk)
            if kind in _OPERATORS_ONLY:
                require_operator(request, configuration.enterprise_customer_uuid)
            reason = validate(ActionSerializer, body_of(request))["reason"]
            by = request.user.get_username()
            operation = start_operation(configuration, kind, by=by, now=timezone.now(), reason=reason)
            return Response(OperationSerializer(operation).data, status=status.HTTP_202_ACCEPTED)

    return StartView


#: Action in a URL -> its view.
STARTING: Final[Mapping[str, type[ChannelsView]]] = {
    kind.value.replace("_", "-"): _starting(kind) for kind in OperationKind
}


def _find(request: Request, pk: int) -> Operation:
    found = Operation.objects.select_related("configuration").filter(pk=pk).first()
    if found is None or found.configuration.enterprise_customer_uuid not in admin_scope(request):
        raise unknown(request, f"There is no operation {pk}.")
    return found


class OperationDetailView(ChannelsView):
    """One operation."""

    @documented("operation_detail", errors=UNKNOWN, responses=OperationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the operation with its progress."""
        return Response(OperationSerializer(_find(request, pk)).data)


class OperationItemsView(ChannelsView):
    """The items that an operation found."""

    @documented(
        "operation_items",
        errors=BAD_PARAMETER | UNKNOWN,
        parameters=[OperationItemQuerySerializer],
        responses=OperationItemPageSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return one page of a preview's actions, or of the differences that a check found, ascending by key."""
        query = validate(OperationItemQuerySerializer, request.query_params.dict())
        items = OperationItem.objects.filter(operation=_find(request, pk))
        items = items.filter(kind=query["kind"]) if "kind" in query else items
        rows, following = BY_KEY_AND_ID.page(request, items, query)
        return Response({"next": following, "results": OperationItemSerializer(rows, many=True).data})
