"""Selection of due configurations by the scheduler, and the Celery task of a sync."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({"next_sync_at": None}, True),
        ({"next_sync_at": DAY_ONE}, True),
        ({"next_sync_at": DAY_ONE + timedelta(seconds=1)}, False),
        ({"next_sync_at": None, "active": False}, False),
    ],
)
def test_a_configuration_is_due_when_it_is_switched_on_and_its_time_has_come(
    configure: Callable[..., ChannelConfiguration], columns: dict[str, object], *, is_due: bool
) -> None:
    configure(**columns)

    assert ChannelConfiguration.objects.due(DAY_ONE).exists() is is_due


def test_the_task_syncs_its_configuration(configuration: ChannelConfiguration, customer: EnterpriseCustomer) -> None:
    CatalogFactory.create(content=["A"], customer=customer)

    sync_configuration(configuration.pk)

    assert SyncRun.objects.get().counts == {"create": {"done": 1}}


def test_a_task_that_waited_in_the_queue_while_another_ran_does_nothing(configuration: ChannelConfiguration) -> None:
    sync_configuration(configuration.pk, only_if_due=True)
    sync_configuration(configuration.pk, only_if_due=True)

    assert SyncRun.objects.count() == 1


def test_the_task_skips_a_configuration_that_was_switched_off_after_it_was_queued(
    configure: Callable[..., ChannelConfiguration],
) -> None:
    sync_configuration(configure(active=False).pk)

    assert not SyncRun.objects.exists()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls that the task queues for later."""
    calls: list[dict[str, Any]] = []

    def note(args: tuple[int], kwargs: dict[str, bool], **options: Any) -> None:
        calls.append({"args": args, **kwargs, **options})

    monkeypatch.setattr(sync_configuration, "apply_async", note)
    return calls


def test_a_run_that_was_cut_short_is_queued_again_at_once(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, queued: list[dict[str, Any]]
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1, max_chunks_per_run=1)

    sync_configuration(configuration.pk)

    configuration.refresh_from_db()
    assert queued == [{"args": (configuration.pk,), "only_if_due": True, "eta": configuration.next_sync_at}]


def test_a_run_that_waits_for_more_calls_is_queued_for_when_there_are_some(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, queued: list[dict[str, Any]]
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1, settings={"category_id": 1, "calls_per_minute": 1})

    sync_configuration(configuration.pk)

    [call] = queued
    assert timedelta(0) < call["eta"] - timezone.now() <= timedelta(seconds=60)


def test_a_run_that_is_due_later_is_left_to_the_scheduler(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, queued: list[dict[str, Any]]
) -> None:
    CatalogFactory.create(courses=3, customer=customer)

    sync_configuration(configuration.pk)

    assert queued == []
