"""Leases: at most one run per configuration, and a run that was taken over writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from enterprise_catalog.integrated_channels.audit import attempts, leases, runs
from enterprise_catalog.integrated_channels.domain import Action
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError
from enterprise_catalog.integrated_channels.models import RunState, SyncLease, SyncRun
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

LEASE_MINUTES = leases.LEASE_DURATION.total_seconds() / 60


def test_a_run_that_finds_the_lease_taken_does_nothing(configuration: ChannelConfiguration, clock: Clock) -> None:
    leases.acquire(configuration.pk, now=clock.now)

    assert sync(configuration, clock=clock) is None
    assert not SyncRun.objects.exists()


def test_a_run_gives_its_lease_back(configuration: ChannelConfiguration, clock: Clock) -> None:
    run_of(configuration, clock)

    assert SyncLease.objects.get().expires_at is None


def test_a_lease_that_expired_is_taken_over_with_a_higher_token(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    first = leases.acquire(configuration.pk, now=clock.now)
    clock.forward(minutes=LEASE_MINUTES)

    second = leases.acquire(configuration.pk, now=clock.now)

    assert first is not None
    assert second is not None
    assert second.token == first.token + 1


def test_a_worker_frozen_while_taking_the_lease_does_not_get_its_successors_lease(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run_of(configuration, clock)
    later = clock.now + leases.LEASE_DURATION
    successors: list[leases.Lease | None] = []
    is_frozen = iter([True])

    def freeze(execute: Callable[..., object], sql: str, *rest: object) -> object:
        """Let another worker take over the lease right after the first statement."""
        result = execute(sql, *rest)
        if next(is_frozen, False):
            successors.append(leases.acquire(configuration.pk, now=later))
        return result

    with connection.execute_wrapper(freeze):
        late = leases.acquire(configuration.pk, now=clock.now)

    assert late is None
    assert [lease is not None for lease in successors] == [True]


def test_a_late_holder_can_neither_renew_nor_release(configuration: ChannelConfiguration, clock: Clock) -> None:
    late = leases.acquire(configuration.pk, now=clock.now)
    clock.forward(minutes=LEASE_MINUTES)
    leases.acquire(configuration.pk, now=clock.now)
    assert late is not None

    with pytest.raises(LeaseLostError):
        leases.release(late)
    with pytest.raises(LeaseLostError):
        leases.renew(late, now=clock.now)
    assert leases.acquire(configuration.pk, now=clock.now) is None


def test_a_run_that_was_taken_over_while_it_sent_writes_nothing_more(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=2, customer=customer)
    configuration = configure(chunk_size=1)
    calls = iter(range(100))

    def late_clock() -> datetime:
        """Let another worker take over while the first chunk is being sent."""
        if next(calls) == 6:
            clock.forward(minutes=LEASE_MINUTES)
            assert sync(configuration, clock=clock) is not None
        return clock.now

    late = sync(configuration, clock=late_clock)

    assert late is not None
    assert late.state == RunState.ABANDONED
    assert [run.state for run in SyncRun.objects.order_by("pk")] == [RunState.ABANDONED, RunState.COMPLETE]
    assert len(moodle.courses) == 2


def test_what_a_dead_run_had_in_flight_is_in_doubt_and_settled_by_the_next(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    lease = leases.acquire(configuration.pk, now=clock.now)
    assert lease is not None
    dead = runs.start_run(configuration, now=clock.now)
    attempts.open_attempts(dead, [(Action.UPDATE, row_of("A"))], {}, lease=lease, now=clock.now)
    clock.forward(minutes=LEASE_MINUTES)

    run = run_of(configuration, clock)

    dead.refresh_from_db()
    assert (dead.state, dead.finished_at) == (RunState.ABANDONED, clock.now)
    assert dead.attempts.get().outcome == "in_doubt"
    assert (run.state, run.counts) == (RunState.COMPLETE, {"update": {"done": 1}})
    assert row_of("A").state == "transmitted"


def a_run_that_leaves_its_creates_in_doubt(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    """Leave creates in doubt. The next run makes one look-up per item before it creates the items."""
    moodle.faults.add(Fault(kind=FaultKind.REFUSE))
    run_of(configuration, clock)
    clock.forward(hours=1)
    moodle.calls.clear()


def test_a_chunk_that_takes_longer_than_the_lease_keeps_it(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=4, customer=customer)
    a_run_that_leaves_its_creates_in_doubt(configuration, moodle, clock)
    others = []

    def slow(_: float) -> None:
        """Use up most of the lease in each call. Then another worker tries to take over."""
        clock.forward(minutes=LEASE_MINUTES * 0.9)
        others.append(leases.acquire(configuration.pk, now=clock.now))
        connection.close()  # Runs in the sandbox's thread.

    moodle.faults.sleep = slow
    moodle.faults.add(Fault(kind=FaultKind.DELAY, times=None))

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 4}})
    assert others == [None] * 5


def test_a_worker_that_was_taken_over_makes_no_further_call(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=4, customer=customer)
    a_run_that_leaves_its_creates_in_doubt(configuration, moodle, clock)

    def frozen(_: float) -> None:
        """Sleep past the end of the lease. Another worker takes over."""
        clock.forward(minutes=LEASE_MINUTES)
        leases.acquire(configuration.pk, now=clock.now)
        connection.close()  # Runs in the sandbox's thread.

    moodle.faults.sleep = frozen
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_get_courses_by_field"))

    run_of(configuration, clock)

    assert moodle.calls == {"core_course_get_courses_by_field": 1}


def test_an_item_that_came_back_in_a_dead_run_and_left_again_is_hidden(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["B"], replace=True)
    run_of(configuration, clock)
    lease = leases.acquire(configuration.pk, now=clock.now)
    assert lease is not None
    dead = runs.start_run(configuration, now=clock.now)
    attempts.open_attempts(dead, [(Action.CREATE, row_of("A"))], {}, lease=lease, now=clock.now)
    [course] = moodle.table.with_idnumber("A")
    moodle.table.change(replace(course, visible=1))  # The LMS carried out the dead run's call.
    clock.forward(minutes=LEASE_MINUTES)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 1}})
    assert list(moodle.offered()) == ["B"]
