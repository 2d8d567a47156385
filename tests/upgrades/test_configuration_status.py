"""The migration that gives existing configurations their status agrees with the status after a refresh."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps

from enterprise_catalog.integrated_channels.audit import status
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ConfigurationStatus, Status
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.django_db

migration = import_module("enterprise_catalog.integrated_channels.migrations.0022_fill_configuration_status")


@pytest.mark.parametrize(
    ("columns", "run", "items", "expected"),
    [
        ({}, None, (), Status.NEVER_SYNCED),
        ({}, {}, ("transmitted",), Status.UP_TO_DATE),
        ({}, {}, ("transmitted", "rejected"), Status.UP_TO_DATE_EXCEPT),
        ({}, {"state": "stopped", "reason": "The LMS returned 401."}, (), Status.FAILING),
        ({}, {"state": "stopped", "reason": "Rate limit exceeded. Later."}, (), Status.BEHIND),
        ({}, {}, ("retrying",), Status.FAILING),
        ({}, {}, ("held", "retrying"), Status.NEEDS_DECISION),
        ({}, {}, ("pending",), Status.BEHIND),
        ({"active": False}, {}, ("held",), Status.PAUSED),
    ],
)
def test_a_configuration_gets_the_status_that_a_refresh_gives(
    columns: dict[str, Any], run: dict[str, Any] | None, items: Sequence[str], expected: Status
) -> None:
    configuration = ConfigurationFactory.create(**columns)
    for state in items:
        TransmissionFactory.create(configuration=configuration, **{state: True})
    if run is not None:
        RunFactory.create(configuration=configuration, matched=9, **run)
    ConfigurationStatus.objects.all().delete()

    migration.fill(apps, None)

    filled = ConfigurationStatus.objects.get()
    assert (filled.state, filled.rank) == (expected, expected.rank)
    status.refresh([configuration.pk], now=DAY_ONE)
    assert ConfigurationStatus.objects.get().state == filled.state


def test_all_configurations_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "CONFIGURATIONS_AT_ONCE", 2)
    for _ in range(5):
        ConfigurationFactory.create()
    ConfigurationStatus.objects.all().delete()

    migration.fill(apps, None)

    assert ConfigurationStatus.objects.count() == ChannelConfiguration.objects.count() == 5


def test_the_ranks_are_those_of_the_code() -> None:
    assert tuple(Status.values) == migration.RANKS
