"""``operations/``: long actions on a configuration, carried out by a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from rest_framework import status
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.pages import page_of, read_page
from enterprise_catalog.integrated_channels.api.permissions import unknown, visible_configurations
from enterprise_catalog.integrated_channels.api.serializers.operations import (
    OperationItemQuerySerializer,
    OperationItemSerializer,
    OperationSerializer,
)
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ActionView, ChannelsView, action
from enterprise_catalog.integrated_channels.models import Operation, OperationItem, OperationKind
from enterprise_catalog.integrated_channels.tasks import start_operation
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.web.rest.input import Values

#: The long actions that change what is sent.
_OPERATORS_ONLY: Final = frozenset({OperationKind.ADOPT, OperationKind.RESEND_ALL})


def _starting(kind: OperationKind) -> type[ActionView]:
    """Return the view that starts an operation of this kind."""

    @action(
        kind.value.replace("_", "-"),
        response=OperationSerializer,
        status_code=status.HTTP_202_ACCEPTED,
        is_for_operators=kind in _OPERATORS_ONLY,
    )
    def start(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
        """Start the action in a worker. Returns the operation, or the one of this kind that is not finished."""
        by, reason = request.user.get_username(), values["reason"]
        operation = start_operation(configuration, kind, by=by, now=timezone.now(), reason=reason)
        return OperationSerializer(operation, context={"request": request}).data

    return start


#: Action in a URL -> its view.
STARTING: Final[Mapping[str, type[ActionView]]] = {view.name: view for view in map(_starting, OperationKind)}


def _find(request: Request, pk: int) -> Operation:
    found = Operation.objects.filter(pk=pk, configuration__in=visible_configurations(request)).first()
    if found is None:
        raise unknown(request, f"There is no operation {pk}.")
    return found


class OperationDetailView(ChannelsView):
    """One operation."""

    @documented("operation_detail", errors=UNKNOWN, responses=OperationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the operation with its progress."""
        return Response(OperationSerializer(_find(request, pk), context={"request": request}).data)


class OperationItemsView(ChannelsView):
    """The items that an operation found."""

    @documented(
        "operation_items",
        errors=BAD_PARAMETER | UNKNOWN,
        parameters=[OperationItemQuerySerializer],
        responses=page_of(OperationItemSerializer),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return one page of a preview's actions, or of the differences that a check found, ascending by key."""
        query = validate(OperationItemQuerySerializer, request.query_params.dict())
        items = OperationItem.objects.filter(operation=_find(request, pk))
        items = items.filter(kind=query["kind"]) if "kind" in query else items
        rows, following = read_page(request, items.order_by("content_key", "id"), query)
        return Response({"next": following, "results": OperationItemSerializer(rows, many=True).data})
