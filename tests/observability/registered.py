"""The metrics that the code registers, with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from enterprise_catalog.integrated_channels.audit.heartbeats import SCHEDULED_TASK
from enterprise_catalog.integrated_channels.sync import engine
from enterprise_catalog.observability.metrics import fleet_metrics, forget_fleet
from tests.observability.metrics_page import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Prefixes of metrics of libraries.
FOREIGN = ("django_", "python_", "process_")


def counted() -> Iterator[tuple[str, set[str]]]:
    """Yield the name and labels of each metric that this process counts, including those of libraries."""
    assert engine  # Its modules define metrics.
    Metrics.get_instance()  # Defines the metrics of requests, as the first request does.
    for collector in REGISTRY._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            suffix = "_total" if collector._type == "counter" else ""
            yield collector._name + suffix, set(collector._labelnames)


def forget_requests() -> None:
    """Delete all series that the middleware has counted: hundreds for each view that was requested."""
    for collector in REGISTRY._collector_to_names:
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("django_") and collector._labelnames:
            collector.clear()


def gauges() -> Iterator[tuple[str, set[str]]]:
    """Yield the name and labels of each gauge of the fleet."""
    PeriodicTask.objects.filter(task=SCHEDULED_TASK).update(last_run_at=timezone.now())
    forget_fleet()
    for sample in samples(fleet_metrics()):
        yield sample.name, set(sample.labels)


def our_metrics() -> dict[str, set[str]]:
    """Return name -> labels of all metrics of this project."""
    found = {**dict(counted()), **dict(gauges())}
    return {name: labels for name, labels in found.items() if not name.startswith(FOREIGN)}
