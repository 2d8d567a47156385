"""Limits: an LMS that throttles calls, items that fail repeatedly, and one item that fails its whole chunk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.integrated_channels.audit.transitions import MAX_FAILURES
from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    TransmissionAttempt,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.domain import ItemResult, Outgoing
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = "core_course_create_courses"


@pytest.mark.parametrize(("retry_after", "seconds"), [("600", 600), ("7", 60), (None, 60)])
def test_an_lms_with_too_many_calls_ends_the_run_until_it_wants_more(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    retry_after: str | None,
    seconds: int,
) -> None:
    configuration = configure(chunk_size=5)
    CatalogFactory.create(courses=15, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=429, retry_after=retry_after, skip=1))

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert run.reason.startswith("Rate limit exceeded.")
    assert run.counts == {"create": {"done": 5, "throttled": 5}}
    configuration.refresh_from_db()
    assert configuration.next_sync_at == clock.now + timedelta(seconds=seconds)
    assert set(ContentMetadataItemTransmission.objects.values_list("state", "attempts")) == {
        ("transmitted", 0),
        ("pending", 0),
    }


def test_the_run_after_a_throttled_one_finishes_the_work(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=429))
    run_of(configuration, clock)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 3}})
    assert sorted(TransmissionAttempt.objects.values_list("outcome", flat=True)) == ["done"] * 3 + ["throttled"] * 3


def given_up(configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock) -> None:
    """Make every create of the configuration's items fail until all items are dead letters."""
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=MAX_FAILURES))
    for _ in range(MAX_FAILURES):
        run_of(configuration, clock)
        clock.forward(days=1)


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    return CatalogFactory.create(content=["A"], customer=customer)


@pytest.mark.usefixtures("catalog")
def test_an_item_that_fails_too_often_becomes_a_dead_letter(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    given_up(configuration, moodle, clock)

    run = run_of(configuration, clock)

    row = row_of("A")
    assert (row.state, row.attempts, row.next_attempt_at) == ("dead_letter", MAX_FAILURES, None)
    assert row.reason.startswith("The LMS returned 503")
    assert (run.state, run.dead, run.counts) == (RunState.INCOMPLETE, 1, {})
    assert row.attempt_rows.count() == MAX_FAILURES


def test_a_dead_letter_is_sent_again_when_its_content_changes(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    given_up(configuration, moodle, clock)
    import_into(catalog, [CourseFactory.build(key="A", title="New")], now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 1}})


@pytest.mark.usefixtures("catalog")
def test_a_dead_letter_is_sent_again_after_an_operator_queues_it(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    given_up(configuration, moodle, clock)

    call_command("queue_again", configuration=configuration.pk, content_key=["A"])
    queued = row_of("A")
    run = run_of(configuration, clock)

    assert capsys.readouterr().out == "1\n"
    assert (queued.state, queued.attempts) == ("pending", 0)
    assert queued.reason.startswith("Queued again by a user. Previous reason: The LMS returned 503")
    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 1}})


@pytest.mark.usefixtures("catalog")
def test_only_what_failed_is_queued_again(
    configuration: ChannelConfiguration, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(configuration, clock)

    call_command("queue_again", configuration=configuration.pk)

    assert capsys.readouterr().out == "0\n"
    assert row_of("A").state == "transmitted"


@pytest.mark.usefixtures("catalog")
def test_a_course_changed_manually_in_the_lms_is_sent_again_on_demand(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(configuration, clock)
    [course] = moodle.table.with_idnumber("A")
    moodle.table.change(replace(course, fullname="Renamed by hand", visible=0))

    call_command("queue_again", configuration=configuration.pk, state="transmitted", content_key=["A"])
    run = run_of(configuration, clock)

    assert capsys.readouterr().out == "1\n"
    assert (run.state, run.counts) == (RunState.COMPLETE, {"update": {"done": 1}})
    assert moodle.offered() == {"A": "Course A - via edX.org (Northwind Institute)"}


def test_queueing_again_needs_a_configuration_that_is_there() -> None:
    with pytest.raises(CommandError, match="there is no configuration 7"):
        call_command("queue_again", configuration=7)


def test_an_item_that_brings_its_chunk_down_is_alone_after_some_runs(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def create(channel: Moodle, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        if any(item.content_key == "Poison" for item in items):
            raise RetryableError("The LMS returned 500.", status_code=500)
        return as_usual(channel, items)

    as_usual = Moodle.create
    monkeypatch.setattr(Moodle, "create", create)
    CatalogFactory.create(courses=8, content=["Poison"], customer=customer)

    for _ in range(MAX_FAILURES - 1):
        run_of(configuration, clock)
        clock.forward(days=1)

    assert len(moodle.offered()) == 8
    assert row_of("Poison").state == "retrying"
