"""Reads pages in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from enterprise_catalog.observability.metrics import fleet_metrics, forget_fleet, process_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.samples import Sample


def samples(page: bytes) -> Iterator[Sample]:
    """Yield the samples of a page."""
    for family in text_string_to_metric_families(page.decode()):
        yield from family.samples


def value_of(page: bytes, name: str, **labels: str) -> float:
    """Return the sum of the samples with this name and at least these labels; 0 without such samples."""
    lines = b"".join(line for line in page.splitlines(keepends=True) if line.startswith(name.encode()))
    return sum(
        sample.value for sample in samples(lines) if sample.name == name and labels.items() <= sample.labels.items()
    )


def gauge(name: str, **labels: str) -> float:
    """Return the current value of a gauge of the fleet."""
    forget_fleet()
    return value_of(fleet_metrics(), name, **labels)


class Counts:
    """Counts of this process since the object was made."""

    def __init__(self) -> None:
        self._before = process_metrics()

    def of(self, name: str, **labels: str) -> float:
        """Return by how much the samples with these labels have grown."""
        return value_of(process_metrics(), name, **labels) - value_of(self._before, name, **labels)
