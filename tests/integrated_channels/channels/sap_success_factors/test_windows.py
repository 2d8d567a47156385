"""Whole sync runs at a SAP that accepts one import per five minutes: one body per run, the rest in later windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.models import RunState, TransmissionAttempt
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.sap.api import IMPORT, SAP_WINDOW_MS, TOKEN_SERVER, BadItem, SAPSandbox
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

WINDOW_SECONDS = SAP_WINDOW_MS / 1_000


@pytest.fixture
def sap(clock: Clock) -> SAPSandbox:
    """A SAP sandbox that enforces its import window by the test clock."""

    def epoch_seconds() -> float:
        return clock.now.timestamp()

    return SAPSandbox(window_ms=SAP_WINDOW_MS, clock=epoch_seconds)


@pytest.fixture
def configuration(customer: EnterpriseCustomer, sap: SAPSandbox) -> Iterator[ChannelConfiguration]:
    """The customer's configuration for ``sap``, with the channel's default ``window_seconds``."""
    settings = {name: value for name, value in sap.channel_settings().items() if name != "window_seconds"}
    with on_loopback(sap) as url:
        yield ConfigurationFactory.create(
            channel_code="SAP", enterprise_customer_uuid=customer.pk, base_url=url, settings=settings, sandbox=sap
        )


def runs_to_the_end(configuration: ChannelConfiguration, clock: Clock, *, most: int) -> list[SyncRun]:
    """Sync at each due time until the backlog is empty. Fails after ``most`` runs."""
    runs = [run_of(configuration, clock)]
    while runs[-1].backlog:
        clock.forward(seconds=max(seconds_to_next_sync(configuration, clock), 0))
        runs.append(run_of(configuration, clock))
        assert len(runs) <= most
    return runs


def seconds_to_next_sync(configuration: ChannelConfiguration, clock: Clock) -> float:
    configuration.refresh_from_db()
    assert configuration.next_sync_at is not None
    return (configuration.next_sync_at - clock.now).total_seconds()


def statuses(courses_sent: list[dict[str, Any]]) -> dict[str, str]:
    return {course["courseID"]: course["status"] for course in courses_sent}


def test_creates_updates_and_deletes_of_a_run_go_in_one_body(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=6, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    stays, changes, comes = (
        CourseFactory.numbered(6)[2:4],
        CourseFactory.numbered(6)[4:],
        CourseFactory.numbered(3, prefix="Northwind+NEW"),
    )
    changed = [{**course, "title": f"{course['title']}, revised"} for course in changes]
    import_into(catalog, [*stays, *changed, *comes], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (
        RunState.COMPLETE,
        {"create": {"done": 3}, "update": {"done": 2}, "delete": {"done": 2}},
    )
    assert sap.calls[IMPORT] == len(sap.imports) == 2
    assert statuses(sap.imports[1]) == {
        **{course["key"]: "ACTIVE" for course in [*changed, *comes]},
        **{course["key"]: "INACTIVE" for course in CourseFactory.numbered(2)},
    }
    assert sap.offered() == {course["key"]: course["title"] for course in [*stays, *changed, *comes]}


def test_runs_finish_the_work_with_one_full_import_each_and_no_window_has_two(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=2_500, customer=customer)

    runs = runs_to_the_end(configuration, clock, most=3)

    assert [(run.state, run.counts, run.backlog) for run in runs] == [
        (RunState.INCOMPLETE, {"create": {"done": 1_000}}, 1_500),
        (RunState.INCOMPLETE, {"create": {"done": 1_000}}, 500),
        (RunState.COMPLETE, {"create": {"done": 500}}, 0),
    ]
    assert [len(sent) for sent in sap.imports] == [1_000, 1_000, 500]
    assert sap.calls[IMPORT] == 3  # None was rejected with 429.
    starts = [(run.started_at - runs[0].started_at).total_seconds() for run in runs]
    assert starts == [0, WINDOW_SECONDS, 2 * WINDOW_SECONDS]
    assert len(sap.offered()) == 2_500


def test_a_sync_within_the_window_sends_no_request_to_sap(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=1, customer=customer)
    run_of(configuration, clock)
    before = sap.calls.copy()
    clock.forward(seconds=WINDOW_SECONDS - 1)
    import_into(catalog, CourseFactory.numbered(2), now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.counts, sap.calls) == (RunState.INCOMPLETE, {}, before)
    assert seconds_to_next_sync(configuration, clock) == 1


def test_one_bad_item_in_a_thousand_is_found_by_halving_while_the_others_get_through(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    sap.title_limit = 60
    CatalogFactory.create(
        courses=999, content=[CourseFactory.build(key="Northwind+BAD", title="T" * 61)], customer=customer
    )

    runs = runs_to_the_end(configuration, clock, most=30)

    bad = row_of("Northwind+BAD")
    assert (bad.state, "title is too long" in bad.reason) == ("rejected", True)
    assert len(sap.offered()) == 999
    assert sap.calls[IMPORT] == len(runs)  # One per window, none rejected with 429.
    assert len(runs) <= 25  # With one call per run, each rejection splits a chunk into quarters: 250, 62, 15, 3, 1.
    assert [len(sent) for sent in sap.imports[:3]] == [250, 250, 250]  # Three quarters are sent after five windows.
    assert not TransmissionAttempt.objects.filter(outcome="rejected").exclude(transmission=bad).exists()


def test_a_bad_item_that_sap_silently_omits_delays_no_other_item(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    sap.title_limit, sap.bad_item = 60, BadItem.IS_LEFT_OUT
    CatalogFactory.create(
        courses=99, content=[CourseFactory.build(key="Northwind+BAD", title="T" * 61)], customer=customer
    )

    run = run_of(configuration, clock)

    bad = row_of("Northwind+BAD")
    assert run.counts == {"create": {"done": 99, "retry": 1}}
    assert (bad.state, bad.reason) == (
        "retrying",
        "SAP's response does not list the course. It may or may not have been imported.",
    )


def test_a_429_ends_the_run_for_five_minutes_and_blames_no_item(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=429, body="{}", retry_after="7"))

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.STOPPED, {"create": {"throttled": 3}})
    assert seconds_to_next_sync(configuration, clock) == WINDOW_SECONDS

    clock.forward(seconds=WINDOW_SECONDS)
    again = run_of(configuration, clock)

    assert (again.state, again.counts) == (RunState.COMPLETE, {"create": {"done": 3}})


def test_a_lost_answer_leads_to_the_same_courses_once_more(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    sap.faults.add(Fault(kind=FaultKind.DROP, operation=IMPORT))
    run_of(configuration, clock)
    clock.forward(hours=1)

    run = run_of(configuration, clock)

    assert (run.state, len(sap.content())) == (RunState.COMPLETE, 3)


def test_a_rejected_token_is_reported_and_is_not_a_spent_window(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=401, body="Not with this token", times=None))

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert run.reason == (
        "The LMS returned 401 and rejected an access token that it had just issued: Not with this token"
    )


def test_a_token_that_expired_just_then_is_fetched_again_within_the_window(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=401, body="Expired"))

    run = run_of(configuration, clock)

    assert (run.state, sap.calls) == (RunState.COMPLETE, {TOKEN_SERVER: 2, IMPORT: 2})


def test_trying_the_connection_imports_nothing_and_leaves_the_window_to_the_sync(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, sap: SAPSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)

    problems = check_connection(configuration, clock=clock)
    run = run_of(configuration, clock)

    assert [sentence for sentence in problems if "clock" not in sentence] == []
    assert (run.state, sap.calls) == (RunState.COMPLETE, {TOKEN_SERVER: 2, IMPORT: 1})
