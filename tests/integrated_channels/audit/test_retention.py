"""Retention: attempts and runs are kept for a set time, transmissions permanently."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import runs
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.tasks import remove_old_attempts
from tests.factories import DAY_TWO
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_what_is_older_goes_and_what_it_was_about_stays() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, rejected=True)
    newer = RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    removed = runs.remove_old(before=DAY_TWO)

    assert removed == 3
    assert list(SyncRun.objects.all()) == [newer]
    assert ContentMetadataItemTransmission.objects.count() == 2


def test_more_than_one_portion_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ROWS_PER_STATEMENT", 2)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, rejected=True)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    assert runs.remove_old(before=DAY_TWO) == 6


def test_what_is_newer_or_under_way_or_the_newest_stays() -> None:
    configuration, other = ConfigurationFactory.create(), ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, rejected=True)
    TransmissionAttempt.objects.filter(transmission__content_key="a").update(outcome="", finished_at=None)
    TransmissionAttempt.objects.filter(transmission__content_key="b").update(started_at=DAY_TWO)
    newest_of_other = RunFactory.create(configuration=other)
    under_way = RunFactory.create(configuration=configuration, running=True)
    RunFactory.create(configuration=configuration, started_at=DAY_TWO)

    assert runs.remove_old(before=DAY_TWO) == 0

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
