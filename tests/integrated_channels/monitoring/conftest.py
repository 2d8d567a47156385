"""Fixtures: a healthy fleet of twenty configurations, and a Prometheus that watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from redis import Redis

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import heartbeats
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ConfigurationStatus, Status
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.observability import metrics
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.monitoring.prometheus import Prometheus
from tests.observability.registered import forget_requests
from tests.services import or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer

CONFIGURATIONS = 20


@pytest.fixture(autouse=True)
def _fresh_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the gauges for each scrape."""
    monkeypatch.setattr(metrics, "CACHE_SECONDS", 0)


@pytest.fixture(autouse=True)
def _small_page() -> None:
    """Scrape no series of views that earlier tests of this process requested: each scrape would take a second."""
    forget_requests()


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    """The customer's catalog, with ten courses."""
    return CatalogFactory.create(courses=10, customer=customer)


@pytest.fixture
def fleet(
    configure: Callable[..., ChannelConfiguration],
    catalog: EnterpriseCatalog,  # noqa: ARG001  (is synced)
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> ChannelConfiguration:
    """A worker, a scheduler, and twenty configurations that are up to date; returns one that was really synced."""
    broker = f"{redis_url.rpartition('/')[0]}/8"
    with Redis.from_url(broker) as redis:
        redis.flushdb()
    monkeypatch.setattr(app.conf, "broker_read_url", broker)
    now = timezone.now()
    heartbeats.beat("celery@one", now=now)
    PeriodicTask.objects.filter(task=heartbeats.SCHEDULED_TASK).update(last_run_at=now)
    ConfigurationFactory.create_batch(CONFIGURATIONS - 1)
    ConfigurationStatus.objects.update(state=Status.UP_TO_DATE, rank=Status.UP_TO_DATE.rank)
    configuration = configure(chunk_size=1)
    run(configuration)
    ChannelConfiguration.objects.update(next_sync_at=now.replace(year=now.year + 1))
    return configuration


def run(configuration: ChannelConfiguration) -> None:
    """Sync now. Leaves no configuration due."""
    row = sync(configuration, clock=timezone.now)
    assert row is not None
    ChannelConfiguration.objects.filter(pk=configuration.pk).update(next_sync_at=timezone.now().replace(year=2100))


@pytest.fixture
def watch(tmp_path: Path, live_server: LiveServer) -> Iterator[Callable[..., Prometheus]]:
    """Return a function that starts a Prometheus; it scrapes the site, and the addresses that are given."""
    servers = []

    def start(*others: str, interval_seconds: int | None = None) -> Prometheus:
        site = live_server.url.removeprefix("http://")
        options = {"interval_seconds": interval_seconds}
        prometheus, server = or_skip(lambda: Prometheus.start(tmp_path, site, others, **options))
        servers.append(server)
        return prometheus

    yield start
    for server in servers:
        server.kill()
