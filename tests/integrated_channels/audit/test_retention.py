"""Retention: attempts and runs are kept for a set time, transmissions permanently."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from enterprise_catalog.db import batched_deletes
from enterprise_catalog.db.batched_deletes import BatchedDeletes
from enterprise_catalog.integrated_channels.audit import runs
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.tasks import maintenance, remove_old_attempts
from tests.benchmarks.audit_view.counters import counted
from tests.factories import DAY_TWO
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def removed(*, seconds: float = 60) -> BatchedDeletes:
    """Remove what is older than the second day, within a time limit."""
    deletes = BatchedDeletes(seconds=seconds)
    runs.remove_old(deletes, before=DAY_TWO)
    return deletes


def test_what_is_older_goes_and_what_it_was_about_stays() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, rejected=True)
    newer = RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    assert removed().removed == 3

    assert list(SyncRun.objects.all()) == [newer]
    assert ContentMetadataItemTransmission.objects.count() == 2


def test_more_than_one_portion_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_deletes, "ROWS_PER_TRANSACTION", 2)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, rejected=True)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    assert removed().removed == 6


def test_what_is_newer_or_under_way_or_the_newest_stays() -> None:
    configuration, other = ConfigurationFactory.create(), ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, rejected=True)
    TransmissionAttempt.objects.filter(transmission__content_key="a").update(outcome="", finished_at=None)
    TransmissionAttempt.objects.filter(transmission__content_key="b").update(started_at=DAY_TWO)
    newest_of_other = RunFactory.create(configuration=other)
    under_way = RunFactory.create(configuration=configuration, running=True)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    assert removed().removed == 0

    assert {newest_of_other, under_way} <= set(SyncRun.objects.all())


def test_the_task_keeps_attempts_for_the_configured_time(settings: Settings) -> None:
    settings.ATTEMPT_RETENTION_DAYS = 10
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abc", configuration=configuration, rejected=True)
    now = timezone.now()
    for key, days in (("a", 9), ("b", 11), ("c", 12)):
        attempts = TransmissionAttempt.objects.filter(transmission__content_key=key)
        attempts.update(started_at=now - timedelta(days=days))

    assert remove_old_attempts() == 2


def test_a_time_limit_leaves_rows_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_deletes, "ROWS_PER_TRANSACTION", 2)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, rejected=True)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    none = removed(seconds=0)
    rest = removed()

    assert (none.removed, none.is_complete) == (0, False)
    assert (rest.removed, rest.is_complete) == (6, True)


def test_the_task_continues_behind_the_tasks_that_are_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ATTEMPT_RETENTION_DAYS = 10
    TransmissionFactory.create_for_keys("abc", configuration=ConfigurationFactory.create(), rejected=True)
    TransmissionAttempt.objects.update(started_at=timezone.now() - timedelta(days=11))
    again: list[bool] = []
    monkeypatch.setattr(remove_old_attempts, "delay", lambda: again.append(True))

    monkeypatch.setattr(maintenance, "SLICE_SECONDS", 0)
    assert remove_old_attempts() == 0
    monkeypatch.setattr(maintenance, "SLICE_SECONDS", 60)
    assert remove_old_attempts() >= 3

    assert again == [True]


@pytest.mark.only_on("mariadb")
def test_each_statement_reads_only_the_rows_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_deletes, "ROWS_PER_TRANSACTION", 20)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(
        [f"key {number}" for number in range(2_000)], configuration=configuration, rejected=True
    )
    pks = list(TransmissionAttempt.objects.order_by("pk").values_list("pk", flat=True))
    TransmissionAttempt.objects.filter(pk__in=pks[:100]).update(outcome="")
    TransmissionAttempt.objects.filter(pk__in=pks[200:]).update(started_at=DAY_TWO)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    with counted() as statements:
        assert removed().removed == 100

    assert [statement.sql for statement in statements if statement.rows_read > 2 * 20] == []
