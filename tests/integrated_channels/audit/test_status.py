"""The status of a configuration after runs and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from enterprise_catalog.integrated_channels.access.configurations import save_configuration
from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.audit import decisions, leases, runs, status
from enterprise_catalog.integrated_channels.models import (
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    RunState,
    Status,
)
from enterprise_catalog.integrated_channels.sync import engine
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.run import Run
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = "core_course_create_courses"


def status_of(configuration: ChannelConfiguration) -> ConfigurationStatus:
    """Return the configuration's status; its rank must be that of its state."""
    row = ConfigurationStatus.objects.get(configuration=configuration)
    assert row.rank == Status(row.state).rank
    return row


def test_a_new_configuration_was_never_synced(configuration: ChannelConfiguration) -> None:
    assert status_of(configuration).state == Status.NEVER_SYNCED


def test_after_a_complete_run_a_configuration_is_up_to_date_since_then(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    began = clock.now
    clock.forward(hours=1)
    run_of(configuration, clock)

    found = status_of(configuration)

    assert (found.state, found.since, found.last_run_at) == (Status.UP_TO_DATE, began, clock.now)
    assert (found.compared_at, found.matched, found.customer_name) == (clock.now, 1, customer.name)
    configuration.refresh_from_db()
    assert found.next_sync_at == configuration.next_sync_at


def test_rejected_items_are_exceptions(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A", "L" * 101], customer=customer)
    run_of(configuration, clock)

    found = status_of(configuration)

    assert (found.state, found.rejected) == (Status.UP_TO_DATE_EXCEPT, 1)
    assert found.reason == "1 item is rejected."


def test_a_configuration_with_mostly_rejected_items_is_failing(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A", "K" * 101, "L" * 101], customer=customer)
    run_of(configuration, clock)

    assert status_of(configuration).state == Status.FAILING


@pytest.mark.parametrize(
    ("fault", "state"),
    [({"status": 503}, Status.FAILING), ({"status": 401}, Status.FAILING), ({"status": 429}, Status.BEHIND)],
    ids=["a failed item", "a stopped run", "a rate limit"],
)
def test_failures_and_rate_limits_differ(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    fault: dict[str, Any],
    state: Status,
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, **fault))

    run_of(configuration, clock)

    assert status_of(configuration).state == state


def test_the_cause_of_a_stop_is_kept_until_a_run_reaches_its_end(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=401))
    run_of(configuration, clock)
    stopped = status_of(configuration)
    clock.forward(hours=1)

    run_of(configuration, clock)

    assert (stopped.stop_cause, status_of(configuration).stop_cause) == ("credentials", "")


def test_the_item_that_waits_longest_is_due_since_its_change(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    configuration = configure(chunk_size=1)
    CatalogFactory.create(content=["A", "L" * 101], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=2))
    run_of(configuration, clock)
    first = clock.now
    clock.forward(hours=1)
    run_of(configuration, clock)
    waiting = status_of(configuration)
    clock.forward(hours=4)

    run_of(configuration, clock)

    assert (waiting.failing, waiting.rejected, waiting.due_since) == (1, 1, first)
    assert (status_of(configuration).rejected, status_of(configuration).due_since) == (1, None)


def test_items_left_over_make_a_configuration_behind(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> None:
    configuration = configure(chunk_size=1, max_chunks_per_run=1)
    CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)

    found = status_of(configuration)

    assert (found.state, found.behind) == (Status.BEHIND, 1)


@pytest.fixture
def emptied(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> ChannelConfiguration:
    """A configuration whose catalog was emptied after a run; the deletes are held."""
    configuration = configure()
    catalog = CatalogFactory.create(courses=10, customer=customer)
    run_of(configuration, clock)
    import_into(catalog, [], now=clock.now, replace=True)
    run_of(configuration, clock)
    return configuration


def test_held_deletes_need_a_decision(emptied: ChannelConfiguration) -> None:
    found = status_of(emptied)

    assert (found.state, found.held) == (Status.NEEDS_DECISION, 10)
    assert found.reason == "10 deletes exceed this configuration's limit and are waiting for approval."


@pytest.mark.parametrize(("approved", "counts"), [(True, (0, 10, 0)), (False, (0, 0, 10))])
def test_a_decision_changes_the_status_at_once(
    emptied: ChannelConfiguration, clock: Clock, counts: tuple[int, int, int], *, approved: bool
) -> None:
    decisions.decide_deletes(emptied.transmissions.all(), approved=approved, by="operator", now=clock.now)

    found = status_of(emptied)
    assert found.state == Status.BEHIND  # Until the next run.
    assert (found.held, found.behind, found.kept) == counts


def test_a_dead_letter_needs_a_decision_until_it_is_queued_again(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=2))
    run_of(configuration, clock)
    ContentMetadataItemTransmission.objects.update(attempts=9, next_attempt_at=clock.now)
    run_of(configuration, clock)
    found = status_of(configuration)

    call_command("queue_again", configuration=configuration.pk)

    assert (found.state, found.dead) == (Status.NEEDS_DECISION, 1)
    assert (status_of(configuration).state, status_of(configuration).dead) == (Status.BEHIND, 0)


def test_an_inactive_configuration_is_paused_and_has_no_next_sync(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run_of(configuration, clock)
    configuration.active = False
    save_configuration(configuration, ["active"])
    paused = status_of(configuration)
    configuration.active = True
    save_configuration(configuration, ["active"])

    assert (paused.state, paused.next_sync_at) == (Status.PAUSED, None)
    assert status_of(configuration).state == Status.UP_TO_DATE


@pytest.fixture
def at_the_end_of_a_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that sets what users do after a run has done its work, before it writes its end."""

    def set_interruption(act: Callable[[], object]) -> None:
        def end(run: Run, *result: Any) -> None:
            act()
            write_end(run, *result)

        monkeypatch.setattr(engine, "_end", end)

    write_end = engine._end
    return set_interruption


def test_a_pause_during_a_run_keeps_the_result_of_the_run(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    clock: Clock,
    at_the_end_of_a_run: Callable[[Callable[[], object]], None],
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    at_the_end_of_a_run(lambda: decisions.pause(configuration, by="ada", now=clock(), reason="Holidays."))

    run = run_of(configuration, clock)

    found = status_of(configuration)
    assert (found.state, found.next_sync_at) == (Status.PAUSED, None)
    assert (found.run_state, found.last_run_at, found.matched) == (RunState.COMPLETE, run.finished_at, 1)


def test_a_configuration_that_is_deleted_during_a_run_gets_no_status(
    configuration: ChannelConfiguration, clock: Clock, at_the_end_of_a_run: Callable[[Callable[[], object]], None]
) -> None:
    at_the_end_of_a_run(lambda: delete_configuration(configuration, by="ada", now=clock()))

    run_of(configuration, clock)

    assert not ConfigurationStatus.objects.exists()


def test_items_that_are_decided_at_the_end_of_a_run_are_counted_as_decided(
    emptied: ChannelConfiguration, clock: Clock, at_the_end_of_a_run: Callable[[Callable[[], object]], None]
) -> None:
    held = emptied.transmissions.held()
    at_the_end_of_a_run(lambda: decisions.decide_deletes(held, approved=False, by="ada", now=clock()))

    run_of(emptied, clock)

    found = status_of(emptied)
    assert (found.state, found.held, found.kept) == (Status.BEHIND, 0, 10)  # Behind until the next run.


def test_the_death_of_a_worker_shows_its_items_as_behind(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    ContentMetadataItemTransmission.objects.update(state="pending", due_since=clock.now)
    leases.acquire(configuration.pk, now=clock.now)
    runs.start_run(configuration, now=clock.now)
    clock.forward(minutes=6)
    lease = leases.acquire(configuration.pk, now=clock.now)
    assert lease is not None

    runs.settle_dead_runs(configuration, lease=lease, now=clock.now)

    assert (status_of(configuration).state, status_of(configuration).behind) == (Status.BEHIND, 1)


def test_a_missing_status_is_created_by_the_next_run(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=[CourseFactory.build(key="A")], customer=customer)
    ConfigurationStatus.objects.all().delete()

    run_of(configuration, clock)

    assert status_of(configuration).state == Status.UP_TO_DATE


def test_the_status_is_also_refreshed_after_an_action_that_fails(emptied: ChannelConfiguration, clock: Clock) -> None:
    def fail_after_a_batch() -> None:
        decisions.decide_deletes(emptied.transmissions.all(), approved=False, by="ada", now=clock())
        assert status_of(emptied).held == 10
        raise ValueError("second batch")

    with pytest.raises(ValueError, match="second batch"), status.refreshed_once(clock):
        fail_after_a_batch()

    assert status_of(emptied).held == 0


def test_an_error_of_the_refresh_does_not_replace_the_error_of_the_action(
    emptied: ChannelConfiguration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError("the connection is lost")

    monkeypatch.setattr(status, "_refresh", refuse)

    with pytest.raises(ValueError, match="second batch"), status.refreshed_once(clock):  # noqa: PT012  (both lines)
        status.refresh([emptied.pk], now=clock())
        raise ValueError("second batch")
    with pytest.raises(DatabaseError), status.refreshed_once(clock):
        status.refresh([emptied.pk], now=clock())
