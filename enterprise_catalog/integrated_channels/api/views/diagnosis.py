"""``diagnosis/``: why a course is, or is not, in each of a customer's LMSs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.permissions import admin_scope, require_customer, visible_configurations
from enterprise_catalog.integrated_channels.api.serializers.diagnosis import (
    DiagnosisQuerySerializer,
    DiagnosisSerializer,
    LiveDiagnosisSerializer,
)
from enterprise_catalog.integrated_channels.api.views.base import ChannelsView
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.reporting.diagnosis import READ_TIMEOUT_SECONDS, diagnose
from enterprise_catalog.integrated_channels.reporting.live import look_up_live
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.reporting.live import LiveItem


class DiagnosisView(ChannelsView):
    """The findings about one content key of one customer, one for each configuration."""

    @documented("diagnosis", errors=BAD_PARAMETER, parameters=[DiagnosisQuerySerializer], responses=DiagnosisSerializer)
    def get(self, request: Request) -> Response:
        """Return why the item is, or is not, in each LMS, and what to do. No LMS is asked."""
        query = validate(DiagnosisQuerySerializer, request.query_params.dict())
        require_customer(request, query["enterprise_customer"])
        return _respond(request, query, {})

    @documented("diagnosis_live", errors=BAD_OBJECT, request=LiveDiagnosisSerializer, responses=DiagnosisSerializer)
    def post(self, request: Request) -> Response:
        """Ask the customer's LMSs what they hold now, and return the findings. Changes nothing.

        The calls count against the LMS's rate limit. While a sync runs, its LMS is not asked.
        """
        query = validate(LiveDiagnosisSerializer, body_of(request))
        require_customer(request, query["enterprise_customer"])
        chosen = visible_configurations(request).filter(enterprise_customer_uuid=query["enterprise_customer"])
        if "configuration" in query:
            chosen = chosen.filter(pk=query["configuration"])
        live = {each.pk: look_up_live(each, query["content_key"], clock=timezone.now) for each in chosen}
        return _respond(request, query, live)


def _respond(request: Request, query: Mapping[str, Any], live: Mapping[int, LiveItem]) -> Response:
    with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as catalog:
        diagnosis = diagnose(
            query["enterprise_customer"],
            query["content_key"],
            catalog=catalog,
            now=timezone.now(),
            live=live,
            is_limited=not admin_scope(request).is_unlimited,
        )
    return Response(DiagnosisSerializer(diagnosis).data)
