"""Runs that leave only exceptions: items that were rejected, or that an operator keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.audit import decisions, transitions
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState
from enterprise_catalog.integrated_channels.sync.checkpoint import REASON
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import acting_during_runs, row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

TOO_LONG = "L" * 101  #: A key that Moodle cannot hold.


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    return CatalogFactory.create(content=["A", TOO_LONG], customer=customer)


@pytest.mark.usefixtures("catalog")
def test_a_rejected_item_does_not_hide_that_all_others_are_up_to_date(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run = run_of(configuration, clock)

    assert (run.state, run.reason) == (RunState.COMPLETE_EXCEPT, "1 item is rejected.")
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at == clock.now


@pytest.mark.usefixtures("catalog")
def test_an_unchanged_run_repeats_the_exceptions_and_needs_no_diff(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run_of(configuration, clock)
    clock.forward(hours=1)

    run = run_of(configuration, clock)

    assert (run.state, run.reason) == (RunState.COMPLETE_EXCEPT, f"{REASON} 1 item is rejected.")
    assert (run.matched, run.waiting, run.counts) == (1, 1, {})
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at == clock.now


@pytest.mark.usefixtures("catalog")
def test_a_rejected_item_is_tried_again_when_it_is_due(configuration: ChannelConfiguration, clock: Clock) -> None:
    run_of(configuration, clock)
    clock.forward(days=1)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE_EXCEPT, {"create": {"rejected": 1}})
    assert row_of(TOO_LONG).attempts == 2


@pytest.mark.usefixtures("catalog")
def test_a_run_that_needs_no_diff_is_incomplete_if_items_are_queued_meanwhile(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run_of(configuration, clock)
    configuration.refresh_from_db()
    before = configuration.last_full_sync_at
    clock.forward(minutes=1)

    with acting_during_runs(
        lambda: decisions.queue_again(configuration.transmissions.all(), by="operator", now=clock.now)
    ):
        run = run_of(configuration, clock)

    assert (run.comparison, run.state, run.backlog) == ("unchanged", RunState.INCOMPLETE, 1)
    assert run.reason == f"{REASON} 1 item was queued by a user during the run."
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at == before
    assert run_of(configuration, clock).counts == {"create": {"rejected": 1}}


def test_a_rejected_item_is_sent_when_its_content_changes(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", CourseFactory.build(key="B", title=None)], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, [CourseFactory.build(key="B", title="At last")], now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 1}})


@pytest.mark.usefixtures("catalog")
def test_an_item_that_is_always_rejected_is_tried_again_after_a_year(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    run_of(configuration, clock)
    rows = ContentMetadataItemTransmission.objects.filter(content_key=TOO_LONG)
    rows.update(attempts=transitions.MAX_FAILURES - 1, next_attempt_at=clock.now)

    run = run_of(configuration, clock)

    assert run.state == RunState.COMPLETE_EXCEPT
    row = row_of(TOO_LONG)
    assert row.state == "rejected"
    assert row.next_attempt_at is not None
    assert 270 <= (row.next_attempt_at - clock.now).days <= 365


@pytest.mark.usefixtures("catalog")
def test_a_temporary_failure_is_no_exception(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses"))

    run = run_of(configuration, clock)

    assert (run.state, run.reason) == (RunState.INCOMPLETE, "")
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at is None


def test_a_kept_item_is_an_exception_until_its_delete_is_approved(
    configure: Callable[..., ChannelConfiguration], catalog: EnterpriseCatalog, clock: Clock
) -> None:
    configuration = configure()
    run_of(configuration, clock)
    import_into(catalog, [], now=clock.now, replace=True)
    run_of(configuration, clock)
    decisions.decide_deletes(configuration.transmissions.all(), approved=False, by="operator", now=clock.now)
    kept = [run_of(configuration, clock) for _ in range(2)]
    decisions.delete_kept(ContentMetadataItemTransmission.objects.all(), by="operator", now=clock.now)

    run = run_of(configuration, clock)

    assert [(each.state, each.kept) for each in kept] == [(RunState.COMPLETE_EXCEPT, 1)] * 2
    assert [each.reason for each in kept] == [
        "1 item was kept by an operator.",
        f"{REASON} 1 item was kept by an operator.",
    ]
    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 1}})
