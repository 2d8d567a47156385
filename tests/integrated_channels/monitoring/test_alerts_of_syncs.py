"""Each alert about syncs and refreshes fires with its cause, and all others stay silent.

A real Prometheus scrapes the real page and evaluates the rules that are delivered, without their delays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from django.utils import timezone

from enterprise_catalog.catalog.models import RefreshState
from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Status,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox
from tests.catalog.discovery.refreshes import discovery_query, refreshed
from tests.factories.catalog import CourseFactory, import_into
from tests.integrated_channels.monitoring.conftest import run
from tests.integrated_channels.monitoring.prometheus import assert_fires
from tests.open_edx import course, serving_open_edx
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.monitoring.prometheus import Prometheus

    Watch = Callable[..., Prometheus]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("sqlite"),
    pytest.mark.long,
    pytest.mark.slow,
]

CREATE: Final = "core_course_create_courses"


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
