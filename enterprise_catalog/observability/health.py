"""``/health`` for load balancers and orchestrators, ``/metrics`` for Prometheus, and access control for both.

200 means that this process can serve requests: its database responds. Every other failure is reported as degraded.
Without this distinction, a load balancer would remove every process when the cache is down, and a slow site would
become unavailable.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponse, JsonResponse
from django.middleware import common
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from enterprise_catalog.db.brief_connection import brief_connection
from enterprise_catalog.observability import health_checks
from enterprise_catalog.observability.health_checks import CHECKS, OK, outcome
from enterprise_catalog.observability.metrics import fleet_metrics, may_read, process_metrics
from enterprise_catalog.web.rest.authentication import JwtAuthentication

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponsePermanentRedirect

log = structlog.get_logger(__name__)

#: Paths that probes request by IP address instead of host name.
PROBE_PATHS: Final = frozenset({"/health", "/health/", "/metrics"})


def database_error() -> str:
    """Return the name of the error if the database cannot be used, otherwise an empty string.

    The error's own text is left out: it may contain the database's address and user name.
    """
    try:
        with brief_connection() as brief, brief.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        return type(error).__name__
    return ""


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Return ``{"overall_status": "OK" | "DEGRADED" | "UNAVAILABLE"}``; staff also get ``detailed_status``."""
    begun = {name: check.begin() for name, check in CHECKS.items()}
    error = database_error()
    deadline = time.monotonic() + health_checks.CHECK_SECONDS
    outcomes = {name: outcome(check, deadline) for name, check in begun.items()}
    degraded = {name: detail for name, (works, detail) in outcomes.items() if not works}
    overall = "UNAVAILABLE" if error else "DEGRADED" if degraded else OK
    if overall != OK:
        log.warning("health_not_ok", overall_status=overall, database=error or OK, **degraded)
    body: dict[str, object] = {"overall_status": overall}
    if not error and _is_staff(request):
        body["detailed_status"] = {"database": _shown(works=True, detail=OK)} | {
            name: _shown(works=works, detail=detail) for name, (works, detail) in outcomes.items()
        }
    return JsonResponse(body, status=503 if error else 200)


def _shown(*, works: bool, detail: str) -> dict[str, str]:
    return {"status": OK if works else "DEGRADED", "detail": detail}


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics. If ``METRICS_TOKEN`` is set, requires it as bearer token, or a member of staff."""
    if may_read(request.headers.get("Authorization", "")) or _is_staff(request):
        return HttpResponse(process_metrics() + fleet_metrics(), content_type=CONTENT_TYPE_LATEST)
    return HttpResponse(
        "Send the value of METRICS_TOKEN as a bearer token.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
    )


def _is_staff(request: HttpRequest) -> bool:
    """Return True if the request has the session or token of a member of staff."""
    try:
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            return bool(user.is_active and user.is_staff)
        return _has_token_of_staff(request)
    except (DatabaseError, InterfaceError):
        return False


def _has_token_of_staff(request: HttpRequest) -> bool:
    try:
        found = JwtAuthentication().authenticate(Request(request))
    except APIException:
        return False
    return found is not None and found[0].is_active and found[0].is_staff


class CommonMiddleware(common.CommonMiddleware):
    """Django's, except that it does not check the ``Host`` of probes, which is the IP address of a pod.

    Neither ``/health`` nor ``/metrics`` uses its ``Host``. The ``Host`` of every other page is checked.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Reject unknown hosts, except for requests by probes."""
        return None if request.path_info in PROBE_PATHS else super().process_request(request)
