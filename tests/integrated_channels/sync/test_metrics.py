"""The metrics of runs: what a process counts of attempts, calls, freshness, pauses and takeovers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.audit import leases, runs
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of
from tests.observability.metrics_page import Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

CREATE = "core_course_create_courses"


def test_a_run_counts_its_attempts_and_calls(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    configuration = configure(chunk_size=1)
    CatalogFactory.create(content=["A", "B", "L" * 101], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=503))
    counts = Counts()

    run_of(configuration, clock)

    attempts = "channels_attempts_total"
    assert counts.of(attempts, channel="MOODLE", action="create", outcome="done", status="none") == 1
    assert counts.of(attempts, channel="MOODLE", action="create", outcome="retry", status="5xx") == 1
    assert counts.of(attempts, channel="MOODLE", action="create", outcome="rejected", status="none") == 1
    assert counts.of(attempts) == 3
    assert counts.of("channels_run_duration_seconds_count", channel="MOODLE", state="incomplete") == 1
    assert counts.of("channels_call_duration_seconds_count", channel="MOODLE", status="5xx") == 1
    assert counts.of("channels_call_duration_seconds_count", channel="MOODLE", status="2xx") > 0


def test_freshness_is_the_time_from_the_change_to_the_confirmation(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=3, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    [first, *_] = CourseFactory.keys(3)
    import_into(catalog, [CourseFactory.build(key=first, title="New")], now=clock.now)
    counts = Counts()
    clock.forward(seconds=20)

    run_of(configuration, clock)

    assert counts.of("channels_freshness_seconds_sum", channel="MOODLE") == pytest.approx(20)
    buckets = [counts.of("channels_freshness_seconds_bucket", le=le) for le in ("15.0", "30.0", "+Inf")]
    assert buckets == [0, 1, 1]


@pytest.mark.parametrize(
    ("status", "cause", "seconds"),
    [(429, "throttled", 60), (401, "credentials", 0)],
    ids=["a rate limit", "rejected credentials"],
)
def test_a_run_counts_why_it_stopped_and_its_pause(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    status: int,
    cause: str,
    seconds: float,
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=status))
    counts = Counts()

    run_of(configuration, clock)

    assert counts.of("channels_run_duration_seconds_count", channel="MOODLE", state="stopped") == 1
    assert counts.of("channels_call_duration_seconds_count", channel="MOODLE", status="4xx") == 1
    assert counts.of("channels_pause_seconds_sum", channel="MOODLE", cause=cause) == seconds


def test_a_takeover_from_a_dead_worker_is_counted(configuration: ChannelConfiguration, clock: Clock) -> None:
    leases.acquire(configuration.pk, now=clock.now)
    runs.start_run(configuration, now=clock.now)
    clock.forward(minutes=6)
    counts = Counts()

    run_of(configuration, clock)
    run_of(configuration, clock)

    assert counts.of("channels_lease_takeovers_total", channel="MOODLE") == 1
