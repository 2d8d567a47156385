"""``diagnosis/``: why a course is, or is not, in each of a customer's LMSs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.permissions import (
    admin_scope,
    find_configuration,
    require_customer,
    unknown,
)
from enterprise_catalog.integrated_channels.api.serializers.diagnosis import (
    DiagnosisQuerySerializer,
    DiagnosisSerializer,
    LiveDiagnosisSerializer,
)
from enterprise_catalog.integrated_channels.api.throttles import LMS_THROTTLES
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.reporting.diagnosis import READ_TIMEOUT_SECONDS, diagnose
from enterprise_catalog.integrated_channels.reporting.live import look_up_live
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle

    from enterprise_catalog.integrated_channels.reporting.live import LiveItem
    from enterprise_catalog.web.rest.input import Values


class DiagnosisView(ChannelsView):
    """The findings about one content key of one customer, one for each configuration."""

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the throttles of the request; those of LMSs if it calls one."""
        throttles = LMS_THROTTLES if self.request.method == "POST" else self.throttle_classes
        return [throttle() for throttle in throttles]

    @documented("diagnosis", errors=BAD_PARAMETER, parameters=[DiagnosisQuerySerializer], responses=DiagnosisSerializer)
    def get(self, request: Request) -> Response:
        """Return why the item is, or is not, in each LMS, and what to do. No LMS is asked."""
        query = validate(DiagnosisQuerySerializer, request.query_params.dict())
        require_customer(request, query["enterprise_customer"])
        return _respond(request, query, {})

    @documented(
        "diagnosis_live", errors=BAD_OBJECT | UNKNOWN, request=LiveDiagnosisSerializer, responses=DiagnosisSerializer
    )
    def post(self, request: Request) -> Response:
        """Look the item up in the LMS of one configuration now, and return the findings. Changes nothing.

        Takes up to 30 seconds. The calls count against the LMS's rate limit. No LMS is called during a sync of its
        configuration.
        """
        query = validate(LiveDiagnosisSerializer, body_of(request))
        require_customer(request, query["enterprise_customer"])
        configuration = find_configuration(request, query["configuration"])
        if configuration.enterprise_customer_uuid != query["enterprise_customer"]:
            raise unknown(request, f"There is no configuration {configuration.pk} of this customer.")
        live = look_up_live(configuration, query["content_key"], clock=timezone.now)
        return _respond(request, query, {configuration.pk: live})


def _respond(request: Request, query: Values, live: Mapping[int, LiveItem]) -> Response:
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
