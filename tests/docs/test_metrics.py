"""The page of metrics lists exactly the metrics of the code, with their labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from enterprise_catalog.integrated_channels.audit.heartbeats import SCHEDULED_TASK
from enterprise_catalog.integrated_channels.sync import engine
from enterprise_catalog.observability.metrics import fleet_metrics, forget_fleet
from tests.observability.metrics_page import samples
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW = re.compile(r"^   \* - ``(\w+)``\n     -(.*)\n     - ", re.MULTILINE)
#: Metrics of libraries.
_FOREIGN = ("django_", "python_", "process_")


def registered() -> Iterator[tuple[str, set[str]]]:
    """Yield the name and labels of each metric that this process counts, and of each gauge of the fleet."""
    assert engine  # Its modules define metrics.
    for collector in REGISTRY._collector_to_names:
        if isinstance(collector, MetricWrapperBase) and not collector._name.startswith(_FOREIGN):
            suffix = "_total" if collector._type == "counter" else ""
            yield collector._name + suffix, set(collector._labelnames)
    forget_fleet()
    for sample in samples(fleet_metrics()):
        yield sample.name, set(sample.labels)


@pytest.mark.django_db
def test_the_page_lists_the_metrics_and_labels_of_the_code() -> None:
    PeriodicTask.objects.filter(task=SCHEDULED_TASK).update(last_run_at=timezone.now())
    page = (PROJECT / "docs" / "reference" / "metrics.rst").read_text(encoding="utf-8")

    listed = {name: set(labels.replace(",", " ").split()) for name, labels in _ROW.findall(page)}

    assert listed == dict(registered())
