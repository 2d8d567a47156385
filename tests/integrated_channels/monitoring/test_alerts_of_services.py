"""Each alert about the service and its processes fires with its cause, and all others stay silent.

A real Prometheus scrapes the real page and evaluates the rules that are delivered, without their delays.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Connection

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import heartbeats, leases, runs
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    WorkerHeartbeat,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.observability import health
from tests.integrated_channels.conftest import Clock
from tests.integrated_channels.monitoring.prometheus import assert_fires
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.live_server_helper import LiveServer

    from tests.integrated_channels.monitoring.prometheus import Prometheus

    Watch = Callable[..., Prometheus]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("sqlite"),
    pytest.mark.long,
    pytest.mark.slow,
]


@pytest.mark.usefixtures("fleet")
def test_no_alert_fires_in_a_healthy_fleet(watch: Watch) -> None:
    prometheus = watch()

    prometheus.wait_for_scrapes(4)

    assert prometheus.firing() == set()


# --- the service itself ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fleet")
def test_a_service_that_does_not_respond(watch: Watch) -> None:
    assert_fires(watch(f"127.0.0.1:{free_port()}"), "CatalogServiceDown")


@pytest.mark.usefixtures("fleet")
def test_server_errors(watch: Watch, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    prometheus = watch()
    prometheus.wait_for_scrapes()
    monkeypatch.setattr(health, "database_error", lambda: "OperationalError")
    for _ in range(2):  # The first errors begin a series; only further ones are an increase.
        for _ in range(10):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{live_server.url}/health/")
        prometheus.wait_for_scrapes(1)

    assert_fires(prometheus, "CatalogServiceErrors")


@pytest.mark.usefixtures("fleet")
def test_an_unreachable_broker(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    prometheus = watch()
    monkeypatch.setattr(app.conf, "broker_read_url", f"redis://127.0.0.1:{free_port()}/0")

    assert_fires(prometheus, "MetricsIncomplete")


# --- processes of the channels --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fleet")
def test_workers_that_fell_silent(watch: Watch) -> None:
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=3))

    assert_fires(watch(), "NoWorkers")


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("change", [{"last_run_at": timezone.now() - timedelta(minutes=20)}, {"enabled": False}])
def test_a_scheduler_that_stopped(watch: Watch, change: dict[str, object]) -> None:
    PeriodicTask.objects.filter(task=heartbeats.SCHEDULED_TASK).update(**change)

    assert_fires(watch(), "SchedulerStopped")


def test_a_sync_that_no_worker_carries_out(fleet: ChannelConfiguration, watch: Watch) -> None:
    due = timezone.now() - timedelta(hours=1)
    ChannelConfiguration.objects.filter(pk=fleet.pk).update(next_sync_at=due)

    assert_fires(watch(), "SyncsOverdue")


@pytest.mark.usefixtures("fleet")
def test_a_queue_that_grows(watch: Watch) -> None:
    with Connection(app.conf.broker_read_url) as broker:
        for _ in range(100):
            app.send_task("sync_configuration", (1,), connection=broker)
        prometheus = watch()
        for _ in range(10):
            app.send_task("sync_configuration", (1,), connection=broker)
            prometheus.wait_for_scrapes(1)
            if prometheus.firing():
                break

        assert_fires(prometheus, "QueueGrowing")


def test_workers_that_die_in_the_middle_of_runs(fleet: ChannelConfiguration, watch: Watch) -> None:
    prometheus = watch()
    prometheus.wait_for_scrapes()
    clock = Clock(timezone.now())
    for _ in range(4):
        leases.acquire(fleet.pk, now=clock.now)
        runs.start_run(fleet, now=clock.now)
        clock.forward(minutes=6)
        sync(fleet, clock=clock)

    assert_fires(prometheus, "WorkersDie")
