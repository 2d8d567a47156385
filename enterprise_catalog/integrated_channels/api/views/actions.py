"""``configurations/{id}/{action}/``: what users do with a configuration and its items.

The actions are those of the admin. Each leaves a decision in the log, except a check of the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from kombu.exceptions import OperationalError
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.api.permissions import find_configuration, require_operator
from enterprise_catalog.integrated_channels.api.serializers.actions import (
    ActionSerializer,
    FailedItemsSerializer,
    ItemCountSerializer,
    ItemsSerializer,
    ProblemsSerializer,
    SyncQueuedSerializer,
)
from enterprise_catalog.integrated_channels.api.serializers.configurations import ConfigurationSerializer
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, DecisionAction
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, documented

if TYPE_CHECKING:
    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

_ERRORS: Final = BAD_OBJECT | UNKNOWN
_INACTIVE: Final = {"409": "The configuration is inactive."}


class InactiveError(APIException):
    """The configuration is inactive, so the action would have no effect."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "inactive"
    default_detail = "The configuration is inactive. Activate it first."


def _decided(request: Request, values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that all functions of ``audit/decisions.py`` take."""
    return {"by": request.user.get_username(), "now": timezone.now(), "reason": values["reason"]}


def _items(configuration: ChannelConfiguration, values: dict[str, Any]) -> TransmissionQuerySet:
    """Return the items that the body selects; all items of the configuration if it selects none."""
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return rows.with_keys(values["content_keys"]) if "content_keys" in values else rows


class SyncNowView(ChannelsView):
    """Sync a configuration."""

    @documented(
        "configuration_sync_now",
        errors=_ERRORS | _INACTIVE,
        is_body_optional=True,
        request=ActionSerializer,
        responses={202: SyncQueuedSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Queue a sync of the configuration now, before it is due."""
        configuration = find_configuration(request, pk)
        values = validate(ActionSerializer, body_of(request))
        if not decisions.sync_now(configuration, **_decided(request, values)):
            raise InactiveError
        return Response({"is_queued": _queue(pk)}, status=status.HTTP_202_ACCEPTED)


def _queue(pk: int) -> bool:
    try:
        sync_configuration.delay(pk)
    except OperationalError:
        return False
    return True


class PauseView(ChannelsView):
    """Pause a configuration."""

    @documented(
        "configuration_pause",
        errors=_ERRORS,
        is_body_optional=True,
        request=ActionSerializer,
        responses=ConfigurationSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Deactivate the configuration until it is resumed; a run in progress continues to its end."""
        configuration = find_configuration(request, pk)
        decisions.pause(configuration, **_decided(request, validate(ActionSerializer, body_of(request))))
        return Response(ConfigurationSerializer(find_configuration(request, pk)).data)


class ResumeView(ChannelsView):
    """Resume a configuration."""

    @documented(
        "configuration_resume",
        errors=_ERRORS,
        is_body_optional=True,
        request=ActionSerializer,
        responses=ConfigurationSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Activate the configuration, and make its sync due."""
        configuration = find_configuration(request, pk)
        decisions.resume(configuration, **_decided(request, validate(ActionSerializer, body_of(request))))
        return Response(ConfigurationSerializer(find_configuration(request, pk)).data)


class CheckConnectionView(ChannelsView):
    """Check the connection to an LMS."""

    @documented(
        "configuration_check_connection",
        errors=_ERRORS,
        is_body_optional=True,
        request=ActionSerializer,
        responses=ProblemsSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Connect to the LMS and return the problems that would prevent a sync. Takes up to a minute."""
        configuration = find_configuration(request, pk)
        validate(ActionSerializer, body_of(request))
        return Response({"problems": check_connection(configuration, clock=timezone.now)})


class ApproveDeletesView(ChannelsView):
    """Approve held deletes."""

    @documented(
        "configuration_approve_deletes",
        errors=_ERRORS,
        is_body_optional=True,
        request=ItemsSerializer,
        responses=ItemCountSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Approve the held deletes for the next run; kept items stay kept. Operators only."""
        configuration = find_configuration(request, pk)
        require_operator(request, configuration.enterprise_customer_uuid)
        values = validate(ItemsSerializer, body_of(request))
        rows = _items(configuration, values)
        number = decisions.decide_chosen_deletes(rows, approved=True, **_decided(request, values))
        return Response({"items": number})


class KeepItemsView(ChannelsView):
    """Keep items whose deletes are held."""

    @documented(
        "configuration_keep_items",
        errors=_ERRORS,
        is_body_optional=True,
        request=ItemsSerializer,
        responses=ItemCountSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Keep the items in the LMS whose deletes are held."""
        configuration = find_configuration(request, pk)
        values = validate(ItemsSerializer, body_of(request))
        rows = _items(configuration, values)
        number = decisions.decide_chosen_deletes(rows, approved=False, **_decided(request, values))
        return Response({"items": number})


class DeleteKeptView(ChannelsView):
    """Delete kept items after all."""

    @documented(
        "configuration_delete_kept",
        errors=_ERRORS,
        is_body_optional=True,
        request=ItemsSerializer,
        responses=ItemCountSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Approve the deletes of kept items for the next run, against the earlier decision. Operators only."""
        configuration = find_configuration(request, pk)
        require_operator(request, configuration.enterprise_customer_uuid)
        values = validate(ItemsSerializer, body_of(request))
        number = decisions.delete_kept(_items(configuration, values), **_decided(request, values))
        return Response({"items": number})


class SendAgainView(ChannelsView):
    """Send failed items again."""

    @documented(
        "configuration_send_again",
        errors=_ERRORS,
        is_body_optional=True,
        request=FailedItemsSerializer,
        responses=ItemCountSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Queue failed items for the next run, without waiting for their retry delay."""
        configuration = find_configuration(request, pk)
        values = validate(FailedItemsSerializer, body_of(request))
        rows, state = _items(configuration, values), values.get("state")
        rows = rows.filter(state=state) if state else rows
        action = DecisionAction.REQUEUE if state == State.DEAD_LETTER else DecisionAction.SEND_AGAIN
        return Response({"items": decisions.queue_again(rows, action=action, **_decided(request, values))})
