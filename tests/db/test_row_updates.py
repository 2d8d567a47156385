"""Updates by primary key: of several tables at once, and without locks of other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.db.row_updates import RowUpdate, update_together, with_keys
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SyncLease,
    SyncRun,
)
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration as Configuration

pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration() -> Configuration:
    """A configuration with a lease, and another one with the same values."""
    for _ in range(2):
        configuration = ConfigurationFactory.create()
        SyncLease.objects.create(configuration=configuration, token=7)
        RunFactory.create(configuration=configuration, state=RunState.RUNNING, finished_at=None)
    return configuration


def update_lease_and_run(configuration: Configuration, *, token: int) -> bool:
    run = SyncRun.objects.get(configuration=configuration)
    lease = {"configuration": configuration.pk, "token": token}
    ended = {"state": RunState.COMPLETE, "finished_at": DAY_ONE, "counts": {"create": {"done": 3}}}
    return update_together(
        RowUpdate(SyncLease, lease, {"expires_at": DAY_ONE, "batch_sizes": {"create": 5}}),
        RowUpdate(SyncRun, {"id": run.pk}, ended),
    )


def test_rows_of_two_tables_are_written_and_no_others(configuration: Configuration) -> None:
    with CaptureQueriesContext(connection) as captured:
        is_written = update_lease_and_run(configuration, token=7)

    assert is_written
    assert len(captured) == {"mysql": 2, "sqlite": 3}[connection.vendor]  # One reads the run.
    [lease] = SyncLease.objects.filter(expires_at=DAY_ONE)
    assert (lease.configuration_id, lease.batch_sizes) == (configuration.pk, {"create": 5})
    [run] = SyncRun.objects.filter(state=RunState.COMPLETE)
    assert (run.configuration_id, run.finished_at, run.counts) == (configuration.pk, DAY_ONE, {"create": {"done": 3}})


def test_several_rows_get_the_same_values_next_to_a_row_of_another_table(configuration: Configuration) -> None:
    lease = RowUpdate(SyncLease, {"configuration": configuration.pk, "token": 7}, {"expires_at": DAY_ONE})
    rows = TransmissionFactory.create_batch(3, configuration=configuration)
    ours = RowUpdate(ContentMetadataItemTransmission, {}, {"content_title": "New"}, keys=[row.pk for row in rows[:2]])

    with CaptureQueriesContext(connection) as captured:
        is_written = update_together(lease, ours)

    assert is_written
    assert len(captured) == {"mysql": 1, "sqlite": 2}[connection.vendor]
    titles = ContentMetadataItemTransmission.objects.filter(content_title="New").values_list("pk", flat=True)
    assert {*titles} == {*ours.keys}
    assert [each.expires_at for each in SyncLease.objects.order_by("pk")] == [None, DAY_ONE]


@pytest.mark.parametrize(("token", "is_there"), [(6, True), (7, False)])
def test_several_rows_are_not_updated_without_the_row_of_the_other_table(
    configuration: Configuration, token: int, *, is_there: bool
) -> None:
    lease = RowUpdate(SyncLease, {"configuration": configuration.pk, "token": token}, {"batch_sizes": {"create": 5}})
    [row] = TransmissionFactory.create_batch(1, configuration=configuration)
    ours = RowUpdate(
        ContentMetadataItemTransmission, {}, {"content_title": "New"}, keys=[row.pk if is_there else row.pk + 1]
    )

    assert not update_together(lease, ours)

    assert not ContentMetadataItemTransmission.objects.filter(content_title="New").exists()


def test_a_row_with_other_values_lets_nothing_be_written(configuration: Configuration) -> None:
    assert not update_lease_and_run(configuration, token=6)

    assert not SyncLease.objects.exclude(expires_at=None).exists()
    assert not SyncRun.objects.exclude(state=RunState.RUNNING).exists()


def test_a_row_that_already_has_the_values_counts_as_written(configuration: Configuration) -> None:
    assert update_lease_and_run(configuration, token=7)
    assert update_lease_and_run(configuration, token=7)


def test_nothing_is_written_if_a_forbidden_row_exists(configuration: Configuration) -> None:
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration, state="held")
    update = RowUpdate(ChannelConfiguration, {"id": configuration.pk}, {"synced_items": 5})
    TransmissionFactory.create(held=True)

    without = update_together(update, unless=rows)
    TransmissionFactory.create(configuration=configuration, held=True)
    with_one = update_together(RowUpdate(update.model, update.where, {"synced_items": 6}), unless=rows)

    assert (without, with_one) == (True, False)
    configuration.refresh_from_db()
    assert configuration.synced_items == 5


@pytest.mark.parametrize(
    ("columns", "is_found"),
    [
        ({"active": True}, True),
        ({"active": False}, False),
        ({"next_sync_at__lte": DAY_ONE}, True),
        ({"next_sync_at__lt": DAY_ONE}, False),
        ({"queued_at": None, "active": True}, True),
        ({"queued_at__isnull": False}, False),
        ({"channel_code__in": ["MOODLE", "SAP"]}, True),
    ],
    ids=str,
)
def test_rows_with_given_keys_are_updated_if_they_meet_the_conditions(
    columns: dict[str, object], *, is_found: bool
) -> None:
    ours, other = ConfigurationFactory.create_batch(2, next_sync_at=DAY_ONE, channel_code="MOODLE")

    rows = with_keys(ChannelConfiguration.objects.all(), [ours.pk, other.pk + 1], **columns)
    updated = rows.update(queue_token=7)

    assert updated == is_found
    assert ChannelConfiguration.objects.filter(queue_token=7).exists() is is_found
    assert not ChannelConfiguration.objects.filter(pk=other.pk, queue_token=7).exists()
