"""``runs/``, ``transmissions/``, ``attempts/`` and ``decisions/``: the records of syncs and users, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.pages import BY_ID, BY_KEY, NEWEST_FIRST, NEWEST_START_FIRST
from enterprise_catalog.integrated_channels.api.permissions import (
    admin_scope,
    find_configuration,
    unknown,
    visible_configurations,
)
from enterprise_catalog.integrated_channels.api.serializers.actions import (
    DecisionPageSerializer,
    DecisionQuerySerializer,
    DecisionSerializer,
)
from enterprise_catalog.integrated_channels.api.serializers.records import (
    AttemptPageSerializer,
    AttemptQuerySerializer,
    AttemptSerializer,
    RunPageSerializer,
    RunQuerySerializer,
    RunSerializer,
    TransmissionPageSerializer,
    TransmissionQuerySerializer,
    TransmissionSerializer,
)
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    Decision,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

    Recorded = TypeVar("Recorded", SyncRun, ContentMetadataItemTransmission)

_BAD_FILTER = BAD_PARAMETER | {"404": "The filter's row does not exist (for callers with a role for all customers)."}


def _filters(query: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: query[name] for name in names if name in query}


def _find(request: Request, rows: QuerySet[Recorded], pk: int) -> Recorded:
    """Return the row of a configuration that the caller sees. Raises as :func:`find_configuration`."""
    found = rows.filter(pk=pk, configuration__in=visible_configurations(request)).first()
    if found is None:
        raise unknown(request, f"There is no {rows.model._meta.verbose_name} {pk}.")
    return found


def _require_visible(request: Request, query: dict[str, Any]) -> None:
    """Reject a configuration that the caller does not see, and its absence unless the caller sees all."""
    if "configuration" in query:
        find_configuration(request, query["configuration"])
    elif not admin_scope(request).is_unlimited:
        raise ValidationError({"configuration": ["This parameter is required."]}, code="required")


class RunListView(ChannelsView):
    """The runs of syncs."""

    @documented("run_list", errors=_BAD_FILTER, parameters=[RunQuerySerializer], responses=RunPageSerializer)
    def get(self, request: Request) -> Response:
        """Return one page of runs, newest first."""
        query = validate(RunQuerySerializer, request.query_params.dict())
        _require_visible(request, query)
        runs = SyncRun.objects.filter(**_filters(query, "configuration", "state"))
        rows, following = NEWEST_START_FIRST.page(request, runs, query)
        return Response({"next": following, "results": RunSerializer(rows, many=True).data})


class RunDetailView(ChannelsView):
    """One run."""

    @documented("run_detail", errors=UNKNOWN, responses=RunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the run."""
        return Response(RunSerializer(_find(request, SyncRun.objects.all(), pk)).data)


class TransmissionListView(ChannelsView):
    """The state of items in the LMSs."""

    @documented(
        "transmission_list",
        errors=_BAD_FILTER,
        parameters=[TransmissionQuerySerializer],
        responses=TransmissionPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return one page of a configuration's items, ascending by key; or of one item in all configurations."""
        query = validate(TransmissionQuerySerializer, request.query_params.dict())
        rows = ContentMetadataItemTransmission.objects.filter(**_filters(query, "content_key", "state"))
        if "configuration" in query:
            rows, order = rows.of(find_configuration(request, query["configuration"])), BY_KEY
        else:
            rows, order = self._visible(request, rows), BY_ID
        page, following = order.page(request, rows, query)
        return Response({"next": following, "results": TransmissionSerializer(page, many=True).data})

    def _visible(self, request: Request, rows: TransmissionQuerySet) -> TransmissionQuerySet:
        if admin_scope(request).is_unlimited:
            return rows.filter(configuration__in=visible_configurations(request))
        # The ids first: with them, the database looks up each row by configuration and key.
        return rows.filter(configuration__in=[*visible_configurations(request).values_list("pk", flat=True)])


class TransmissionDetailView(ChannelsView):
    """One item in one LMS."""

    @documented("transmission_detail", errors=UNKNOWN, responses=TransmissionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the item's state."""
        found = _find(request, ContentMetadataItemTransmission.objects.all(), pk)
        return Response(TransmissionSerializer(found).data)


class AttemptListView(ChannelsView):
    """The attempts to send items."""

    @documented(
        "attempt_list", errors=_BAD_FILTER, parameters=[AttemptQuerySerializer], responses=AttemptPageSerializer
    )
    def get(self, request: Request) -> Response:
        """Return one page of the attempts of one item or of one run, newest first."""
        query = validate(AttemptQuerySerializer, request.query_params.dict())
        if "run" in query:
            _find(request, SyncRun.objects.all(), query["run"])
        else:
            _find(request, ContentMetadataItemTransmission.objects.all(), query["transmission"])
        attempts = TransmissionAttempt.objects.filter(**_filters(query, "run", "transmission", "outcome"))
        rows, following = NEWEST_FIRST.page(request, attempts, query)
        return Response({"next": following, "results": AttemptSerializer(rows, many=True).data})


class DecisionListView(ChannelsView):
    """The decisions of users and commands."""

    @documented(
        "decision_list", errors=_BAD_FILTER, parameters=[DecisionQuerySerializer], responses=DecisionPageSerializer
    )
    def get(self, request: Request) -> Response:
        """Return one page of decisions, newest first."""
        query = validate(DecisionQuerySerializer, request.query_params.dict())
        _require_visible(request, query)
        decisions = Decision.objects.filter(**_filters(query, "configuration", "action"))
        rows, following = NEWEST_FIRST.page(request, decisions, query)
        return Response(
            {"next": following, "results": DecisionSerializer(rows, many=True, context={"request": request}).data}
        )
