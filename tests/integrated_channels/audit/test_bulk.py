"""Bulk inserts and updates."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.db.timestamps import TimestampField
from enterprise_catalog.integrated_channels.audit.bulk import insert, insert_values, update, upsert
from enterprise_catalog.integrated_channels.domain import Action
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    FeedItem,
    TransmissionAttempt,
)
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

#: Contains every character that quoting could corrupt.
TITLE = "Ünïcode 😀 100 % 'quoted' \"twice\" \\ %s"


def test_rows_that_are_not_there_get_their_primary_keys_in_order() -> None:
    configuration = ConfigurationFactory.create()
    rows = TransmissionFactory.create_for_keys(["a", "b", "c"], configuration=configuration, rejected=True)
    run = RunFactory.create(configuration=configuration)
    attempts = [
        TransmissionAttempt(transmission=row, run=run, action=Action.CREATE, started_at=DAY_ONE, message=TITLE)
        for row in rows
    ]

    insert(attempts)

    for attempt, row in zip(attempts, rows, strict=True):
        stored = TransmissionAttempt.objects.get(pk=attempt.pk)
        assert (stored.transmission, stored.run, stored.action) == (row, run, "create")
        assert (stored.started_at, stored.finished_at, stored.message) == (DAY_ONE, None, TITLE)


def test_keys_are_returned_in_the_order_of_the_rows_by_every_statement() -> None:
    row = TransmissionFactory.create()
    run = RunFactory.create(configuration=row.configuration)
    attempts = [
        TransmissionAttempt(transmission=row, run=run, started_at=DAY_ONE, payload_hash=f"{number:05}")
        for number in reversed(range(5_000))
    ]

    insert(attempts)

    stored = dict(TransmissionAttempt.objects.filter(run=run).values_list("pk", "payload_hash"))
    assert {attempt.pk: attempt.payload_hash for attempt in attempts} == stored


@pytest.mark.parametrize("write", [update, upsert])
def test_only_the_named_columns_of_existing_rows_are_written(write: Callable[..., None]) -> None:
    rows = TransmissionFactory.create_for_keys(["a", "b"], rejected=True)
    for row, title in zip(rows, [TITLE, "Other"], strict=True):
        row.content_title, row.reason, row.last_attempt_at = title, "not written", datetime(2026, 1, 2, tzinfo=UTC)

    write(rows, columns=["content_title", "last_attempt_at"])

    stored = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert [row.content_title for row in stored] == [TITLE, "Other"]
    for row in stored:
        assert row.last_attempt_at == datetime(2026, 1, 2, tzinfo=UTC)
        assert row.reason == "Invalid parameter value detected."


def test_columns_that_are_equal_in_all_rows_are_in_the_statement_once() -> None:
    rows = TransmissionFactory.create_for_keys(["a", "b", "c"], rejected=True)
    for row in rows:
        row.content_title, row.reason = "The same title", f"Reason of {row.content_key}"

    with CaptureQueriesContext(connection) as captured:
        update(rows, columns=["content_title", "reason"])

    [statement] = captured
    assert statement["sql"].count("The same title") == 1
    stored = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert [(row.content_title, row.reason) for row in stored] == [
        ("The same title", f"Reason of {row.content_key}") for row in rows
    ]


def test_values_that_all_new_rows_have_are_escaped_like_parameters() -> None:
    configuration = ConfigurationFactory.create()
    equal = {"catalog_uuid": uuid4(), "reason": TITLE, "attempts": 7, "due_since": DAY_ONE, "deleted_at": None}
    values = {"configuration_id": configuration.pk, "action": Action.CREATE, "created_at": DAY_ONE, **equal}
    written: list[Any] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, *others: Any) -> Any:
        written.extend(params)
        return execute(sql, params, *others)

    with connection.execute_wrapper(record):
        insert([ContentMetadataItemTransmission(content_key=key, **values) for key in ("a", "b", "c")])

    assert written.count(TITLE) == (0 if connection.vendor == "mysql" else 3)
    stored = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert [(row.content_key, {name: getattr(row, name) for name in values}) for row in stored] == [
        (key, values) for key in ("a", "b", "c")
    ]


@pytest.mark.parametrize("number", [1, 3, 2_500])
def test_equal_values_of_all_rows_are_set_by_their_keys(number: int) -> None:
    rows = TransmissionFactory.create_for_keys([f"{key:05}" for key in range(number)], rejected=True)
    others = TransmissionFactory.create_for_keys(["other"], rejected=True)
    for row in [*rows, *others]:
        row.content_title, row.next_attempt_at = TITLE, None

    with CaptureQueriesContext(connection) as captured:
        update(rows, columns=["content_title", "next_attempt_at"])

    assert all(statement["sql"].startswith("UPDATE") for statement in captured)
    stored = ContentMetadataItemTransmission.objects.exclude(content_key="other")
    assert set(stored.values_list("content_title", "next_attempt_at")) == {(TITLE, None)}
    assert stored.filter(reason="Invalid parameter value detected.").count() == number
    assert ContentMetadataItemTransmission.objects.get(content_key="other").content_title != TITLE


def test_columns_without_a_value_in_any_row_are_not_in_the_statement() -> None:
    row = TransmissionFactory.create()
    run = RunFactory.create(configuration=row.configuration)
    attempts = [
        TransmissionAttempt(transmission=row, run=run, started_at=DAY_ONE, status_code=code) for code in (None, 500)
    ]

    with CaptureQueriesContext(connection) as captured:
        insert(attempts)

    [statement] = captured
    assert "status_code" in statement["sql"]
    assert "finished_at" not in statement["sql"]
    stored = TransmissionAttempt.objects.order_by("pk").values_list("status_code", "finished_at")
    assert list(stored) == [(None, None), (500, None)]


def test_columns_that_are_not_given_get_the_defaults_of_a_new_row() -> None:
    configuration = ConfigurationFactory.create()
    columns = ["configuration", "content_key", "action", "reason", "created_at"]
    expected = ContentMetadataItemTransmission(
        configuration=configuration, content_key="a", action=Action.CREATE, reason=TITLE, created_at=DAY_ONE
    )

    insert_values(ContentMetadataItemTransmission, columns, [(configuration.pk, "a", Action.CREATE, TITLE, DAY_ONE)])

    stored = ContentMetadataItemTransmission.objects.get()
    names = {field.attname for field in stored._meta.concrete_fields if not field.primary_key}
    assert {name: getattr(stored, name) for name in names - {"problem"}} == {
        name: getattr(expected, name) for name in names - {"problem"}
    }


def test_rows_that_are_there_and_others_are_written_together() -> None:
    configuration = ConfigurationFactory.create()
    rows = TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, rejected=True)
    payloads = [{"Title": TITLE, "Price": None}, {"Title": "B", "Subjects": ["x"]}]
    entries = [
        FeedItem(
            transmission=row,
            configuration=configuration,
            feed_key=row.content_key,
            payload=payload,
            modified_at=DAY_ONE,
        )
        for row, payload in zip(rows, payloads, strict=True)
    ]
    entries[0].save(force_insert=True)
    entries[0].payload = payloads[0] = {"Title": "Newer"}

    upsert(entries, columns=["payload"], key="transmission")

    assert [entry.payload for entry in FeedItem.objects.order_by("transmission__content_key")] == payloads


def test_a_statement_has_no_more_variables_than_the_database_takes() -> None:
    rows = TransmissionFactory.create_for_keys([f"{number:05}" for number in range(3000)], rejected=True)
    for row in rows:
        row.reason = row.content_key

    with CaptureQueriesContext(connection) as captured:
        upsert(rows, columns=["reason"])

    assert len(captured) == (1 if connection.vendor == "mysql" else 3)
    assert list(ContentMetadataItemTransmission.objects.order_by("content_key").values_list("reason", flat=True)) == [
        row.content_key for row in rows
    ]


def test_equal_columns_count_as_variables_of_each_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = TransmissionFactory.create_for_keys([f"{number:02}" for number in range(20)], rejected=True)
    for row in rows:
        row.reason, row.content_title, row.remote_id = row.content_key, TITLE, "1"
    monkeypatch.setattr(connection.features, "max_query_params", 20)

    with CaptureQueriesContext(connection) as captured:
        update(rows, columns=["reason", "content_title", "remote_id"])

    # Two equal values, and six of each row: id, configuration, content key, action, reason and time.
    assert len(captured) == 7
    stored = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert [row.reason for row in stored] == [row.content_key for row in rows]
    assert {(row.content_title, row.remote_id) for row in stored} == {(TITLE, "1")}


@pytest.mark.parametrize(
    "write", [insert, *(functools.partial(write, columns=["reason"]) for write in (update, upsert))]
)
def test_no_rows_take_no_statement(write: Callable[[list[ContentMetadataItemTransmission]], object]) -> None:
    with CaptureQueriesContext(connection) as captured:
        write([])

    assert len(captured) == 0


#: Kind of field -> a value of a type that is written as it is. A ``TimestampField`` has times.
SAMPLES = {
    models.CharField: TITLE,
    models.TextField: TITLE,
    models.IntegerField: 7,
    models.BinaryField: b"\x00\xff",
}
FIELDS = [
    field
    for model in apps.get_app_config("integrated_channels").get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, tuple(SAMPLES)) and not isinstance(field, TimestampField)
]


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_no_field_converts_text_numbers_or_bytes(field: models.Field[Any, Any]) -> None:
    sample = next(value for kind, value in SAMPLES.items() if isinstance(field, kind))

    prepared = field.get_db_prep_save(sample, connection)

    assert (bytes(prepared) if isinstance(sample, bytes) else prepared) == sample
