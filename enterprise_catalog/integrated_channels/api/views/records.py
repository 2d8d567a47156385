"""``runs/``, ``transmissions/``, ``attempts/`` and ``decisions/``: the records of syncs and users, read-only.

Each is a list with pages, and a CSV file with all rows of the list, ``export.csv``. Both accept the same filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response

from enterprise_catalog.db.time_limit import TimeLimitError
from enterprise_catalog.integrated_channels.api.pages import page_of, read_page
from enterprise_catalog.integrated_channels.api.permissions import (
    admin_scope,
    find_configuration,
    unknown,
    visible_configurations,
)
from enterprise_catalog.integrated_channels.api.privacy import hide_users
from enterprise_catalog.integrated_channels.api.serializers.actions import DecisionQuerySerializer, DecisionSerializer
from enterprise_catalog.integrated_channels.api.serializers.records import (
    AttemptQuerySerializer,
    AttemptSerializer,
    RunQuerySerializer,
    RunSerializer,
    TransmissionQuerySerializer,
    TransmissionSerializer,
)
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.reporting.export import start_export, table_of
from enterprise_catalog.integrated_channels.reporting.formats import to_csv
from enterprise_catalog.integrated_channels.reporting.search import recognize
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import Model, QuerySet
    from rest_framework.request import Request
    from rest_framework.serializers import ModelSerializer, Serializer

    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet
    from enterprise_catalog.web.rest.input import Values

    M = TypeVar("M", bound=Model)
    Recorded = TypeVar("Recorded", SyncRun, ContentMetadataItemTransmission)
    #: Request and validated parameters -> the rows that the caller sees, in the list's order.
    _FindRows = Callable[[Request, Values], QuerySet[M]]

_BAD_FILTER = BAD_PARAMETER | {"404": "The filter's row does not exist (for callers with a role for all customers)."}


class _AcceptsCSV(DefaultContentNegotiation):
    """Lets a request for CSV have its errors as JSON."""

    def get_accept_list(self, request: Request) -> list[str]:
        accepted = super().get_accept_list(request)
        return [*accepted, "application/json"] if any(each.startswith("text/") for each in accepted) else accepted


class TooSlowError(APIException):
    """The database took too long to find the rows."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "too_slow"
    default_detail = "The database took too long to find these rows. Send a configuration, or another filter."


class ListViews(NamedTuple):
    """The views of one list."""

    page: type[ChannelsView]
    export: type[ChannelsView]


def _views(name: str, query: type[Serializer[object]], row: type[ModelSerializer[M]], find: _FindRows[M]) -> ListViews:
    """Return the views of a list: its pages, and its CSV file.

    Args:
        query: the parameters.
        row: the fields of a row on a page.
        find: its docstring describes the rows.
    """

    class PageView(ChannelsView):
        @documented(
            f"{name}_list",
            errors=_BAD_FILTER,
            description=f"{find.__doc__} One page.",
            parameters=[query],
            responses=page_of(row),
        )
        def get(self, request: Request) -> Response:
            values = validate(query, request.query_params.dict())
            rows, following = read_page(request, find(request, values), values)
            shown = row(rows, many=True, context={"request": request})
            return Response({"next": following, "results": shown.data})

    class ExportView(ChannelsView):
        content_negotiation_class = _AcceptsCSV

        @documented(
            f"{name}_export",
            errors=_BAD_FILTER | {"503": "The database took too long. Send a configuration."},
            description=f"{find.__doc__} All rows as CSV; `page_size` and `cursor` have no effect.",
            parameters=[query],
            responses={(200, "text/csv"): OpenApiTypes.STR},
        )
        def get(self, request: Request) -> StreamingHttpResponse:
            rows = find(request, validate(query, request.query_params.dict()))
            table = table_of(rows.model)
            try:
                found = start_export(rows)
            except TimeLimitError:
                raise TooSlowError from None
            pages = (hide_users(page, request) for page in found)
            return StreamingHttpResponse(
                to_csv(pages, table.columns),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{table.name}.csv"'},
            )

    return ListViews(PageView, ExportView)


def _filters(query: Values, *names: str) -> Values:
    return {name: query[name] for name in names if name in query}


def _find(request: Request, rows: QuerySet[Recorded], pk: int) -> Recorded:
    """Return the row of a configuration that the caller sees. Raises as :func:`find_configuration`."""
    found = rows.filter(pk=pk, configuration__in=visible_configurations(request)).first()
    if found is None:
        raise unknown(request, f"There is no {rows.model._meta.verbose_name} {pk}.")
    return found


def _require_visible(request: Request, query: Values) -> None:
    """Reject a configuration that the caller does not see, and its absence unless the caller sees all."""
    if "configuration" in query:
        find_configuration(request, query["configuration"])
    elif not admin_scope(request).is_unlimited:
        raise ValidationError({"configuration": ["This parameter is required."]}, code="required")


def _find_runs(request: Request, query: Values) -> QuerySet[SyncRun]:
    """Return runs, newest first."""
    _require_visible(request, query)
    return SyncRun.objects.filter(**_filters(query, "configuration", "state")).order_by("-started_at", "-id")


def _find_transmissions(request: Request, query: Values) -> QuerySet[ContentMetadataItemTransmission]:
    """Return items of one configuration or of all, ascending by key, or in the order of the search."""
    rows = ContentMetadataItemTransmission.objects.filter(**_filters(query, "content_key", "state"))
    if "configuration" in query:
        rows = rows.of(find_configuration(request, query["configuration"]))
    elif admin_scope(request).is_unlimited:
        rows = rows.exclude(configuration__in=_ids(ChannelConfiguration.objects.deleted()))
    else:
        rows = rows.filter(configuration__in=_ids(visible_configurations(request)))
    search = recognize(query.get("search", ""), rows)
    order = ("content_key",) if "configuration" in query else ("content_key", "id")
    return search.rows(rows) if search else rows.order_by(*order)


def _ids(configurations: ConfigurationQuerySet) -> list[int]:
    """Return the ids. With values instead of a join, the database reads the items from an index in their order."""
    return [*configurations.values_list("pk", flat=True)]


def _find_attempts(request: Request, query: Values) -> QuerySet[TransmissionAttempt]:
    """Return the attempts of one item, newest first; or of one run, by outcome, then newest first."""
    if "run" in query:
        _find(request, SyncRun.objects.all(), query["run"])
    else:
        _find(request, ContentMetadataItemTransmission.objects.all(), query["transmission"])
    found = TransmissionAttempt.objects.filter(**_filters(query, "run", "transmission", "outcome"))
    # As in the index of a run's attempts: another order would sort all of them.
    return found.order_by("-outcome", "-id") if "run" in query else found.order_by("-id")


def _find_decisions(request: Request, query: Values) -> QuerySet[Decision]:
    """Return the decisions of users and commands, newest first."""
    _require_visible(request, query)
    return Decision.objects.filter(**_filters(query, "configuration", "action")).order_by("-id")


#: List in a URL -> its views.
LISTS: Final[Mapping[str, ListViews]] = {
    "runs": _views("run", RunQuerySerializer, RunSerializer, _find_runs),
    "transmissions": _views("transmission", TransmissionQuerySerializer, TransmissionSerializer, _find_transmissions),
    "attempts": _views("attempt", AttemptQuerySerializer, AttemptSerializer, _find_attempts),
    "decisions": _views("decision", DecisionQuerySerializer, DecisionSerializer, _find_decisions),
}


class RunDetailView(ChannelsView):
    """One run."""

    @documented("run_detail", errors=UNKNOWN, responses=RunSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the run."""
        return Response(RunSerializer(_find(request, SyncRun.objects.all(), pk)).data)


class TransmissionDetailView(ChannelsView):
    """One item in one LMS."""

    @documented("transmission_detail", errors=UNKNOWN, responses=TransmissionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the item's state."""
        found = _find(request, ContentMetadataItemTransmission.objects.all(), pk)
        return Response(TransmissionSerializer(found).data)
