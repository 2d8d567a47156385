"""``overview/``: which configurations are up to date, and which need attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.permissions import admin_scope
from enterprise_catalog.integrated_channels.api.privacy import without_pause_reasons
from enterprise_catalog.integrated_channels.api.serializers.overview import OverviewQuerySerializer, OverviewSerializer
from enterprise_catalog.integrated_channels.api.views.base import ChannelsView
from enterprise_catalog.integrated_channels.models import ConfigurationStatus
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import last_days
from enterprise_catalog.integrated_channels.reporting.overview import ATTENTION, FILTERS, Overview
from enterprise_catalog.web.rest.input import validate
from enterprise_catalog.web.rest.schema import BAD_PARAMETER, documented

if TYPE_CHECKING:
    from rest_framework.request import Request


class OverviewView(ChannelsView):
    """The status of all configurations that the caller sees."""

    @documented("overview", errors=BAD_PARAMETER, parameters=[OverviewQuerySerializer], responses=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """Return the number of configurations in each state, and one page of configurations, the worst first."""
        query = validate(OverviewQuerySerializer, request.query_params.dict())
        scope, now, rows = admin_scope(request), timezone.now(), ConfigurationStatus.objects.all()
        if not scope.is_unlimited:
            rows = rows.filter(configuration__enterprise_customer_uuid__in=scope.customers)
        overview = Overview(rows, now)
        counts = overview.counts()
        page = overview.page(counts, FILTERS.get(query.get("state", ""), ATTENTION), number=query["page"])
        without_pause_reasons((row.status.configuration for row in page.rows), request)
        found = {
            "counts": counts,
            "page": page.number,
            "last_page": page.last,
            "total": page.total,
            "results": page.rows,
            "days": last_days(now.date()) if scope.is_unlimited else None,
        }
        return Response(OverviewSerializer(found).data)
