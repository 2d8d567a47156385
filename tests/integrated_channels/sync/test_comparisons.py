"""Runs that compare only changes: real requests to the catalog service, and the same results as a full comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.signals import request_started
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.customers import save_catalog
from enterprise_catalog.catalog.models import CatalogVersion
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
    RunState,
)
from enterprise_catalog.integrated_channels.sync import engine, plan_inputs
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.catalog.versions.stored_tables import restore, stored_tables
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.catalog_api.client import MetadataResponse
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

#: Statements of a run with changes of one kind. BEGIN and COMMIT of its two transactions do not count.
MOST_STATEMENTS = {"mysql": 11, "sqlite": 14}


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Requests to the catalog service: the last part of each path, without the list of catalogs."""
    questions: list[str] = []

    def note(environ: Mapping[str, str], **_: object) -> None:
        name = environ["PATH_INFO"].rstrip("/").rpartition("/")[2]
        if environ["PATH_INFO"].startswith("/api/") and name != "enterprise-catalogs":
            questions.append(name)

    request_started.connect(note)
    yield questions
    request_started.disconnect(note)


@pytest.fixture
def catalog(configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock) -> EnterpriseCatalog:
    """A catalog of A, B, C and D, sent by a complete run an hour ago."""
    catalog = CatalogFactory.create(content=["A", "B", "C", "D"], customer=customer)
    assert run_of(configuration, clock).state == RunState.COMPLETE
    clock.forward(hours=1)
    return catalog


def change(key: str) -> dict[str, object]:
    return CourseFactory.build(key=key, title="New")


def test_a_run_with_changes_sends_them_and_counts_all_other_items(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    clock: Clock,
    asked: list[str],
) -> None:
    import_into(catalog, [change("A"), "C", "D", "E"], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert asked[0] == "content-changes"
    assert "content-diff" not in asked
    assert (run.state, run.comparison, run.matched) == (RunState.COMPLETE, Comparison.CHANGES, 2)
    assert run.changes_since == DAY_ONE
    assert run.counts == {"delete": {"done": 1}, "create": {"done": 1}, "update": {"done": 1}}
    assert sorted(moodle.offered()) == ["A", "C", "D", "E"]
    configuration.refresh_from_db()
    assert (configuration.last_full_sync_at, configuration.synced_items) == (clock.now, 4)
    assert run_of(configuration, clock).matched == 4


def test_a_new_title_of_a_catalog_makes_no_run_compare_all_items(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock, asked: list[str]
) -> None:
    catalog.title = "New"
    save_catalog(catalog, now=clock.now)

    run = run_of(configuration, clock)

    assert asked == ["content-changes"]
    assert (run.state, run.comparison, run.matched) == (RunState.COMPLETE, Comparison.CHANGES, 4)
    assert (run.reason, run.counts) == ("", {})
    assert run_of(configuration, clock).comparison == Comparison.UNCHANGED


def test_new_enrollment_urls_make_a_run_send_all_items(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock, asked: list[str]
) -> None:
    catalog.publish_audit_enrollment_urls = True
    save_catalog(catalog, now=clock.now)

    run = run_of(configuration, clock)

    assert asked[:2] == ["content-changes", "content-diff"]
    assert (run.comparison, run.counts) == (Comparison.EXPIRED, {"update": {"done": 4}})


@pytest.mark.parametrize("what", ["first sync", "changes"])
def test_a_restored_catalog_service_gets_content_back_that_changed_during_a_run(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """A run compares one version and sends content of the next one, which is then lost: a backup is restored."""
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    if what == "changes":
        run_of(configuration, clock)
        import_into(catalog, [change("A")], now=clock.now)
    backup, fetch = stored_tables(), CatalogClient.fetch_metadata

    def fetch_after_change(client: CatalogClient, catalog_uuid: UUID, keys: Sequence[str]) -> MetadataResponse:
        import_into(catalog, [CourseFactory.build(key="A", title="Lost")], now=clock.now)
        return fetch(client, catalog_uuid, keys)

    with monkeypatch.context() as patched:
        patched.setattr(CatalogClient, "fetch_metadata", fetch_after_change)
        interrupted = run_of(configuration, clock)
    sent = moodle.offered()["A"]
    restore(backup)
    SNAPSHOTS.clear()

    after = run_of(configuration, clock)

    assert sent.startswith("Lost")
    assert not moodle.offered()["A"].startswith("Lost")
    assert [interrupted.state, after.state] == [RunState.COMPLETE] * 2
    assert (after.comparison, after.counts) == (Comparison.FIRST, {"update": {"done": 1}})
    assert run_of(configuration, clock).comparison == Comparison.UNCHANGED


def test_an_item_that_left_one_catalog_stays_if_another_one_has_it(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    asked: list[str],
) -> None:
    CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    asked.clear()
    import_into(catalog, ["B", "D"], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert asked[:2] == ["content-changes", "content-metadata"]
    assert "content-diff" not in asked
    assert (run.comparison, run.counts.get("delete")) == (Comparison.CHANGES, {"done": 1})
    assert sorted(moodle.offered()) == ["A", "B", "D"]
    configuration.refresh_from_db()
    assert configuration.synced_items == 3


def test_an_item_that_failed_is_sent_with_later_changes(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_update_courses"))
    import_into(catalog, [change("A")], now=clock.now)
    failed = run_of(configuration, clock)
    import_into(catalog, [change("B")], now=clock.now)
    clock.forward(minutes=6)

    run = run_of(configuration, clock)

    assert failed.state == RunState.INCOMPLETE
    assert (run.state, run.comparison) == (RunState.COMPLETE, Comparison.CHANGES)
    assert (run.counts, run.matched) == ({"update": {"done": 2}}, 2)


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda: CatalogVersion.objects.all().delete(), id="versions of a lost database"),
        pytest.param(lambda: ChannelConfiguration.objects.update(synced_versions={}), id="no versions"),
    ],
)
def test_without_the_changes_all_items_are_compared(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    clock: Clock,
    asked: list[str],
    lose: Callable[[], object],
) -> None:
    lose()
    import_into(catalog, ["A", "B"], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert asked[-1] == "content-diff"
    assert run.comparison in (Comparison.EXPIRED, Comparison.FIRST)
    assert sorted(moodle.offered()) == ["A", "B"]
    import_into(catalog, ["A"], now=clock.now, replace=True)
    assert run_of(configuration, clock).comparison == Comparison.CHANGES
    assert sorted(moodle.offered()) == ["A"]


@pytest.mark.usefixtures("catalog")
def test_many_unsettled_items_are_not_asked_for_one_by_one(
    configuration: ChannelConfiguration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_inputs, "MAX_UNSETTLED", 1)
    rows = ContentMetadataItemTransmission.objects.all()
    rows.update(state="rejected", action="update", next_attempt_at=clock.now.replace(year=2030), due_since=clock.now)
    ChannelConfiguration.objects.update(last_full_etag="")
    first = run_of(configuration, clock)

    second = run_of(configuration, clock)

    assert [first.comparison, second.comparison] == [Comparison.CHANGES, Comparison.UNCHANGED]
    ChannelConfiguration.objects.update(last_full_etag="")
    assert run_of(configuration, clock).comparison == Comparison.MANY


@pytest.fixture
def _few_planned_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run read few planned items, as if there were more than 10,000."""
    monkeypatch.setattr(plan_inputs, "MAX_UNSETTLED", 1)
    monkeypatch.setattr(engine, "MAX_PLANNED", 3)


@pytest.mark.usefixtures("_few_planned_items")
def test_a_first_sync_of_several_runs_compares_all_items_once(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    asked: list[str],
) -> None:
    configuration = configure(chunk_size=2, max_chunks_per_run=1)
    catalog = CatalogFactory.create(content=list("ABCDEFGHI"), customer=customer)
    runs = [run_of(configuration, clock)]
    asked.clear()
    import_into(catalog, [*"ABCDEF", change("H"), "J"], now=clock.now, replace=True)  # G, I left; H changed; J is new.

    while runs[-1].backlog:
        clock.forward(minutes=1)
        runs.append(run_of(configuration, clock))

    assert [run.comparison for run in runs] == [Comparison.FIRST, *[Comparison.CHANGES] * (len(runs) - 1)]
    assert "content-diff" not in asked
    assert [run.backlog for run in runs] == [7, 4, 2, 0]
    assert runs[1].reason == engine.PART_REASON
    assert [run.matched for run in runs[1:]] == [2, 4, 6]
    assert sorted(moodle.offered()) == list("ABCDEFHJ")
    configuration.refresh_from_db()
    assert configuration.synced_items == 8
    assert run_of(configuration, clock).matched == 8


@pytest.mark.usefixtures("_few_planned_items")
def test_a_planned_item_that_moved_to_another_catalog_is_sent_from_there(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
) -> None:
    configuration = configure(chunk_size=1, max_chunks_per_run=1)
    first = CatalogFactory.create(content=list("ABCD"), customer=customer)
    second = CatalogFactory.create(content=["E"], customer=customer)
    run_of(configuration, clock)
    import_into(second, ["E", "D"], now=clock.now, replace=True)
    import_into(first, list("ABC"), now=clock.now, replace=True)

    runs = [run_of(configuration, clock) for _ in range(5)]

    assert {run.comparison for run in runs} == {Comparison.CHANGES, Comparison.UNCHANGED}
    assert sorted(moodle.offered()) == list("ABCDE")
    assert row_of("D").catalog_uuid == second.pk


@pytest.mark.parametrize("items", [20, 600])
def test_ten_changes_take_as_many_statements_in_any_catalog(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, items: int
) -> None:
    courses = CourseFactory.numbered(items)
    catalog = CatalogFactory.create(content=courses, customer=customer)
    run_of(configuration, clock)
    import_into(catalog, [course | {"title": "New"} for course in courses[:10]], now=clock.now)

    with CaptureQueriesContext(connection) as captured:
        run = run_of(configuration, clock)

    assert (run.comparison, run.counts, run.matched) == (Comparison.CHANGES, {"update": {"done": 10}}, items - 10)
    statements = [query["sql"][:90] for query in captured if not query["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(statements) <= MOST_STATEMENTS[connection.vendor], statements
