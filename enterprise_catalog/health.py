"""``/health/``: whether database, cache and broker answer, for load balancers; 200 if all do, else 503."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpResponse
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from enterprise_catalog.celery import app as celery_app


@dataclasses.dataclass
class Broker(HealthCheck):
    """That Celery's broker takes a connection."""

    def run(self) -> None:
        try:
            with celery_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=self.timeout.total_seconds())
        except Exception as error:  # each transport has exceptions of its own, and any of them means "not there"
            # The broker's URL holds its password and may be in the text; the type alone is told.
            raise ServiceUnavailable(f"no connection ({type(error).__name__})") from error


class HealthView(HealthCheckView):
    """Answers JSON only: one entry per check, ``"OK"`` or what is wrong."""

    checks = ("health_check.checks.Database", "health_check.checks.Cache", Broker)

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        return self.render_to_response_json(response_kwargs["status"])

    def render_to_response_json(self, status: int) -> HttpResponse:
        # The library says 500; load balancers expect 503 from a service that cannot serve now.
        return super().render_to_response_json(200 if status == 200 else 503)
