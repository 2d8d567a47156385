"""Selection of due configurations by the scheduler, and the Celery task of a sync."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    RunState,
    SyncLease,
    SyncQueue,
    SyncRun,
)
from enterprise_catalog.integrated_channels.tasks import (
    claims,
    queue_sync,
    sync_configuration,
    sync_due_configurations,
    syncs,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.tasks.fleet import make_fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

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


@dataclass(frozen=True)
class Message:
    """A message to a worker."""

    configuration_id: int
    token: int
    queue: str

    def receive(self) -> None:
        """Run the task, as the worker does."""
        sync_configuration(self.configuration_id, token=self.token)


class Broker:
    """The messages that were sent, in place of a broker. It may become unreachable."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.free = 1_000  #: Number of messages until it is unreachable.

    def send(self, args: tuple[int], kwargs: dict[str, int], *, queue: str) -> None:
        """Replace ``sync_configuration.apply_async``."""
        if len(self.messages) >= self.free:
            raise OperationalError
        self.messages.append(Message(*args, **kwargs, queue=queue))

    def take_all(self) -> list[Message]:
        """Return and remove all messages."""
        messages, self.messages = self.messages, []
        return messages


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(sync_configuration, "apply_async", broker.send)
    monkeypatch.setattr(syncs, "queue_length", lambda _: len(broker.messages))
    return broker


@pytest.mark.usefixtures("configuration")
def test_a_queued_sync_runs_once(broker: Broker) -> None:
    assert (sync_due_configurations(), sync_due_configurations()) == (1, 0)
    [message] = broker.take_all()

    message.receive()
    message.receive()

    assert SyncRun.objects.count() == 1
    assert (sync_due_configurations(), broker.messages) == (0, [])


def test_a_sync_that_a_user_asks_for_replaces_one_in_the_sweep(
    configuration: ChannelConfiguration, broker: Broker
) -> None:
    sync_due_configurations()
    queue_sync(configuration.pk)
    queue_sync(configuration.pk)
    swept, asked = broker.take_all()

    swept.receive()
    assert not SyncRun.objects.exists()
    asked.receive()

    assert (swept.queue, asked.queue) == ("sweep", "interactive")
    assert SyncRun.objects.count() == 1


@pytest.mark.usefixtures("configuration")
def test_a_worker_that_ends_a_sync_queues_the_next_ones(broker: Broker, settings: Settings) -> None:
    settings.SYNC_QUEUE_SIZE = 2
    sync_due_configurations()
    [message] = broker.take_all()
    waiting = make_fleet(3, next_sync_at=timezone.now())

    message.receive()

    assert [each.configuration_id for each in broker.messages] == waiting[:2]


def test_a_run_that_was_cut_short_continues_behind_the_others(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, broker: Broker
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1, max_chunks_per_run=1, queue="changes")
    sync_due_configurations()
    [message] = broker.take_all()
    [other] = make_fleet(1, next_sync_at=timezone.now())

    message.receive()

    assert [(each.configuration_id, each.queue) for each in broker.messages] == [
        (other, "sweep"),
        (configuration.pk, "sweep"),
    ]


@pytest.mark.usefixtures("broker")
def test_a_run_that_waits_for_more_calls_is_due_when_there_are_some(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1, settings={"category_id": 1, "calls_per_minute": 1})

    sync_configuration(configuration.pk)

    configuration.refresh_from_db()
    assert configuration.next_sync_at is not None
    assert timedelta(0) < configuration.next_sync_at - timezone.now() <= timedelta(seconds=60)
    assert configuration.not_before == configuration.next_sync_at
    assert sync_due_configurations() == 0


def test_an_unreachable_broker_costs_no_sync(broker: Broker) -> None:
    fleet = make_fleet(5)
    broker.free = 2
    with pytest.raises(OperationalError):
        sync_due_configurations()

    broker.free = 1_000
    sync_due_configurations()

    assert [each.configuration_id for each in broker.messages] == fleet


@pytest.mark.parametrize("age", [timedelta(0), claims.LOST_AFTER + timedelta(seconds=1)])
def test_messages_that_a_killed_scheduler_did_not_send_are_sent_later(broker: Broker, age: timedelta) -> None:
    fleet = make_fleet(3)
    now = timezone.now() - age
    claims.claim_due(claims.read_load(now), now=now)

    sync_due_configurations()  # Finds them.
    sync_due_configurations()

    assert [each.configuration_id for each in broker.messages] == (fleet if age else [])


def test_messages_that_wait_for_slow_workers_are_not_sent_again(broker: Broker) -> None:
    make_fleet(3)
    sync_due_configurations()
    ChannelConfiguration.objects.update(queued_at=timezone.now() - timedelta(hours=1))

    sync_due_configurations()
    sync_due_configurations()

    assert len(broker.messages) == 3


@pytest.mark.usefixtures("broker")
def test_a_sync_that_is_requested_during_a_run_follows_it(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox
) -> None:
    CatalogFactory.create(courses=1, customer=customer)

    def request(_: float) -> None:
        decisions.sync_now(configuration, by="a user", now=timezone.now())

    moodle.faults.sleep = request
    moodle.faults.set([Fault(kind=FaultKind.DELAY, times=1)])

    sync_configuration(configuration.pk)

    assert SyncRun.objects.get().state == RunState.COMPLETE
    assert sync_due_configurations() == 1


def test_a_large_sync_yields_after_its_time_slice_and_is_not_punished(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, settings: Settings
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1)
    settings.SYNC_SLICE_SECONDS = 0

    for _ in range(3):
        sync_configuration(configuration.pk, only_if_due=True)

    runs = SyncRun.objects.order_by("pk").values_list("state", "counts", "stop_cause", "backlog")
    sent = {"create": {"done": 1}}
    assert list(runs) == [("incomplete", sent, "", 2), ("incomplete", sent, "", 1), ("complete", sent, "", 0)]
    assert SyncLease.objects.get().overruns == 0


def test_a_configuration_may_have_a_longer_time_slice(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, settings: Settings
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1, max_seconds_per_run=1_000)
    settings.SYNC_SLICE_SECONDS = 0

    sync_configuration(configuration.pk)

    assert SyncRun.objects.get().counts == {"create": {"done": 3}}


def test_a_worker_leaves_a_busy_lms_host_at_once(configuration: ChannelConfiguration, settings: Settings) -> None:
    settings.SYNCS_PER_LMS_HOST = 2
    others = make_fleet(2, active=False)
    ChannelConfiguration.objects.filter(pk__in=others).update(base_url=configuration.base_url)
    soon = timezone.now() + timedelta(minutes=1)
    SyncLease.objects.bulk_create(SyncLease(configuration_id=pk, expires_at=soon) for pk in others)

    sync_configuration(configuration.pk)
    assert not SyncRun.objects.exists()
    configuration.refresh_from_db()
    assert configuration.next_sync_at is not None
    assert configuration.next_sync_at > timezone.now()

    SyncLease.objects.filter(configuration=others[0]).update(expires_at=None)
    sync_configuration(configuration.pk)
    assert SyncRun.objects.count() == 1


def test_the_queues_of_syncs_exist() -> None:
    assert {*SyncQueue.values} < {*app.amqp.queues}
