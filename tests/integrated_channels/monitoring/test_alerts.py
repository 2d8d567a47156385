"""Each alert fires in a fleet with its cause, and all others stay silent, as they all do in a healthy fleet.

A real Prometheus scrapes the real page and evaluates the rules that are delivered, without their delays.
"""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Connection

from enterprise_catalog.catalog.models import RefreshState
from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import events, heartbeats, leases, runs
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Status,
    WorkerHeartbeat,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.observability import health
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox
from tests.catalog.discovery.refreshes import discovery_query, refreshed
from tests.factories.catalog import CourseFactory, import_into
from tests.integrated_channels.conftest import Clock
from tests.integrated_channels.monitoring.conftest import run
from tests.integrated_channels.monitoring.prometheus import MONITORING, RULES, Prometheus, rules
from tests.open_edx import course, serving_open_edx
from tests.processes import PROJECT, wait_until
from tests.services import find_program, free_port, or_skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

    Watch = Callable[..., Prometheus]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("sqlite"),
    pytest.mark.long,
    pytest.mark.slow,
]

CREATE: Final = "core_course_create_courses"


def assert_fires(prometheus: Prometheus, *alerts: str) -> None:
    """Wait until these alerts fire; no other alert may fire then, or a few scrapes later."""
    try:
        wait_until(lambda: prometheus.firing() >= set(alerts), seconds=30)
    except AssertionError:
        assert prometheus.firing() == set(alerts)
    prometheus.wait_for_scrapes(1)
    assert prometheus.firing() == set(alerts)


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


# --- customers' LMSs ------------------------------------------------------------------------------------------------


def add_course(catalog: EnterpriseCatalog, *, minutes_ago: float = 0) -> None:
    now = timezone.now() - timedelta(minutes=minutes_ago)
    import_into(catalog, [CourseFactory.build(key="Northwind+NEW")], now=now)


def test_dead_credentials(
    fleet: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, watch: Watch
) -> None:
    add_course(catalog)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=401))
    run(fleet)

    assert_fires(watch(), "CredentialsRejected")


def test_an_lms_that_is_down(fleet: ChannelConfiguration, watch: Watch) -> None:
    ContentMetadataItemTransmission.objects.update(state="pending", due_since=timezone.now())
    ChannelConfiguration.objects.filter(pk=fleet.pk).update(
        base_url=f"http://127.0.0.1:{free_port()}", last_full_etag=""
    )
    fleet.refresh_from_db()
    run(fleet)

    assert_fires(watch(), "LMSUnavailable")


def test_an_invalid_configuration(fleet: ChannelConfiguration, watch: Watch) -> None:
    fleet.settings = {"category_id": "none"}
    run(fleet)

    assert_fires(watch(), "ConfigurationsInvalid")


def test_a_catalog_service_that_is_down(fleet: ChannelConfiguration, settings: Settings, watch: Watch) -> None:
    settings.CATALOG_API_URL = f"http://127.0.0.1:{free_port()}"
    run(fleet)

    assert_fires(watch(), "CatalogUnreachable")


# --- decisions ------------------------------------------------------------------------------------------------------


def test_held_deletes(fleet: ChannelConfiguration, catalog: EnterpriseCatalog, watch: Watch) -> None:
    import_into(catalog, [], now=timezone.now(), replace=True)
    run(fleet)

    assert_fires(watch(), "DeletesHeld")


def test_dead_letters(
    fleet: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, watch: Watch
) -> None:
    add_course(catalog)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=2, status=503))
    run(fleet)
    failed = ContentMetadataItemTransmission.objects.filter(content_key="Northwind+NEW")
    failed.update(attempts=9, next_attempt_at=timezone.now())
    run(fleet)

    assert_fires(watch(), "DeadLetters")


@pytest.mark.usefixtures("fleet")
def test_a_held_refresh(settings: Settings, watch: Watch) -> None:
    sandbox = OpenEdxSandbox()
    sandbox.documents.put([course(f"edX+C{number}") for number in range(20)])
    query = discovery_query()
    with serving_open_edx(settings, sandbox):
        refreshed(query)
        sandbox.documents.remove([f"edX+C{number}" for number in range(15)])
        held = refreshed(query)

    assert held.state == RefreshState.HELD
    assert_fires(watch(), "RefreshesHeld")


# --- freshness ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fleet")
def test_a_fleet_that_is_behind(watch: Watch) -> None:
    late = ConfigurationStatus.objects.order_by("pk").values_list("pk", flat=True)[:3]
    ConfigurationStatus.objects.filter(pk__in=list(late)).update(state=Status.BEHIND, rank=Status.BEHIND.rank)

    assert_fires(watch(), "FleetStale")


def test_an_item_that_waits_for_a_day(
    fleet: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, watch: Watch
) -> None:
    add_course(catalog)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=2, status=503))
    run(fleet)
    failed = ContentMetadataItemTransmission.objects.filter(content_key="Northwind+NEW")
    failed.update(due_since=timezone.now() - timedelta(hours=25), next_attempt_at=timezone.now())
    run(fleet)

    assert_fires(watch(), "ItemsWaitTooLong")


def test_a_configuration_that_misses_its_own_freshness_goal(fleet: ChannelConfiguration, watch: Watch) -> None:
    now = timezone.now()
    due = now - timedelta(minutes=10)
    ChannelConfiguration.objects.filter(pk=fleet.pk).update(freshness_goal_minutes=5, next_sync_at=due)
    events.check(now=now)

    assert_fires(watch(), "ConfigurationsLate")


def test_changes_that_reach_their_lms_late(
    fleet: ChannelConfiguration, catalog: EnterpriseCatalog, watch: Watch
) -> None:
    prometheus = watch()
    prometheus.wait_for_scrapes()
    [first, *_] = CourseFactory.keys(10)
    import_into(catalog, [CourseFactory.build(key=first, title="New")], now=timezone.now() - timedelta(hours=2))
    run(fleet)

    assert_fires(prometheus, "FreshnessMissed")


@pytest.mark.usefixtures("fleet")
def test_refreshes_that_fail(settings: Settings, watch: Watch) -> None:
    prometheus = watch()
    prometheus.wait_for_scrapes()
    with serving_open_edx(settings, OpenEdxSandbox()):
        settings.DISCOVERY_SERVICE_API_URL = f"http://127.0.0.1:{free_port()}/api/v1"
        assert refreshed(discovery_query()).state == RefreshState.FAILED

    assert_fires(prometheus, "RefreshesFail")


# --- the files ------------------------------------------------------------------------------------------------------


def test_each_alert_has_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    assert [rule["alert"] for rule in rules() if f', "{rule["alert"]}")' not in source] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    how_to = (PROJECT / "docs" / "how-tos" / "monitor_the_fleet.rst").read_text(encoding="utf-8")

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"``{rule['alert']}``" in how_to


def test_prometheus_accepts_the_files() -> None:
    promtool = or_skip(lambda: find_program("promtool"))

    for command in (("rules", RULES), ("config", "--syntax-only", MONITORING / "prometheus.yml")):
        subprocess.run([promtool, "check", *command], check=True, capture_output=True)
