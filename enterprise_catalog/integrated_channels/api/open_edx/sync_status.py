"""``logs/…_sync_status/…``: the state of each item in an LMS, in the shape of Open edX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from enterprise_catalog.integrated_channels.api.open_edx.configurations import OpenEdXView
from enterprise_catalog.integrated_channels.api.open_edx.members import MEMBERS_BY_CODE
from enterprise_catalog.integrated_channels.api.permissions import find_configuration, unknown
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.web.rest.input import validate

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
    from enterprise_catalog.web.rest.input import Values

#: The portal's CSV export requests all rows in one page.
MAX_PAGE_SIZE: Final = 10_000

#: Status in Open edX -> states here. The order is that of Open edX: the highest HTTP status first.
STATUSES: Final = {
    "error": (State.RETRYING, State.REJECTED, State.DEAD_LETTER),
    "okay": (State.TRANSMITTED, State.KEPT, State.DELETED),
    "pending": (State.PENDING, State.IN_DOUBT, State.STAGED, State.HELD),
}
_STATUS_OF: Final = {state.value: status for status, states in STATUSES.items() for state in states}
_RANK: Final = Case(
    *(When(state__in=states, then=Value(rank)) for rank, states in enumerate(STATUSES.values())),
    output_field=IntegerField(),
)
#: Name in Open edX -> column.
_COLUMNS: Final = {
    "content_title": "content_title",
    "content_id": "content_key",
    "sync_status": "rank",
    "sync_last_attempted_at": "last_attempt_at",
    "friendly_status_message": "reason",
}
_SEARCHED: Final = ("content_title", "content_id", "friendly_status_message")


class StatusQuerySerializer(serializers.Serializer[object]):
    page = serializers.IntegerField(required=False, default=1, min_value=1)
    page_size = serializers.IntegerField(required=False, default=10, min_value=1, max_value=MAX_PAGE_SIZE)
    sort_by = serializers.CharField(required=False)
    content_title = serializers.CharField(required=False, allow_blank=True, max_length=255)
    content_id = serializers.CharField(required=False, allow_blank=True, max_length=255)
    friendly_status_message = serializers.CharField(required=False, allow_blank=True, max_length=255)
    sync_status = serializers.CharField(required=False, allow_blank=True, max_length=255)


class _StatusView(OpenEdXView):
    def find(self, request: Request, customer: UUID, code: str, pk: int) -> ChannelConfiguration:
        """Return the configuration in the URL.

        Raises:
            ValidationError: there is no channel with this code.
            PermissionDenied, Http404: see :func:`find_configuration`.
        """
        if code.upper() not in MEMBERS_BY_CODE:
            raise ValidationError({"channel_code": ["There is no channel with this code."]}, code="invalid")
        found = find_configuration(request, pk)
        if (found.enterprise_customer_uuid, found.channel_code) != (customer, code.upper()):
            raise unknown(request, f"There is no configuration {pk}.")
        return found


class ContentSyncStatusView(_StatusView):
    """The state of each content item in the LMS of one configuration."""

    def get(self, request: Request, customer: UUID, code: str, pk: int) -> Response:
        """Return one page of items; items with errors first, unless ``sort_by`` is sent."""
        configuration = self.find(request, customer, code, pk)
        query = validate(StatusQuerySerializer, request.query_params.dict())
        rows = ContentMetadataItemTransmission.objects.of(configuration).annotate(rank=_RANK)
        rows = _matching(rows, query).order_by(*_order(query.get("sort_by", "")), "pk")
        paginator = Paginator(rows, query["page_size"])
        if query["page"] > paginator.num_pages:
            raise NotFound("There is no such page.")
        page = paginator.page(query["page"])
        return Response(_page(request, paginator, query["page"]) | {"results": [_as_status(row) for row in page]})


class LearnerSyncStatusView(_StatusView):
    """Learner data, which does not exist here: always an empty page."""

    def get(self, request: Request, customer: UUID, code: str, pk: int) -> Response:
        """Return an empty page."""
        self.find(request, customer, code, pk)
        return Response({"pages_count": 1, "count": 0, "next": None, "previous": None, "results": []})


def _matching(rows: TransmissionQuerySet, query: Values) -> TransmissionQuerySet:
    """Return the rows whose columns contain the texts in ``query``."""
    contained = {f"{_COLUMNS[name]}__icontains": query[name] for name in _SEARCHED if query.get(name)}
    if text := query.get("sync_status"):
        states = [state for status, of_status in STATUSES.items() if text.lower() in status for state in of_status]
        return rows.filter(state__in=states, **contained)
    return rows.filter(**contained)


def _order(sort_by: str) -> tuple[str, ...]:
    if not sort_by:
        return ("rank",)
    name = sort_by.removeprefix("-")
    if name not in _COLUMNS:
        raise ValidationError({"sort_by": [f"Available columns: {', '.join(_COLUMNS)}."]}, code="invalid")
    return (sort_by.replace(name, _COLUMNS[name]),)


def _page(request: Request, paginator: Paginator[ContentMetadataItemTransmission], number: int) -> dict[str, object]:
    def address(page: int) -> str:
        return replace_query_param(request.build_absolute_uri(), "page", page)

    return {
        "pages_count": paginator.num_pages,
        "count": paginator.count,
        "next": address(number + 1) if number < paginator.num_pages else None,
        "previous": address(number - 1) if number > 1 else None,
    }


def _as_status(row: ContentMetadataItemTransmission) -> dict[str, object]:
    status = _STATUS_OF[row.state]
    return {
        "content_title": row.content_title,
        "content_id": row.content_key,
        "sync_status": status,
        "sync_last_attempted_at": row.last_attempt_at,
        "friendly_status_message": row.reason if status == "error" else None,
    }
