"""``/health`` for load balancers and orchestrators, ``/metrics`` for Prometheus, and who may read them.

200 means that this process can serve requests: its database answers. All else is reported as degraded, since a load
balancer that removed every process because the cache is down would turn a slow site into none.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpResponse, JsonResponse
from django.middleware import common
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from enterprise_catalog.brief_connection import brief_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponsePermanentRedirect

log = structlog.get_logger(__name__)

OK: Final = "OK"
#: A probe is answered within this time and that of the database; Kubernetes gives up after one second unless told
#: otherwise.
CHECK_SECONDS: Final = 0.5

#: Paths that probes ask by the address of a process instead of its name.
PROBE_PATHS: Final = frozenset({"/health", "/health/", "/metrics"})


class DegradedError(Exception):
    """A part of the site does not work; the text is for staff, and holds no addresses, names or passwords."""


class Check:
    """One part of the site. Its check runs in a thread of its own, so that a part that hangs delays no probe."""

    def __init__(self, run: Callable[[], str]) -> None:
        """Prepare the check.

        Args:
            run: returns a detail for staff, or :data:`OK`. It raises :class:`DegradedError` if the part does not work;
                an error of the database means the same.
        """
        self._run = run
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._latest: Future[str] | None = None

    def begin(self) -> Future[str]:
        """Begin the check, or return the earlier one that has not ended yet."""
        with self._lock:
            if self._executor is None:  # Not before a process has forked.
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="health")
            if self._latest is None or self._latest.done():
                self._latest = self._executor.submit(self._run_alone)
            return self._latest

    def _run_alone(self) -> str:
        try:
            return self._run()
        finally:
            connection.close()  # The thread's own, if it has used one.


def _outcome(check: Future[str], deadline: float) -> tuple[bool, str]:
    """Return whether the part works, and the detail."""
    try:
        return True, check.result(max(0, deadline - time.monotonic()))
    except NotInTimeError:
        return False, f"no answer within {CHECK_SECONDS} seconds"
    except DegradedError as error:
        return False, str(error)
    except (DatabaseError, InterfaceError) as error:
        return False, f"the database cannot be read ({type(error).__name__})"


def _check_cache() -> str:
    value = secrets.token_hex(8)
    try:
        cache.set("health-check", value, 60)
        found = cache.get("health-check")
    except Exception as error:  # each cache has exceptions of its own; any of them means that it does not work
        raise DegradedError(f"no answer ({type(error).__name__})") from error
    if found is None:
        raise DegradedError("does not keep values, or does not answer")
    return OK


#: Name -> check. Applications add their own when they are loaded.
CHECKS: Final[dict[str, Check]] = {"cache": Check(_check_cache)}


def database_error() -> str:
    """Return the name of the error if the database cannot be used, else an empty text.

    The error's own text may hold the address of the database and the name of its user.
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
    """Answer ``{"overall_status": "OK" | "DEGRADED" | "UNAVAILABLE"}``, and to staff ``detailed_status`` as well."""
    begun = {name: check.begin() for name, check in CHECKS.items()}
    error = database_error()
    deadline = time.monotonic() + CHECK_SECONDS
    outcomes = {name: _outcome(check, deadline) for name, check in begun.items()}
    degraded = {name: detail for name, (works, detail) in outcomes.items() if not works}
    overall = "UNAVAILABLE" if error else "DEGRADED" if degraded else OK
    if overall != OK:
        log.warning("health_not_ok", overall_status=overall, database=error or OK, **degraded)
    body: dict[str, Any] = {"overall_status": overall}
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
    """Answer Prometheus; where ``METRICS_TOKEN`` is set, only with that as bearer token, or to staff."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    expected: str = settings.METRICS_TOKEN
    if not expected or hmac.compare_digest(given.encode(), expected.encode()) or _is_staff(request):
        response: HttpResponse = ExportToDjangoView(request)
        return response
    return HttpResponse(
        "Set METRICS_TOKEN's value as bearer token.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
    )


def _is_staff(request: HttpRequest) -> bool:
    """Return whether a session or a token of a member of staff comes with the request."""
    try:
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            return bool(user.is_active and user.is_staff)
        return apps.is_installed("enterprise_catalog.api") and _has_token_of_staff(request)
    except (DatabaseError, InterfaceError):
        return False


def _has_token_of_staff(request: HttpRequest) -> bool:
    # Only where the API is: the libraries below need its settings.
    from rest_framework.exceptions import APIException  # noqa: PLC0415
    from rest_framework.request import Request  # noqa: PLC0415

    from enterprise_catalog.api.authentication import JwtAuthentication  # noqa: PLC0415

    try:
        found = JwtAuthentication().authenticate(Request(request))
    except APIException:
        return False
    return found is not None and found[0].is_active and found[0].is_staff


class CommonMiddleware(common.CommonMiddleware):
    """Django's, except that it does not check the ``Host`` of probes, which is the IP address of a pod.

    Neither of the two pages uses its ``Host``. That of every other page is checked.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Refuse unknown hosts, unless a probe asks."""
        return None if request.path_info in PROBE_PATHS else super().process_request(request)
