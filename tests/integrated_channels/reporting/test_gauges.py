"""The gauges of the fleet: configurations, items, backlog, ages, workers, scheduler and queues."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Connection

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import decisions, heartbeats
from enterprise_catalog.integrated_channels.audit.bulk import insert
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Status,
    WorkerHeartbeat,
)
from enterprise_catalog.observability import metrics
from enterprise_catalog.observability.celery_metrics import queue_lengths
from enterprise_catalog.observability.metrics import fleet_metrics, forget_fleet
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.syncing import run_of
from tests.observability.metrics_page import gauge, samples, value_of
from tests.services import free_port

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from tests.integrated_channels.conftest import Clock

CONFIGURATIONS: Final = 5_000
ITEMS: Final = 5_000

pytestmark = pytest.mark.django_db(transaction=True)


def make_fleet(number: int) -> None:
    """Insert configurations with a status each; one in ten is due, and one in ten was stopped."""
    now = timezone.now()
    rows = [
        ChannelConfiguration(
            channel_code="MOODLE",
            enterprise_customer_uuid=UUID(int=position),
            credentials="",
            created_at=now,
            next_sync_at=now + timedelta(hours=1 if position % 10 else -1),
        )
        for position in range(number)
    ]
    insert(rows)
    statuses = [
        ConfigurationStatus(
            configuration=row,
            state=Status.UP_TO_DATE if position % 10 else Status.FAILING,
            rank=Status.UP_TO_DATE.rank if position % 10 else Status.FAILING.rank,
            stop_cause="" if position % 10 else "credentials",
            since=now,
            due_since=now,
        )
        for position, row in enumerate(rows)
    ]
    ConfigurationStatus.objects.bulk_create(statuses, batch_size=1_000)


def insert_items(configuration: ChannelConfiguration, number: int) -> None:
    """Insert items that are due."""
    now = timezone.now()
    insert(
        [
            ContentMetadataItemTransmission(
                configuration=configuration, content_key=f"K{position}", created_at=now, due_since=now
            )
            for position in range(number)
        ]
    )


def rows_read() -> int:
    """Return the number of rows that this connection has read so far."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
        return sum(int(value) for _, value in cursor.fetchall())


@pytest.fixture(autouse=True)
def _local_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the broker out; the tests of queues use real ones."""
    monkeypatch.delitem(metrics.SOURCES, "queues")


def test_configurations_and_items_are_counted_by_state(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A", "B", "L" * 101], customer=customer)
    run_of(configuration, clock)
    ConfigurationFactory.create()

    assert gauge("channels_configurations", channel="MOODLE", state="up_to_date_except") == 1
    assert gauge("channels_configurations", state="never_synced") == 1
    assert gauge("channels_configurations") == 2
    assert gauge("channels_items", channel="MOODLE", state="up_to_date") == 2
    assert gauge("channels_items", channel="MOODLE", state="rejected") == 1
    assert gauge("channels_backlog_items", channel="MOODLE") == 0


def test_each_channel_has_all_series_without_a_configuration() -> None:
    forget_fleet()
    found = [(each.name, tuple(each.labels.items())) for each in samples(fleet_metrics())]

    ConfigurationFactory.create()
    forget_fleet()

    assert [(each.name, tuple(each.labels.items())) for each in samples(fleet_metrics())] == found


def test_a_backlog_has_an_age(configuration: ChannelConfiguration) -> None:
    since = timezone.now() - timedelta(hours=2)
    ConfigurationStatus.objects.update(behind=3, failing=2, held=1, dead=1, kept=5, due_since=since)

    assert gauge("channels_backlog_items", channel=configuration.channel_code) == 7
    age = gauge("channels_oldest_due_item_age_seconds", channel=configuration.channel_code)
    assert age == pytest.approx(7_200, abs=60)


def test_stopped_configurations_are_counted_by_cause_unless_they_are_paused(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    ConfigurationStatus.objects.update(state="failing", stop_cause="credentials", due_since=clock.now)
    stopped = gauge("channels_configurations_stopped", channel="MOODLE", cause="credentials")

    decisions.pause(configuration, by="ada", now=clock.now, reason="Holidays.")

    assert stopped == 1
    assert gauge("channels_configurations_stopped") == 0
    assert gauge("channels_oldest_due_item_age_seconds") == 0


def test_due_configurations_are_counted(configuration: ChannelConfiguration) -> None:
    now = timezone.now()
    ChannelConfiguration.objects.update(next_sync_at=now - timedelta(minutes=10))
    ConfigurationFactory.create(next_sync_at=now + timedelta(hours=1))
    ConfigurationFactory.create(next_sync_at=None)

    assert gauge("channels_configurations_due") == 2
    assert gauge("channels_oldest_due_configuration_age_seconds") == pytest.approx(600, abs=60)
    assert configuration.active


def test_queued_syncs_have_an_age(configuration: ChannelConfiguration) -> None:
    since = timezone.now() - timedelta(minutes=5)
    ChannelConfiguration.objects.update(queue="changes", queued_at=since)
    ConfigurationFactory.create()

    assert gauge("channels_queued_syncs", queue="changes") == 1
    assert gauge("channels_queued_syncs") == 1
    assert gauge("channels_oldest_queued_sync_age_seconds", queue="changes") == pytest.approx(300, abs=60)
    assert configuration.active


def test_silent_workers_do_not_count() -> None:
    now = timezone.now()
    heartbeats.beat("celery@one", now=now)
    heartbeats.beat("celery@two", now=now - timedelta(minutes=3))

    assert gauge("channels_workers") == 1


def test_the_scheduler_has_no_age_if_its_schedule_is_disabled() -> None:
    schedule = PeriodicTask.objects.filter(task=heartbeats.SCHEDULED_TASK)
    schedule.update(last_run_at=timezone.now() - timedelta(minutes=20))
    late = gauge("channels_scheduler_tick_age_seconds")
    schedule.update(enabled=False)
    forget_fleet()

    assert late == pytest.approx(1_200, abs=60)
    assert b"\nchannels_scheduler_tick_age_seconds " not in fleet_metrics()


def test_an_unreadable_source_hides_no_other_one() -> None:
    with patch.object(WorkerHeartbeat.objects, "filter", autospec=True, side_effect=DatabaseError):
        forget_fleet()
        page = fleet_metrics()

    assert value_of(page, "metrics_source_up", source="channels") == 0
    assert value_of(page, "metrics_source_up", source="refreshes") == 1
    assert b"catalog_refreshes_held" in page


def test_a_page_within_some_seconds_reads_nothing() -> None:
    forget_fleet()
    fleet_metrics()

    with CaptureQueriesContext(connection) as queries:
        fleet_metrics()

    assert not queries.captured_queries


# --- queues ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 3])
def test_the_length_of_a_queue_comes_from_the_broker(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    broker = f"{redis_url.rpartition('/')[0]}/{9 + number}"
    monkeypatch.setattr(app.conf, "broker_read_url", broker)
    monkeypatch.setitem(metrics.SOURCES, "queues", queue_lengths)
    with Connection(broker) as to_broker:
        for _ in range(number):
            app.send_task("sync_configuration", (1,), connection=to_broker)

        assert gauge("celery_queue_length") == number
    assert gauge("metrics_source_up", source="queues") == 1


def test_an_unreachable_broker_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_read_url", f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setitem(metrics.SOURCES, "queues", queue_lengths)

    assert gauge("metrics_source_up", source="queues") == 0
    assert gauge("metrics_source_up", source="channels") == 1


# --- cost -----------------------------------------------------------------------------------------------------------


@pytest.mark.only_on("mariadb")
def test_the_gauges_read_three_rows_per_configuration_and_no_items() -> None:
    make_fleet(CONFIGURATIONS)
    [first] = ChannelConfiguration.objects.all()[:1]
    insert_items(first, ITEMS)
    forget_fleet()
    before = rows_read()

    with CaptureQueriesContext(connection) as queries:
        fleet_metrics()

    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) == 7
    # A status, its configuration, and its group in a temporary table.
    assert rows_read() - before < 3 * CONFIGURATIONS + 1_000
