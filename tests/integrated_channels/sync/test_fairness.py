"""Work left over by a run: its order in the next run, its rows, and the backlog figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import Accounts
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState
from enterprise_catalog.sandbox.faults import Fault, FaultKind, FaultQueue
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def accounts_of(configuration: ChannelConfiguration) -> Accounts:
    return ContentMetadataItemTransmission.objects.of(configuration).accounts()


def test_what_is_left_over_is_sent_before_what_was_found_later(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    """With one chunk per run and a new delete before each run, creates and updates still get their turn."""
    old = CourseFactory.numbered(20, prefix="Old")
    catalog = CatalogFactory.create(content=old, customer=customer)
    configuration = configure(delete_limit_percent=100)
    run_of(configuration, clock)
    configuration.chunk_size, configuration.max_chunks_per_run = 1, 1
    configuration.save()
    fresh = [CourseFactory.build(key="A new one")]
    changed = [{**old[19], "title": "Changed"}]
    actions = []

    for gone in range(1, 7):
        clock.forward(hours=1)
        import_into(catalog, [*old[gone:19], *changed, *fresh], now=clock.now, replace=True)
        actions += run_of(configuration, clock).counts

    assert actions[:3] == ["delete", "create", "update"]
    assert set(actions[3:]) == {"delete"}
    assert moodle.offered().keys() == {row["key"] for row in [*old[6:], *fresh]} | {"Old000004", "Old000005"}


def test_consecutive_runs_finish_the_work_and_nothing_is_due_any_more(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=30, customer=customer)
    configuration = configure(chunk_size=5, max_chunks_per_run=2, delete_limit_percent=100)
    runs = [run_of(configuration, clock) for _ in range(3)]
    changed = [{**course, "title": "New"} for course in CourseFactory.numbered(10)]
    import_into(catalog, [*changed, *CourseFactory.numbered(10, prefix="More")], now=clock.now, replace=True)

    while (run := run_of(configuration, clock)).state != RunState.COMPLETE:
        runs.append(run)
        assert len(runs) < 20

    assert moodle.offered().keys() == {
        course["key"] for course in [*changed, *CourseFactory.numbered(10, prefix="More")]
    }
    assert accounts_of(configuration) == Accounts(0, None, 0, None)


def test_a_run_ends_before_a_chunk_that_its_time_limit_would_cut_off(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    settings: Settings,
) -> None:
    settings.SYNC_RUN_SECONDS = 35
    CatalogFactory.create(courses=8, customer=customer)
    configuration = configure(chunk_size=2)
    moodle.faults = FaultQueue(sleep=lambda seconds: clock.forward(seconds=seconds))
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses", times=None, delay_seconds=10))

    runs = [run_of(configuration, clock) for _ in range(2)]

    assert [(run.state, run.counts) for run in runs] == [
        (RunState.INCOMPLETE, {"create": {"done": 4}}),
        (RunState.COMPLETE, {"create": {"done": 4}}),
    ]
    assert moodle.calls == {"core_course_create_courses": 4}


def test_an_update_that_is_left_over_is_due_since_the_run_that_found_it(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=2, customer=customer)
    configuration = configure(chunk_size=1)
    run_of(configuration, clock)
    configuration.max_chunks_per_run = 1
    configuration.save()
    clock.forward(hours=1)
    found_at = clock.now
    import_into(catalog, [{**course, "title": "New"} for course in CourseFactory.numbered(2)], now=clock.now)

    run_of(configuration, clock)

    [first, second] = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert (first.due_since, second.due_since) == (None, found_at)
    assert accounts_of(configuration) == Accounts(1, found_at, 0, None)


def test_a_change_that_is_taken_back_before_its_turn_is_due_no_more(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(delete_limit_percent=100, chunk_size=1)
    run_of(configuration, clock)
    configuration.max_chunks_per_run = 1
    configuration.save()
    import_into(catalog, CourseFactory.numbered(1), now=clock.now, replace=True)
    run_of(configuration, clock)
    import_into(catalog, [CourseFactory.numbered(3)[0], CourseFactory.numbered(3)[2]], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    # Re-adding a course creates a new membership; the catalog does not keep the old time of change.
    assert run.state == RunState.COMPLETE
    assert accounts_of(configuration) == Accounts(0, None, 0, None)
    assert moodle.offered().keys() == {"Northwind+C000000", "Northwind+C000002"}


def test_dead_credentials_stop_the_run_and_unsent_rows_have_the_reason(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=6, customer=customer)
    configuration = configure(chunk_size=2)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, status=401, body="who are you?", skip=1, times=None))

    run = run_of(configuration, clock)

    assert (run.state, run.counts, run.backlog) == (RunState.STOPPED, {"create": {"done": 2, "skipped": 2}}, 4)
    reasons = set(ContentMetadataItemTransmission.objects.filter(state="pending").values_list("reason", flat=True))
    message = "Moodle returned 401: web services or the REST protocol are disabled. Enable both."
    assert reasons == {f"Not sent: {message}"}
    assert accounts_of(configuration) == Accounts(4, clock.now, 0, None)


def test_accounts_contain_since_when_items_fail(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A", title=None)], customer=customer)
    first_failed_at = clock.now
    run_of(configuration, clock)
    clock.forward(days=2)
    run_of(configuration, clock)

    assert row_of("A").attempts == 2
    assert accounts_of(configuration) == Accounts(0, None, 1, first_failed_at)

    import_into(catalog, ["A"], now=clock.now)
    run_of(configuration, clock)

    assert accounts_of(configuration) == Accounts(0, None, 0, None)
    assert list(moodle.offered()) == ["A"]
