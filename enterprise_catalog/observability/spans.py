"""The spans of OpenTelemetry traces: requests, tasks, and calls of other services. Only ``tracing.py`` imports this.

A span could contain secrets: URLs have tokens and codes, exceptions quote responses. So only a list of attributes is
sent, URLs lose their query, and events and error texts are left out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace.export import SpanExportResult

#: Attributes that are sent.
ATTRIBUTES: Final = frozenset(
    {
        *("http.method", "http.request.method", "http.status_code", "http.response.status_code", "http.route"),
        *("celery.action", "celery.state", "celery.task_name", "messaging.message.id", "messaging.destination"),
    }
)
#: Attributes with a URL, of which host and path are sent.
_URLS: Final = ("http.url", "url.full")
_UNTRACED: Final = "/health/?$,/metrics$"


def start(endpoint: str, *, with_requests: bool) -> None:
    """Send the spans of this process to a collector, in batches and in a thread of their own.

    The SDK's other variables apply: ``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER``, ``OTEL_EXPORTER_OTLP_HEADERS``, ….

    Args:
        endpoint: base URL of a collector with OTLP over HTTP, such as ``http://127.0.0.1:4318``.
        with_requests: also trace requests to this process.
    """
    os.environ.setdefault("OTEL_SERVICE_NAME", "enterprise-catalog")
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(CleaningExporter(OTLPSpanExporter(f"{endpoint}/v1/traces"))))
    trace.set_tracer_provider(provider)
    if with_requests:
        DjangoInstrumentor().instrument(excluded_urls=_UNTRACED)
    CeleryInstrumentor().instrument()
    HTTPXClientInstrumentor().instrument()  # Calls of LMSs.
    RequestsInstrumentor().instrument()  # Requests to the catalog service and to Open edX.
    ThreadingInstrumentor().instrument()  # Chunks are fetched and sent in threads.


class CleaningExporter(SpanExporter):
    """Passes spans on to another exporter, without what might be secret."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of an ended span without events and error texts, and with :data:`ATTRIBUTES` only."""
    return ReadableSpan(
        span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_sent(span.attributes or {}),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _sent(attributes: Mapping[str, object]) -> dict[str, str | int]:
    sent = {name: value for name, value in attributes.items() if name in ATTRIBUTES and isinstance(value, (str, int))}
    for name in _URLS:
        if isinstance(url := attributes.get(name), str):
            parts = urlsplit(url)
            sent |= {"server.address": parts.hostname or "", "url.path": parts.path}
    return sent
