"""The checkpoint of the last complete run: unchanged runs make few requests, and every change is detected.

Runs against a real catalog service and a sandbox Moodle over HTTP.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.signals import request_started
from django.db import connection

from enterprise_catalog.api.pagination import CatalogPagination
from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.audit import decisions, leases, runs
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
    RunState,
)
from enterprise_catalog.integrated_channels.sync.checkpoint import REASON
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

ONLY_THE_LIST = ["enterprise-catalogs"]


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Requests to the catalog service: the last part of each path, without token requests."""
    questions: list[str] = []

    def note(environ: Mapping[str, str], **_: object) -> None:
        if environ["PATH_INFO"].startswith("/api/"):
            questions.append(environ["PATH_INFO"].rstrip("/").rpartition("/")[2])

    request_started.connect(note)
    yield questions
    request_started.disconnect(note)


@pytest.fixture
def catalog(configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock) -> EnterpriseCatalog:
    """A catalog of A and B, sent by a complete run an hour ago."""
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    assert run_of(configuration, clock).state == RunState.COMPLETE
    clock.forward(hours=1)
    return catalog


def edit(configuration: ChannelConfiguration, **columns: Any) -> ChannelConfiguration:
    """Update only the given columns, as the admin does."""
    ChannelConfiguration.objects.filter(pk=configuration.pk).update(**columns)
    return ChannelConfiguration.objects.get(pk=configuration.pk)


# --- nothing changed ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("catalog")
def test_an_unchanged_run_requests_only_the_list_and_is_complete(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, asked: list[str]
) -> None:
    calls = moodle.calls.copy()

    run = run_of(configuration, clock)

    assert asked == ONLY_THE_LIST
    assert (run.state, run.reason, run.counts) == (RunState.COMPLETE, REASON, {})
    assert (run.matched, run.waiting, run.backlog) == (2, 0, 0)
    assert moodle.calls == calls
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at == clock.now
    assert configuration.next_sync_at == clock.now + timedelta(days=1)


@pytest.mark.usefixtures("catalog")
def test_one_unchanged_run_follows_the_other(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str]
) -> None:
    runs = [run_of(configuration, clock) for _ in range(3)]

    assert [(run.reason, run.matched) for run in runs] == [(REASON, 2)] * 3
    assert asked == ONLY_THE_LIST * 3


def test_a_run_that_deleted_and_updated_counts_what_is_left(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock
) -> None:
    import_into(
        catalog, [CourseFactory.build(key="B", title="New"), *CourseFactory.numbered(3)], now=clock.now, replace=True
    )
    run_of(configuration, clock)

    assert run_of(configuration, clock).matched == 4


def test_a_customer_without_catalogs_has_nothing_that_changes(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str]
) -> None:
    run_of(configuration, clock)

    assert run_of(configuration, clock).reason == REASON
    assert asked == ONLY_THE_LIST * 2


def test_named_catalogs_are_remembered_too(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock, asked: list[str]
) -> None:
    configuration = edit(configuration, catalog_uuids=[str(catalog.pk)])
    run_of(configuration, clock)
    asked.clear()

    assert run_of(configuration, clock).reason == REASON
    assert asked == ONLY_THE_LIST


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("weakness", ["", "W/"], ids=["strong", "weak"])
def test_an_etag_works_whether_or_not_the_answer_was_compressed_on_its_way(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str], weakness: str
) -> None:
    configuration.refresh_from_db()
    edit(configuration, last_full_etag=weakness + configuration.last_full_etag.removeprefix("W/"))

    assert run_of(configuration, clock).reason == REASON
    assert asked == ONLY_THE_LIST


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    "columns",
    [
        {"display_name": "New"},
        {"chunk_size": 1},
        {"max_chunks_per_run": 1},
        {"sync_interval_minutes": 1},
        {"freshness_goal_minutes": 5},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_an_edit_of_name_or_pace_requests_no_diff(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str], columns: dict[str, Any]
) -> None:
    run_of(edit(configuration, **columns), clock)

    assert asked == ONLY_THE_LIST


# --- the catalogs changed -------------------------------------------------------------------------------------------


def test_changed_content_is_found(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock, asked: list[str]
) -> None:
    import_into(catalog, [CourseFactory.build(key="A", title="New")], now=clock.now)

    run = run_of(configuration, clock)

    assert asked == ["enterprise-catalogs", "content-changes", "content-metadata"]
    assert (run.state, run.reason, run.counts) == (RunState.COMPLETE, "", {"update": {"done": 1}})


def test_an_item_that_came_and_one_that_left_are_found(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    import_into(catalog, ["B", "C"], now=clock.now, replace=True)

    run_of(configuration, clock)

    assert sorted(moodle.offered()) == ["B", "C"]


def test_an_item_that_only_left_is_found(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    import_into(catalog, ["B"], now=clock.now, replace=True)

    run_of(configuration, clock)

    assert sorted(moodle.offered()) == ["B"]


def test_a_catalog_that_was_added_and_one_that_was_removed_are_found(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
) -> None:
    CatalogFactory.create(content=["C"], customer=customer)
    run_of(configuration, clock)
    with_both = sorted(moodle.offered())

    catalog.delete()
    run_of(configuration, clock)

    assert with_both == ["A", "B", "C"]
    assert sorted(moodle.offered()) == ["C"]


@pytest.mark.usefixtures("catalog")
def test_new_enrolment_addresses_are_found(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    customer.learner_portal_url = "https://elsewhere.example.org"
    save_customer(customer, now=clock.now)

    run = run_of(configuration, clock)

    assert run.counts == {"update": {"done": 2}}


def test_what_changes_while_a_run_sends_is_found_by_the_next(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)

    def meanwhile(_: float) -> None:
        import_into(catalog, ["B"], now=clock.now)
        connection.close()  # Runs in the sandbox's thread.

    moodle.faults.sleep = meanwhile
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    first, second, third = (run_of(configuration, clock) for _ in range(3))

    assert (first.state, first.counts) == (RunState.COMPLETE, {"create": {"done": 1}})
    assert second.counts == {"create": {"done": 1}}
    assert (third.reason, third.matched) == (REASON, 2)


def test_of_more_catalogs_than_a_page_holds_only_the_versions_are_remembered(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    clock: Clock,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CatalogPagination, "max_page_size", 1)
    for key in ("A", "B"):
        CatalogFactory.create(content=[key], customer=customer)
    run_of(configuration, clock)
    asked.clear()

    run = run_of(configuration, clock)

    assert (run.state, run.reason, run.matched) == (RunState.COMPLETE, "", 2)
    assert asked == ["enterprise-catalogs"] * 2


# --- the configuration changed --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("catalog")
def test_other_catalogs_in_the_configuration_are_sent(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    named = CatalogFactory.create(content=["C"], customer=customer)
    run_of(configuration, clock)

    run_of(edit(configuration, catalog_uuids=[str(named.pk)]), clock)

    assert sorted(moodle.offered()) == ["C"]


def test_other_catalogs_that_are_named_while_a_run_sends_are_sent_by_the_next(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    named = CatalogFactory.create(content=["B"], customer=customer)

    def meanwhile(_: float) -> None:
        edit(configuration, catalog_uuids=[str(named.pk)])
        connection.close()  # Runs in the sandbox's thread.

    moodle.faults.sleep = meanwhile
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))
    run_of(configuration, clock)
    configuration.refresh_from_db()

    run_of(configuration, clock)

    assert sorted(moodle.offered()) == ["B"]


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("column", ["base_url", "settings", "credentials"])
def test_an_edit_of_the_target_requests_a_diff(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str], column: str
) -> None:
    edited = {
        "base_url": f"{configuration.base_url}/",
        "settings": configuration.settings | {"category_id": 2},
        "credentials": encrypt(decrypt(configuration.credentials)),
    }

    run_of(edit(configuration, **{column: edited[column]}), clock)

    assert asked == ["enterprise-catalogs", "content-diff"]


# --- something is pending or due ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("state", ["pending", "in_doubt", "retrying", "rejected"])
def test_an_item_that_is_unsettled_or_was_queued_again_is_sent(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str], state: str
) -> None:
    ContentMetadataItemTransmission.objects.filter(content_key="A").update(state=state)

    run = run_of(configuration, clock)

    assert asked == ["enterprise-catalogs", "content-metadata", "content-metadata"]
    assert (run.state, run.comparison, run.counts) == (RunState.COMPLETE, Comparison.CHANGES, {"update": {"done": 1}})
    assert run_of(configuration, clock).reason == REASON


def test_an_item_that_failed_is_tried_again_when_it_is_due(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses"))
    run_of(configuration, clock)

    resting = run_of(configuration, clock)
    clock.forward(minutes=5)
    due = run_of(configuration, clock)

    assert (resting.state, resting.reason, resting.waiting) == (RunState.INCOMPLETE, "", 1)
    assert (due.state, due.counts) == (RunState.COMPLETE, {"create": {"done": 1}})
    assert run_of(configuration, clock).reason == REASON


def test_an_incomplete_run_clears_the_checkpoint(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    clock: Clock,
    asked: list[str],
) -> None:
    import_into(catalog, [CourseFactory.build(key="C")], now=clock.now)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses"))
    run_of(configuration, clock)
    configuration.refresh_from_db()
    asked.clear()

    run = run_of(configuration, clock)

    assert configuration.last_full_etag == ""
    assert (run.state, run.waiting) == (RunState.INCOMPLETE, 1)
    assert asked == ["enterprise-catalogs", "content-metadata"]


@pytest.mark.usefixtures("catalog")
def test_a_stopped_run_clears_the_checkpoint(configuration: ChannelConfiguration, clock: Clock) -> None:
    stopped = run_of(edit(configuration, settings={"category_id": "first"}), clock)

    assert stopped.state == RunState.STOPPED
    configuration.refresh_from_db()
    assert configuration.last_full_etag == ""


@pytest.mark.usefixtures("catalog")
def test_after_a_dead_run_a_diff_is_requested(
    configuration: ChannelConfiguration, clock: Clock, asked: list[str]
) -> None:
    leases.acquire(configuration.pk, now=clock.now)
    runs.start_run(configuration, now=clock.now)
    clock.forward(seconds=leases.LEASE_DURATION.total_seconds())

    run = run_of(configuration, clock)

    assert (run.state, run.reason) == (RunState.COMPLETE, "")
    assert asked == ["enterprise-catalogs", "content-diff"]


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    ("columns", "hours", "comparison"),
    [
        ({}, 22, Comparison.UNCHANGED),
        ({}, 23, Comparison.DAILY),
        ({"full_comparison_requested_at": DAY_ONE + timedelta(minutes=1)}, 0, Comparison.REQUESTED),
        ({"fully_compared_at": None}, 0, Comparison.FIRST),
        ({"last_full_etag": ""}, 0, Comparison.CHANGES),
        ({"last_full_etag": "", "synced_versions": None}, 0, Comparison.FIRST),
        ({"settings": {"category_id": 2}}, 0, Comparison.EDITED),
    ],
    ids=lambda value: str(value) if isinstance(value, Comparison) else "",
)
def test_all_items_are_compared_daily_and_after_any_doubt(
    configuration: ChannelConfiguration, clock: Clock, columns: dict[str, Any], hours: int, comparison: Comparison
) -> None:
    clock.forward(hours=hours)

    run = run_of(edit(configuration, **columns), clock)

    assert run.comparison == comparison
    configuration.refresh_from_db()
    is_full = comparison not in (Comparison.UNCHANGED, Comparison.CHANGES)
    assert configuration.fully_compared_at == (run.started_at if is_full else DAY_ONE)


@pytest.mark.usefixtures("catalog")
def test_a_comparison_requested_while_a_run_compares_is_made_by_the_next_run(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    decisions.sync_now(configuration, by="ann", now=clock.now, compare_all=True)
    first = run_of(configuration, clock)
    decisions.sync_now(configuration, by="ann", now=clock.now, compare_all=True)
    clock.forward(minutes=1)

    runs = [first, run_of(configuration, clock), run_of(configuration, clock)]

    assert [run.comparison for run in runs] == [Comparison.REQUESTED, Comparison.REQUESTED, Comparison.UNCHANGED]


@pytest.mark.usefixtures("catalog")
def test_settling_a_dead_run_clears_the_checkpoint(configuration: ChannelConfiguration, clock: Clock) -> None:
    leases.acquire(configuration.pk, now=clock.now)
    runs.start_run(configuration, now=clock.now)
    clock.forward(seconds=leases.LEASE_DURATION.total_seconds())
    lease = leases.acquire(configuration.pk, now=clock.now)
    assert lease is not None

    runs.settle_dead_runs(configuration, lease=lease, now=clock.now)

    configuration.refresh_from_db()
    assert configuration.last_full_etag == ""
