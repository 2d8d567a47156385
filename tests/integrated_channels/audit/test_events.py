"""Events that users are notified of: opened and resolved by runs, and by the periodic check."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.access.credentials import encrypt
from enterprise_catalog.integrated_channels.audit import decisions, events, status
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Notification,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, import_into
from tests.factories.channels import ConfigurationFactory, NotificationFactory, TransmissionFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> list[tuple[str, str]]:
    """Return kind and resolution of each event, oldest first; the resolution of an open one is empty."""
    return list(Notification.objects.order_by("pk").values_list("kind", "resolution"))


def refresh(configuration: ChannelConfiguration, clock: Clock) -> None:
    """Write the status of the configuration from the rows of its items."""
    with transaction.atomic():
        status.refresh([configuration.pk], now=clock.now)


def announce_all(clock: Clock) -> None:
    """Mark all events as announced."""
    Notification.objects.update(announced_at=clock.now, next_step_at=None)


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    return CatalogFactory.create(courses=4, customer=customer)


@pytest.fixture
def synced(configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock) -> ChannelConfiguration:
    """A configuration that is up to date; a new course is in the catalog."""
    run_of(configuration, clock)
    clock.forward(minutes=1)
    import_into(catalog, ["New"], now=clock.now)
    return configuration


def break_credentials(configuration: ChannelConfiguration) -> str:
    """Replace the credentials by wrong ones; return the correct ones, encrypted."""
    correct = configuration.credentials
    configuration.credentials = encrypt({"token": "wrong"})
    configuration.save()
    return correct


def test_rejected_credentials_are_one_event_until_a_run_goes_on(synced: ChannelConfiguration, clock: Clock) -> None:
    correct = break_credentials(synced)
    for _ in range(3):
        run_of(synced, clock)
        clock.forward(hours=1)
    [event] = Notification.objects.all()
    assert (event.kind, event.is_open, event.next_step_at) == ("stopped", True, event.opened_at)
    assert "token" in event.reason.lower()

    announce_all(clock)
    synced.credentials = correct
    synced.save()
    run_of(synced, clock)

    event.refresh_from_db()
    assert (event.resolution, event.resolved_at, event.next_step_at) == ("recovered", clock.now, clock.now)


def test_an_outage_is_announced_after_the_set_time_and_a_short_one_never(
    synced: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, settings: Settings
) -> None:
    settings.NOTIFY_OUTAGE_MINUTES = 45
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, times=None))
    run_of(synced, clock)
    [event] = Notification.objects.all()
    assert (event.kind, event.next_step_at) == ("unreachable", clock.now + timedelta(minutes=45))

    moodle.faults.clear()
    clock.forward(minutes=30)
    run_of(synced, clock)

    event.refresh_from_db()
    assert (event.resolution, event.next_step_at) == ("recovered", None)


def test_credentials_that_are_rejected_after_an_outage_replace_its_event(
    synced: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, times=None))
    run_of(synced, clock)
    announce_all(clock)
    moodle.faults.clear()
    break_credentials(synced)
    clock.forward(hours=1)
    run_of(synced, clock)

    assert found() == [("unreachable", "replaced"), ("stopped", "")]
    assert Notification.objects.get(kind="unreachable").next_step_at is None

    moodle.faults.add(Fault(kind=FaultKind.ANSWER, times=None))
    run_of(synced, clock)

    assert found() == [("unreachable", "replaced"), ("stopped", "")]


def test_a_rate_limit_neither_begins_nor_ends_an_event(
    synced: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    limit = Fault(kind=FaultKind.ANSWER, times=None, status=429)
    moodle.faults.add(limit)
    run_of(synced, clock)
    assert found() == []

    moodle.faults.set([Fault(kind=FaultKind.ANSWER, times=None)])
    clock.forward(hours=1)
    run_of(synced, clock)
    moodle.faults.set([limit])
    clock.forward(hours=1)
    run_of(synced, clock)

    assert found() == [("unreachable", "")]


@pytest.fixture
def holding(
    configure: Callable[..., ChannelConfiguration], catalog: EnterpriseCatalog, clock: Clock
) -> ChannelConfiguration:
    """A configuration with four held deletes."""
    configuration = configure(delete_limit_items=1, delete_limit_percent=20)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, ["New"], now=clock.now, replace=True)
    run_of(configuration, clock)
    return configuration


def test_held_deletes_are_an_event_that_ends_with_the_decision(holding: ChannelConfiguration, clock: Clock) -> None:
    [event] = Notification.objects.all()
    assert (event.kind, event.items, event.next_step_at) == ("held", 4, clock.now)
    announce_all(clock)
    run_of(holding, clock)
    events.check(now=clock.now)
    assert found() == [("held", "")]

    held = ContentMetadataItemTransmission.objects.of(holding).held()
    decisions.decide_deletes(held, approved=False, by="ada", now=clock.now)
    events.check(now=clock.now)

    event.refresh_from_db()
    assert (event.resolution, event.next_step_at) == ("recovered", clock.now)


def test_a_paused_configuration_ends_its_events_silently(holding: ChannelConfiguration, clock: Clock) -> None:
    announce_all(clock)
    decisions.pause(holding, by="ada", now=clock.now, reason="Moving.")

    events.check(now=clock.now)

    assert found() == [("held", "paused")]
    assert Notification.objects.get().next_step_at is None


def test_a_configuration_that_no_worker_syncs_is_late_until_a_run_ends(
    synced: ChannelConfiguration, clock: Clock, settings: Settings
) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 120
    clock.forward(hours=1)
    ChannelConfiguration.objects.update(next_sync_at=clock.now)
    clock.forward(hours=1)
    events.check(now=clock.now)
    assert found() == []
    clock.forward(hours=2)
    for _ in range(2):
        events.check(now=clock.now)
    assert found() == [("late", "")]

    run_of(synced, clock)
    events.check(now=clock.now)

    assert found() == [("late", "recovered")]


def test_an_item_that_fails_for_longer_than_the_goal_makes_its_configuration_late(
    clock: Clock, settings: Settings
) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 120
    row = TransmissionFactory.create(retrying=True, due_since=clock.now)
    configuration = row.configuration
    for hours in (2, 1):
        clock.forward(hours=hours)
        ChannelConfiguration.objects.update(next_sync_at=clock.now)
        assert found() == []
        refresh(configuration, clock)
        events.check(now=clock.now)
    assert found() == [("late", "")]

    row.state, row.due_since = State.TRANSMITTED, None
    row.save()
    refresh(configuration, clock)
    events.check(now=clock.now)

    assert found() == [("late", "recovered")]


@pytest.mark.parametrize(("goal", "minutes"), [(30, 30), (None, 120), (240, 240)])
def test_a_configuration_has_a_freshness_goal_of_its_own(
    clock: Clock, settings: Settings, goal: int | None, minutes: int
) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 120
    configuration = ConfigurationFactory.create(freshness_goal_minutes=goal, next_sync_at=clock.now)
    clock.forward(minutes=minutes)
    events.check(now=clock.now)
    assert found() == []

    clock.forward(seconds=1)
    events.check(now=clock.now)
    assert found() == [("late", "")]

    configuration.freshness_goal_minutes = minutes + 1
    configuration.save()
    events.check(now=clock.now)
    assert found() == [("late", "recovered")]


@pytest.mark.parametrize(("goal", "expected"), [(30, "late"), (None, ""), (240, "")])
def test_items_that_fail_are_measured_by_the_goal_of_their_configuration(
    clock: Clock, settings: Settings, goal: int | None, expected: str
) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 120
    row = TransmissionFactory.create(retrying=True, due_since=clock.now)
    clock.forward(hours=1)
    ChannelConfiguration.objects.update(freshness_goal_minutes=goal, next_sync_at=clock.now)
    refresh(row.configuration, clock)

    events.check(now=clock.now)

    assert found() == ([(expected, "")] if expected else [])


@pytest.mark.parametrize(("goal", "resolution"), [(30, ""), (None, ""), (240, "recovered")])
def test_a_run_ends_lateness_by_the_goal_of_its_configuration(
    clock: Clock, settings: Settings, goal: int | None, resolution: str
) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 45
    configuration = ConfigurationFactory.create(freshness_goal_minutes=goal)
    NotificationFactory.create(configuration=configuration, kind="late")
    end = events.RunEnd(
        state="complete",
        stop_cause="",
        reason="",
        outcomes={"done", "retry"},
        failing=1,
        held=0,
        due_since=clock.now - timedelta(hours=1),
    )

    events.record_run(configuration.pk, end, now=clock.now)

    assert found() == [("late", resolution)]


def test_a_stopped_configuration_is_not_reported_as_late_too(synced: ChannelConfiguration, clock: Clock) -> None:
    break_credentials(synced)
    run_of(synced, clock)
    clock.forward(days=3)

    events.check(now=clock.now)

    assert found() == [("stopped", "")]


def test_the_end_of_a_healthy_run_reads_no_events(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock
) -> None:
    del catalog
    run_of(configuration, clock)
    clock.forward(hours=1)

    with CaptureQueriesContext(connection) as statements:
        run_of(configuration, clock)

    table = Notification._meta.db_table
    assert [each["sql"] for each in statements if table in each["sql"]] == []


@pytest.mark.django_db
def test_a_check_of_a_healthy_fleet_takes_three_statements_however_large_it_is(clock: Clock) -> None:
    taken = []
    for number in (1, 20):
        for _ in range(number):
            ConfigurationFactory.create(next_sync_at=clock.now)
        with CaptureQueriesContext(connection) as statements:
            events.check(now=clock.now)
        taken.append(len(statements))

    assert taken == [3, 3]


@pytest.mark.django_db
def test_a_check_that_finds_many_late_configurations_takes_few_statements(clock: Clock) -> None:
    for _ in range(50):
        ConfigurationFactory.create(next_sync_at=clock.now)
    clock.forward(days=1)

    with CaptureQueriesContext(connection) as statements:
        events.check(now=clock.now)

    assert Notification.objects.count() == 50
    assert len(statements) <= 10
