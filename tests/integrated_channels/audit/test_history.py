"""Reading the transmission history: settled items come from an index alone, and every item is read exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.db.timestamps import format_time
from enterprise_catalog.integrated_channels.domain import Action, History, Presence, Record, State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from tests.catalog.connections import in_another_connection
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.channels import ConfigurationFactory, TransmissionFactory
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOG, OTHER = UUID(int=1), UUID(int=2)
VERSION_ONE = format_time(DAY_ONE)


def read(**columns: object) -> History:
    return ContentMetadataItemTransmission.objects.filter(**columns).history()


@pytest.mark.django_db
def test_what_is_settled_is_read_by_catalog_and_everything_else_item_by_item() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, transmitted=True, catalog_uuid=CATALOG)
    TransmissionFactory.create(
        content_key="c", configuration=configuration, transmitted=True, content_updated_at=DAY_TWO, catalog_uuid=OTHER
    )
    TransmissionFactory.create(
        content_key="queued", configuration=configuration, transmitted=True, catalog_uuid=OTHER, due_since=DAY_TWO
    )
    TransmissionFactory.create(
        content_key="failed", configuration=configuration, retrying=True, action=Action.UPDATE, next_attempt_at=DAY_TWO
    )
    TransmissionFactory.create(content_key="gone", configuration=configuration, deleted=True)
    TransmissionFactory.create(content_key="of-another", transmitted=True, catalog_uuid=CATALOG)

    history = read(configuration=configuration)

    assert history.settled == {CATALOG: {"a": VERSION_ONE, "b": VERSION_ONE}, OTHER: {"c": format_time(DAY_TWO)}}
    assert history.records.keys() == {"queued", "failed", "gone"}
    assert history.records["queued"].due_since == DAY_TWO
    assert history.records["failed"].next_attempt_at == DAY_TWO
    assert sorted(history.live_keys()) == ["a", "b", "c", "failed", "queued"]


@pytest.mark.django_db
def test_an_item_of_no_catalog_and_no_version_is_read_too() -> None:
    TransmissionFactory.create(content_key="adopted", transmitted=True, content_updated_at=None)

    assert read().settled == {None: {"adopted": None}}


@pytest.mark.django_db
def test_what_is_settled_is_read_from_an_index_alone() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(
        [f"{number:06}" for number in range(300)], configuration=configuration, transmitted=True, catalog_uuid=CATALOG
    )

    plan = plan_of(lambda: read(configuration=configuration), of=ContentMetadataItemTransmission)

    assert "transmission_by_state" in plan
    assert ("Using index" if connection.vendor == "mysql" else "USING COVERING INDEX") in plan


@pytest.mark.django_db
def test_touched_are_rows_with_the_keys_and_rows_that_are_not_settled() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(
        ["a", "b", "c"], configuration=configuration, transmitted=True, catalog_uuid=CATALOG
    )
    unsettled_and_gone: dict[str, dict[str, Any]] = {
        "queued": {"transmitted": True, "due_since": DAY_TWO},
        "failed": {"retrying": True},
        "held": {"held": True},
        "gone": {"deleted": True},
        "left over": {"deleted": True, "due_since": DAY_TWO},
    }
    for key, columns in unsettled_and_gone.items():
        TransmissionFactory.create(content_key=key, configuration=configuration, **columns)
    TransmissionFactory.create(content_key="of-another", retrying=True)
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration)
    history = rows.history().records_but_of({})

    with CaptureQueriesContext(connection) as captured:
        none, some = rows.touched([]).records, rows.touched(["b", "gone", "x"]).records

    assert len(captured) == 2
    assert none.keys() == {"queued", "failed", "held", "left over"}
    assert some == {key: history[key] for key in (*none, "b", "gone")}
    assert rows.touched(f"{number}" for number in range(2_001)).records == none


@pytest.mark.django_db(transaction=True)  # ANALYZE TABLE commits.
def test_touched_rows_are_read_from_index_ranges() -> None:
    keys = [f"{number:06}" for number in range(1_000)]
    configurations = [ConfigurationFactory.create() for _ in range(4)]
    for configuration in configurations:
        TransmissionFactory.create_for_keys(keys, configuration=configuration, transmitted=True, catalog_uuid=CATALOG)
        TransmissionFactory.create(content_key="failed", configuration=configuration, retrying=True)
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE TABLE {ContentMetadataItemTransmission._meta.db_table}")
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configurations[0])

    plan = plan_of(lambda: rows.touched(["000001", "000002"]), of=ContentMetadataItemTransmission)

    assert "transmission_by_state" in plan
    reads = [line for line in plan.splitlines() if "transmission" in line]
    assert len(reads) == 3
    if connection.vendor == "mysql":
        assert all(" range " in line for line in reads), plan
    else:
        assert all("SEARCH" in line for line in reads), plan


@pytest.mark.django_db
def test_of_many_planned_items_those_are_read_that_have_waited_longest() -> None:
    configuration = ConfigurationFactory.create()
    for key, due in {"a": DAY_TWO, "b": DAY_ONE, "c": DAY_TWO, "d": DAY_TWO, "e": DAY_TWO}.items():
        TransmissionFactory.create(content_key=key, configuration=configuration, catalog_uuid=CATALOG, due_since=due)
    others: dict[str, dict[str, Any]] = {
        "approved": {"in_lms": True, "state": State.PENDING, "action": Action.DELETE, "due_since": DAY_ONE},
        "tried": {"attempted": True},
        "failed": {"retrying": True},
        "queued": {"transmitted": True, "due_since": DAY_TWO},
    }
    for key, columns in others.items():
        TransmissionFactory.create(content_key=key, configuration=configuration, catalog_uuid=CATALOG, **columns)
    TransmissionFactory.create(content_key="done", configuration=configuration, transmitted=True, catalog_uuid=CATALOG)
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration)

    part = rows.touched_in_part(["e", "done", "x"], planned=2, others=4)

    assert part is not None
    assert part.records.keys() == {"a", "b", *others, "e", "done"}
    assert part.records == {key: rows.history().records_but_of({})[key] for key in part.records}
    assert {key for key, record in part.records.items() if record.is_planned} == {"a", "b", "e"}
    assert part.postponed == 2
    assert rows.touched_in_part([], planned=2, others=3) is None


@pytest.mark.django_db(transaction=True)  # ANALYZE TABLE commits.
def test_planned_items_are_read_in_the_order_of_an_index() -> None:
    keys = [f"{number:06}" for number in range(1_000)]
    configurations = [ConfigurationFactory.create() for _ in range(3)]
    for configuration in configurations:
        TransmissionFactory.create_for_keys(keys, configuration=configuration, catalog_uuid=CATALOG)
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE TABLE {ContentMetadataItemTransmission._meta.db_table}")
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configurations[0])

    plan = plan_of(lambda: list(rows.planned()[:10]), of=ContentMetadataItemTransmission)

    assert "transmission_by_state" in plan
    assert "filesort" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.django_db(transaction=True)
def test_all_that_is_read_is_of_one_moment_though_rows_change_between_the_reads() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create(
        content_key="queued", configuration=configuration, transmitted=True, catalog_uuid=CATALOG
    )
    TransmissionFactory.create(content_key="fetched", configuration=configuration, staged=True)
    reads: list[str] = []

    def change() -> None:
        rows = ContentMetadataItemTransmission.objects
        rows.filter(content_key="queued").update(due_since=DAY_TWO)
        rows.filter(content_key="fetched").update(state=State.TRANSMITTED)

    def execute(run: Callable[..., Any], sql: str, *statement: Any) -> Any:
        if ContentMetadataItemTransmission._meta.db_table in sql:
            if reads:
                in_another_connection(change)
            reads.append(sql)
        return run(sql, *statement)

    with connection.execute_wrapper(execute):
        history = read(configuration=configuration)

    assert len(reads) == 2
    assert history.settled == {CATALOG: {"queued": VERSION_ONE}}
    assert history.records.keys() == {"fetched"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_versions_stored_as_times_become_text_and_back() -> None:
    versions = {"a": DAY_ONE, "b": DAY_ONE.replace(microsecond=0), "c": None}
    configuration = ConfigurationFactory.create()
    for key, version in versions.items():
        TransmissionFactory.create(
            content_key=key, configuration=configuration, transmitted=True, content_updated_at=version
        )

    call_command("migrate", "integrated_channels", "0008", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT content_updated_at"
                " FROM integrated_channels_contentmetadataitemtransmission ORDER BY content_key"
            )
            as_databases_do = [str(version) for (version,) in cursor.fetchall()]
    finally:
        call_command("migrate", "integrated_channels", verbosity=0)

    assert [version[:19] for version in as_databases_do] == ["2026-03-01 12:00:00", "2026-03-01 12:00:00", "None"]
    rows = ContentMetadataItemTransmission.objects.values_list("content_key", "content_updated_at")
    assert dict(rows) == versions
    assert read().settled == {None: {"a": VERSION_ONE, "b": "2026-03-01T12:00:00.000000Z", "c": None}}


def a_record(key: str, **columns: object) -> Record:
    values = {
        "state": State.PENDING,
        "action": Action.UPDATE,
        "presence": Presence.PRESENT,
        "catalog_uuid": CATALOG,
        "content_updated_at": DAY_ONE,
        "attempted_updated_at": DAY_ONE,
        "next_attempt_at": None,
        "is_deleted": False,
    }
    return Record(key, **(values | columns))  # type: ignore[arg-type]


def test_what_is_known_of_an_item_by_itself_counts() -> None:
    history = History({CATALOG: {"a": VERSION_ONE, "b": VERSION_ONE}}, {"a": a_record("a", due_since=DAY_TWO)})

    records = history.records_but_of({})

    assert records["a"].due_since == DAY_TWO
    assert records["b"] == Record.of_settled("b", CATALOG, DAY_ONE)


def test_what_matched_becomes_no_record() -> None:
    history = History({CATALOG: {"a": VERSION_ONE, "b": VERSION_ONE}}, {"c": a_record("c")})

    assert history.records_but_of({"a": CATALOG}).keys() == {"b", "c"}
