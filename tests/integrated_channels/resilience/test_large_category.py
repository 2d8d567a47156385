"""A category of 5,000 courses in a Moodle whose creates take time proportional to the size of the category.

The sandbox's calls move the test clock, which the engine uses to measure calls. No call may take as long as a real
call takes to time out. No item may then be in doubt, looked up or adopted.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit.pacing import AIM_SECONDS
from enterprise_catalog.integrated_channels.lms import client as lms_client
from enterprise_catalog.integrated_channels.models import RunState, SyncLease, TransmissionAttempt
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.web_service import CREATE, MoodleSandbox
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

#: Observed on Moodle 4.5.6.
SORT_SECONDS_PER_COURSE: Final = 0.0004
TIMEOUT_SECONDS: Final = 60.0
CATEGORY_SIZE: Final = 5_000
LOOK_UP: Final = "core_course_get_courses_by_field"
UPDATE: Final = "core_course_update_courses"


def prefill(moodle: MoodleSandbox, count: int) -> None:
    """Add courses of other users to the category."""
    for number in range(count):
        moodle.table.add(Course(shortname=f"Old {number}", fullname="Old", categoryid=1))


def sync_until_complete(configuration: ChannelConfiguration, clock: Clock, *, at_most: int = 20) -> int:
    """Sync until a run is complete. Return the number of runs."""
    for number in range(1, at_most + 1):
        run = sync(configuration, clock=clock)
        assert run is not None
        assert run.state in (RunState.COMPLETE, RunState.INCOMPLETE), run.reason
        if run.state == RunState.COMPLETE:
            return number
    pytest.fail(f"not complete after {at_most} runs")


def test_a_category_of_5000_courses_causes_no_timeout_and_no_look_up(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    report: Callable[[str], None],
    *,
    soak: bool,
) -> None:
    ours = CATEGORY_SIZE if soak else 600
    prefill(moodle, CATEGORY_SIZE - ours)
    durations: list[float] = []

    def take(seconds: float) -> None:
        durations.append(seconds)
        clock.forward(seconds=seconds)

    moodle.sort_seconds_per_course, moodle.sleep = SORT_SECONDS_PER_COURSE, take
    CatalogFactory.create(courses=ours, customer=customer)

    runs = sync_until_complete(configuration, clock)

    assert max(durations) < TIMEOUT_SECONDS / 2
    assert moodle.table.count_in_category(1) == CATEGORY_SIZE
    assert moodle.calls == {CREATE: len(durations)}  # No look-ups, updates or repeated calls.
    assert not TransmissionAttempt.objects.exclude(outcome="done").exists()
    assert TransmissionAttempt.objects.count() == ours
    # Once the batch size has adapted, calls take about ``AIM_SECONDS``.
    settled = durations[len(durations) // 2 : -1]
    assert AIM_SECONDS / 2 < sum(settled) / len(settled) < AIM_SECONDS * 1.2
    report(
        f"{ours:,} courses into a category that then has {CATEGORY_SIZE:,}: {len(durations)} calls in {runs} runs, "
        f"{sum(durations) / 60:.0f} minutes by the test clock; the longest call took {max(durations):.1f} s"
    )


def test_a_category_that_grew_behind_our_back_costs_one_timeout_and_no_course_twice(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    monkeypatch: pytest.MonkeyPatch,
    report: Callable[[str], None],
) -> None:
    # In real time: the timeout is 1 second instead of 60 seconds, and the first call takes 3 seconds.
    monkeypatch.setattr(lms_client, "TIMEOUT", httpx.Timeout(5, read=1))
    started = time.monotonic()
    naps = iter([3.0])
    moodle.sort_seconds_per_course, moodle.sleep = 1e-9, lambda _: time.sleep(next(naps, 0.0))
    moodle.lock_wait_seconds = 0.0  # Rejects a create at once while an earlier create is active.
    CatalogFactory.create(courses=150, customer=customer)
    SyncLease.objects.create(configuration=configuration, batch_sizes={"create": 60})

    run = sync(configuration, clock=timezone.now)

    assert run is not None
    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 150}})
    made = Counter(course["idnumber"] for course in moodle.courses)
    assert (len(made), set(made.values())) == (150, {1})
    assert not TransmissionAttempt.objects.exclude(outcome="done").exists()
    assert 60 < moodle.calls[LOOK_UP] <= 60 + 45  # One per course of the call, and the polls.
    assert moodle.calls[UPDATE] >= 1
    report(f"150 courses, one call of 60 timed out: {dict(moodle.calls)} in {time.monotonic() - started:.1f} s")
