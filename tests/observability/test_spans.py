"""Spans lose everything that might be secret before they are sent."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from enterprise_catalog.observability.spans import CleaningExporter


def test_only_known_attributes_and_no_texts_of_errors_are_sent() -> None:
    sent = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(CleaningExporter(sent)))

    with provider.get_tracer("test").start_as_current_span("GET") as span:
        span.set_attribute("http.url", "https://ada:SECRET@lms.example.org:8443/courses?token=SECRET#SECRET")
        span.set_attribute("http.method", "GET")
        span.set_attribute("http.status_code", 401)
        span.set_attribute("http.request.header.authorization", "SECRET")
        span.set_attribute("url.query", "code=SECRET")
        span.record_exception(ValueError("SECRET"))
        span.set_status(Status(StatusCode.ERROR, "SECRET"))

    [found] = sent.get_finished_spans()
    assert dict(found.attributes or {}) == {
        "http.method": "GET",
        "http.status_code": 401,
        "server.address": "lms.example.org",
        "url.path": "/courses",
    }
    assert found.status.status_code is StatusCode.ERROR
    assert "SECRET" not in found.to_json()
    assert (found.name, found.context.trace_id != 0) == ("GET", True)
