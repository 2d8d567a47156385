"""Changes that the LMS made although it reported them as rejected, and what later runs make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    RunState,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

#: Moodle returns ``invalidresponse`` after it has done the work, if the result does not have the declared format.
UPDATE = "core_course_update_courses"
MADE_AND_REFUSED = Fault(
    kind=FaultKind.REPLACE,
    operation="core_course_create_courses",
    status=200,
    body='{"exception": "invalid_response_exception", "errorcode": "invalidresponse", "message": "No."}',
)


def test_a_course_that_the_lms_created_but_reported_as_rejected_is_adopted(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    moodle.faults.add(MADE_AND_REFUSED)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 3}})
    assert len(moodle.courses) == 3
    assert moodle.calls["core_course_create_courses"] == 1


def test_a_course_created_but_reported_as_rejected_is_not_created_again(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=4, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.REFUSE))
    run_of(configuration, clock)
    clock.forward(hours=1)
    moodle.faults.add(MADE_AND_REFUSED)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 4}})
    assert len(moodle.courses) == 4
    assert moodle.calls["core_course_create_courses"] == 2


def test_the_half_of_a_refused_call_that_was_made_and_refused_is_not_made_again(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=4, customer=customer)
    refusal = replace(MADE_AND_REFUSED, kind=FaultKind.ANSWER)
    moodle.faults.set([refusal, MADE_AND_REFUSED])

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 4}})
    assert len(moodle.courses) == 4
    assert moodle.calls["core_course_create_courses"] == 3  # 4 items, then two halves; no half is split again.


def test_a_course_created_but_reported_as_rejected_is_hidden_when_it_leaves(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.REFUSE))
    run_of(configuration, clock)
    clock.forward(hours=1)
    moodle.faults.add(MADE_AND_REFUSED)
    refused = run_of(configuration, clock)
    import_into(catalog, [], replace=True)

    run = run_of(configuration, clock)

    assert refused.counts == {"create": {"rejected": 1}}
    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 1}})
    assert list(moodle.offered()) == []


@pytest.mark.parametrize("status", [403, 429])
def test_a_course_that_came_back_is_pending_if_the_run_had_to_stop_while_it_was_sent(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    *,
    status: int,
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, [], replace=True)
    run_of(configuration, clock)
    import_into(catalog, ["A"])
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_[cu]*", status=status))

    run = run_of(configuration, clock)

    row = row_of("A")
    assert run.state == RunState.STOPPED
    assert (row.state, row.presence, row.deleted_at) == ("pending", "unknown", None)
    assert row.reason.startswith("Not sent: ")
    clock.forward(hours=1)
    assert run_of(configuration, clock).state == RunState.COMPLETE


@pytest.mark.parametrize("was_there_before", [False, True])
def test_a_course_possibly_created_before_the_run_stopped_is_hidden_when_it_leaves(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    *,
    was_there_before: bool,
) -> None:
    catalog = CatalogFactory.create(customer=customer)
    if was_there_before:
        import_into(catalog, CourseFactory.numbered(2))
        run_of(configuration, clock)
        import_into(catalog, [], replace=True)
        run_of(configuration, clock)
    import_into(catalog, CourseFactory.numbered(2))
    refusal = '{"exception": "invalid_response_exception", "errorcode": "invalidresponse", "message": "No."}'
    changes = "core_course_[cu]*"
    moodle.faults.add(Fault(kind=FaultKind.REPLACE, operation=changes, status=200, body=refusal))
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=changes, status=429))
    throttled = run_of(configuration, clock)
    import_into(catalog, [], replace=True)
    clock.forward(hours=1)

    run = run_of(configuration, clock)

    assert throttled.counts == {"create": {"throttled": 2}}
    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 2}})
    assert moodle.offered() == {}


@pytest.mark.parametrize(
    "changed", [[], [CourseFactory.build(key="A", title="New"), CourseFactory.build(key="B", title="New")]]
)
def test_a_change_that_may_have_been_made_before_the_run_stopped_is_taken_back(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    changed: list[dict[str, Any]],
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    before = moodle.offered()
    clock.forward(hours=1)
    import_into(catalog, changed, replace=True, now=clock.now)
    moodle.faults.add(replace(MADE_AND_REFUSED, operation=UPDATE))
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=UPDATE, status=429))
    throttled = run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, ["A", "B"], replace=True, now=clock.now)

    run = run_of(configuration, clock)

    assert throttled.counts == {"update" if changed else "delete": {"throttled": 2}}
    assert (run.state, run.counts) == (RunState.COMPLETE, {"update": {"done": 2}})
    assert moodle.offered() == before


def test_a_delete_in_doubt_is_reverted_even_if_the_first_run_to_do_so_stopped(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    before = moodle.offered()
    import_into(catalog, [], replace=True)
    moodle.faults.add(replace(MADE_AND_REFUSED, operation=UPDATE))
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=UPDATE, status=429, times=2))
    throttled = run_of(configuration, clock)
    import_into(catalog, ["A", "B"], replace=True)
    throttled_too = run_of(configuration, clock)

    run = run_of(configuration, clock)

    assert (throttled.counts, throttled_too.counts) == ({"delete": {"throttled": 2}}, {"update": {"throttled": 2}})
    assert (run.state, run.counts) == (RunState.COMPLETE, {"update": {"done": 2}})
    assert moodle.offered() == before
