"""Starts OpenTelemetry traces if ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set.

Without an endpoint, nothing of OpenTelemetry is imported; its packages are in ``requirements/tracing.txt``.
"""

from __future__ import annotations

from importlib import import_module

from django.conf import settings


def trace_requests() -> None:
    """Trace the requests of this web process, and what they lead to. Call it before Django loads its middleware."""
    _start(with_requests=True)


def trace_tasks(**_: object) -> None:
    """Trace the tasks of this process of a worker, or of the scheduler, and what they lead to.

    Each process of a pool calls it: the thread that sends spans does not survive a fork.
    """
    _start(with_requests=False)


def _start(*, with_requests: bool) -> None:
    if endpoint := settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        import_module("enterprise_catalog.observability.spans").start(endpoint, with_requests=with_requests)
