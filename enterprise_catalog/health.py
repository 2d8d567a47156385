"""``/health/``: whether database, cache and broker answer, for load balancers; 200 if all do, else 503."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from enterprise_catalog.celery import app as celery_app

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@dataclasses.dataclass
class Broker(HealthCheck):  # type: ignore[misc]  # the package has no types
    """That Celery's broker takes a connection."""

    def run(self) -> None:
        try:
            with celery_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=self.timeout.total_seconds())
        except Exception as error:  # each transport has exceptions of its own, and any of them means "not there"
            # The broker's URL holds its password and may be in the text; the type alone is told.
            raise ServiceUnavailable(f"no connection ({type(error).__name__})") from error


class HealthView(HealthCheckView):  # type: ignore[misc]  # the package has no types
    """Answers JSON, whatever is asked for: one entry per check, ``"OK"`` or what is wrong.

    The library's other formats say 200 or 500 when something is wrong, and some ``Accept`` headers break it.
    """

    checks = ("health_check.checks.Database", "health_check.checks.Cache", Broker)

    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with self.get_executor() as executor:
            self.results = await asyncio.gather(*(check.get_result(executor) for check in self.get_checks()))
        is_well = not any(result.error for result in self.results)
        response: HttpResponse = self.render_to_response_json(200 if is_well else 503)
        return response
