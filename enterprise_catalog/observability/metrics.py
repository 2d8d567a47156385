"""The metrics of all processes of a machine, in Prometheus' text format.

Each process counts what it does. With ``PROMETHEUS_MULTIPROC_DIR``, processes count in files of a shared folder, and
each of them can report the sums. Facts about the whole fleet, such as a backlog, are read from the database or the
broker instead (:data:`SOURCES`).
"""

from __future__ import annotations

import hmac
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from enterprise_catalog.db.time_limit import TimeLimitError
from enterprise_catalog.observability.metric_files import FolderCollector, merge_files_of_dead_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client import Metric

    Source = Callable[[], Iterable[Metric]]

log = structlog.get_logger(__name__)

#: Age at which gauges are read again. A page that is requested more often costs nothing more.
CACHE_SECONDS: Final = 10.0
#: Name -> function that reads gauges of the whole fleet. Applications add theirs when they are loaded.
SOURCES: Final[dict[str, Source]] = {}


class SourceError(Exception):
    """The gauges of a source cannot be read."""


class _FleetCollector(Collector):
    """Gauges of the whole fleet, cached for some seconds. A source that fails is reported, and hides no other one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._families: list[Metric] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                self._families = list(_read_sources())
                self._read_at = time.monotonic()
            yield from self._families

    def clear(self) -> None:
        """Read the sources again with the next page."""
        self._read_at = float("-inf")


def _read_sources() -> Iterator[Metric]:
    works = GaugeMetricFamily("metrics_source_up", "1 if the gauges of a source could be read.", labels=["source"])
    for name, read in SOURCES.items():
        try:
            families = list(read())
        except (DatabaseError, InterfaceError, TimeLimitError, SourceError) as error:
            log.warning("metrics_source_failed", source=name, error=type(error).__name__)
            works.add_metric([name], 0)
        else:
            works.add_metric([name], 1)
            yield from families
    yield works


_FLEET: Final = _FleetCollector()


def process_metrics() -> bytes:
    """Return the metrics that processes count: of all processes of the folder, or of this one without a folder."""
    if not (folder := settings.PROMETHEUS_MULTIPROC_DIR):
        return generate_latest(REGISTRY)
    merge_files_of_dead_processes(folder)
    registry = CollectorRegistry()
    registry.register(FolderCollector(folder))
    return generate_latest(registry)


def fleet_metrics() -> bytes:
    """Return the gauges of :data:`SOURCES`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FLEET)
    return generate_latest(registry)


def forget_fleet() -> None:
    """Read the gauges again with the next page, whatever their age; for tests."""
    _FLEET.clear()


def may_read(authorization: str) -> bool:
    """Return True if the header contains ``METRICS_TOKEN`` as bearer token, or no token is set."""
    expected: str = settings.METRICS_TOKEN
    given = authorization.removeprefix("Bearer ")
    return not expected or hmac.compare_digest(given.encode(), expected.encode())
