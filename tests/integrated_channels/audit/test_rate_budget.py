"""Rate limits: counted calls, the end of a window, and counts shared between workers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.rate_budget import CallBudget
from enterprise_catalog.integrated_channels.domain import RateLimit
from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError
from enterprise_catalog.integrated_channels.models import RunState, TransmissionAttempt
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.courses import Course
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

TWO_A_MINUTE = RateLimit(2, seconds=60)


def test_without_a_limit_there_is_always_a_call_left() -> None:
    budget = CallBudget()

    for _ in range(1_000):
        budget.spend(DAY_ONE)

    assert budget.left(DAY_ONE) is None


def test_a_call_too_many_is_refused_until_the_window_is_over() -> None:
    budget = CallBudget(limit=TWO_A_MINUTE)
    budget.spend(DAY_ONE)
    budget.spend(DAY_ONE + timedelta(seconds=20))

    with pytest.raises(BudgetSpentError) as caught:
        budget.spend(DAY_ONE + timedelta(seconds=25))

    assert caught.value.retry_after_seconds == 35
    assert budget.left(DAY_ONE + timedelta(seconds=59)) == 0
    assert budget.left(DAY_ONE + timedelta(seconds=60)) == 2


def test_a_clock_that_was_set_back_does_not_keep_the_window_open() -> None:
    budget = CallBudget(started_at=DAY_ONE, calls=2, limit=TWO_A_MINUTE)

    assert budget.left(DAY_ONE - timedelta(days=1)) == 2


@given(st.lists(st.floats(0, 200), max_size=50))
def test_no_window_holds_more_calls_than_the_limit(waits: list[float]) -> None:
    budget = CallBudget(limit=TWO_A_MINUTE)
    now, made = DAY_ONE, []
    for wait in waits:
        now += timedelta(seconds=wait)
        if budget.left(now) == 0:
            with pytest.raises(BudgetSpentError) as caught:
                budget.spend(now)
            assert 0 < (caught.value.retry_after_seconds or 0) <= 60
            continue
        budget.spend(now)
        assert budget.started_at is not None
        made.append((budget.started_at, now))

    for start, moment in made:
        assert start <= moment < start + timedelta(seconds=60)
        assert sum(of == start for of, _ in made) <= 2


@pytest.mark.django_db(transaction=True)
def test_a_run_ends_when_its_calls_are_spent_and_the_next_run_continues(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=25, customer=customer)
    configuration = configure(chunk_size=10, settings={"category_id": 1, "calls_per_minute": 2})

    first = run_of(configuration, clock)
    configuration.refresh_from_db()

    assert (first.state, first.counts, first.backlog) == (RunState.INCOMPLETE, {"create": {"done": 20}}, 5)
    assert first.reason.startswith("The LMS's rate limit is reached (calls: 2 in 60 seconds).")
    assert configuration.next_sync_at == clock.now + timedelta(seconds=60)

    too_early = run_of(configuration, clock)
    clock.forward(seconds=60)
    third = run_of(configuration, clock)

    assert (too_early.state, too_early.counts) == (RunState.INCOMPLETE, {})
    assert (third.state, third.counts) == (RunState.COMPLETE, {"create": {"done": 5}})
    assert moodle.calls.total() == 3
    assert not TransmissionAttempt.objects.exclude(outcome="done").exists()


@pytest.mark.django_db(transaction=True)
def test_a_successor_continues_with_the_number_of_calls_made(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(courses=5, customer=customer)
    configuration = configure(settings={"category_id": 1, "calls_per_minute": 10})
    run_of(configuration, clock)

    lease = leases.acquire(configuration.pk, now=clock.now)

    assert lease is not None
    assert (lease.budget.calls, lease.budget.started_at) == (1, clock.now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("calls_per_minute", [3, 5, 20])
def test_a_culprit_is_found_though_each_run_may_make_few_calls_only(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    calls_per_minute: int,
) -> None:
    moodle.table.add(Course(fullname="Taken", shortname="Course Culprit (Culprit)", categoryid=1))
    CatalogFactory.create(courses=7, content=["Culprit"], customer=customer)
    configuration = configure(chunk_size=8, settings={"category_id": 1, "calls_per_minute": calls_per_minute})

    runs = [run_of(configuration, clock)]
    while runs[-1].backlog:
        clock.forward(seconds=60)
        runs.append(run_of(configuration, clock))
        assert len(runs) < 20

    assert len(moodle.offered()) == 7 + 1
    assert row_of("Culprit").state == "rejected"
    assert moodle.calls.total() <= len(runs) * calls_per_minute


@pytest.mark.django_db(transaction=True)
def test_what_is_in_doubt_is_settled_though_it_takes_more_calls_than_a_run_may_make(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=16, customer=customer)
    configuration = configure(settings={"category_id": 1, "calls_per_minute": 5})
    moodle.faults.add(Fault(kind=FaultKind.DROP))
    runs = [run_of(configuration, clock)]

    while runs[-1].state != RunState.COMPLETE:
        clock.forward(minutes=10)
        runs.append(run_of(configuration, clock))
        assert len(runs) < 40

    assert len(moodle.courses) == len(moodle.offered()) == 16
