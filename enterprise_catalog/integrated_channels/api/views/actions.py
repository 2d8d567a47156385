"""``configurations/{id}/{action}/``: what users do with a configuration and its items.

The actions are those of the admin. Each leaves a decision in the log, except a check of the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from django.utils import timezone
from kombu.exceptions import OperationalError
from rest_framework import status
from rest_framework.exceptions import APIException

from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.api.permissions import find_configuration
from enterprise_catalog.integrated_channels.api.privacy import without_pause_reasons
from enterprise_catalog.integrated_channels.api.serializers.actions import (
    FailedItemsSerializer,
    ItemCountSerializer,
    ItemsSerializer,
    PauseSerializer,
    ProblemsSerializer,
    SyncQueuedSerializer,
)
from enterprise_catalog.integrated_channels.api.serializers.configurations import ConfigurationSerializer
from enterprise_catalog.integrated_channels.api.throttles import LMS_THROTTLES
from enterprise_catalog.integrated_channels.api.views.base import ActionView, action
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, DecisionAction
from enterprise_catalog.integrated_channels.tasks import queue_sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
    from enterprise_catalog.web.rest.input import Values

    class _Decided(TypedDict):
        by: str
        now: datetime
        reason: str


class InactiveError(APIException):
    """The configuration is inactive, so the action would have no effect."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "inactive"
    default_detail = "The configuration is inactive. Activate it first."


def _decided(request: Request, values: Values) -> _Decided:
    """Return the arguments that all functions of ``audit/decisions.py`` take."""
    return {"by": request.user.get_username(), "now": timezone.now(), "reason": values["reason"]}


def _items(configuration: ChannelConfiguration, values: Values) -> TransmissionQuerySet:
    """Return the items that the body selects; all items of the configuration if it selects none."""
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return rows.with_keys(values["content_keys"]) if "content_keys" in values else rows


def _shown(request: Request, pk: int) -> object:
    [configuration] = without_pause_reasons([find_configuration(request, pk)], request)
    return ConfigurationSerializer(configuration).data


@action(
    "sync-now",
    errors={"409": "The configuration is inactive."},
    response=SyncQueuedSerializer,
    status_code=status.HTTP_202_ACCEPTED,
)
def _sync_now(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Queue a sync of the configuration now, before it is due."""
    if not decisions.sync_now(configuration, **_decided(request, values)):
        raise InactiveError
    try:
        queue_sync(configuration.pk)
    except OperationalError:
        return {"is_queued": False}
    return {"is_queued": True}


@action("pause", body=PauseSerializer, response=ConfigurationSerializer)
def _pause(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Deactivate the configuration until it is resumed; a run in progress continues to its end. Needs a reason."""
    decisions.pause(configuration, **_decided(request, values))
    return _shown(request, configuration.pk)


@action("resume", response=ConfigurationSerializer)
def _resume(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Activate the configuration, and make its sync due."""
    decisions.resume(configuration, **_decided(request, values))
    return _shown(request, configuration.pk)


@action("check-connection", response=ProblemsSerializer, throttles=LMS_THROTTLES)
def _check_connection(_: Request, configuration: ChannelConfiguration, __: Values) -> object:
    """Connect to the LMS and return the problems that would prevent a sync. Takes up to 30 seconds."""
    return {"problems": check_connection(configuration, clock=timezone.now)}


@action("approve-deletes", body=ItemsSerializer, response=ItemCountSerializer, is_for_operators=True)
def _approve_deletes(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Approve the held deletes for the next run; kept items stay kept. Operators only."""
    rows = _items(configuration, values)
    return {"items": decisions.decide_deletes(rows, approved=True, **_decided(request, values))}


@action("keep-items", body=ItemsSerializer, response=ItemCountSerializer, is_for_operators=True)
def _keep_items(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Keep the items in the LMS whose deletes are held. Operators only."""
    rows = _items(configuration, values)
    return {"items": decisions.decide_deletes(rows, approved=False, **_decided(request, values))}


@action("delete-kept", body=ItemsSerializer, response=ItemCountSerializer, is_for_operators=True)
def _delete_kept(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Approve the deletes of kept items for the next run, against the earlier decision. Operators only."""
    return {"items": decisions.delete_kept(_items(configuration, values), **_decided(request, values))}


@action("send-again", body=FailedItemsSerializer, response=ItemCountSerializer)
def _send_again(request: Request, configuration: ChannelConfiguration, values: Values) -> object:
    """Queue failed items for the next run, without waiting for their retry delay."""
    rows, state = _items(configuration, values), values.get("state")
    rows = rows.filter(state=state) if state else rows
    kind = DecisionAction.REQUEUE if state == State.DEAD_LETTER else DecisionAction.SEND_AGAIN
    return {"items": decisions.queue_again(rows, action=kind, **_decided(request, values))}


#: Action in a URL -> its view.
ACTIONS: Final[Mapping[str, type[ActionView]]] = {
    view.name: view
    for view in (
        *(_sync_now, _pause, _resume, _check_connection),
        *(_approve_deletes, _keep_items, _delete_kept, _send_again),
    )
}
