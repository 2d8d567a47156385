"""Decisions and polls change items without a lease. They wait for the transactions of a run, and do not block it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import OperationalError, connection, transaction

from enterprise_catalog.integrated_channels.audit import decisions, leases, status
from enterprise_catalog.integrated_channels.feed import entries
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    FeedItem,
    FeedResponse,
)
from tests.catalog.connections import is_blocked, wait_until
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)

BY: Final[dict[str, Any]] = {"by": "ada", "now": DAY_ONE}
POLLED: Final = DAY_ONE + timedelta(hours=1)
#: Name -> state of the items before, and a function that changes them.
WRITERS: Final[dict[str, tuple[str, Callable[[ChannelConfiguration], object]]]] = {
    "approve": ("held", lambda of: decisions.decide_deletes(of.transmissions.all(), approved=True, **BY)),
    "keep": ("held", lambda of: decisions.decide_deletes(of.transmissions.all(), approved=False, **BY)),
    "delete kept": ("kept", lambda of: decisions.delete_kept(of.transmissions.all(), **BY)),
    "queue again": ("rejected", lambda of: decisions.queue_again(of.transmissions.all(), **BY)),
    "send again": (
        "transmitted",
        lambda of: decisions.queue_again(of.transmissions.all(), also_transmitted=True, **BY),
    ),
    "acknowledge": ("staged", lambda of: entries.confirm(of, since=POLLED, by_any_poll=False, now=POLLED)),
    "serve": (
        "staged",
        lambda of: entries.note_served(of, list(of.feed_items.all()), since=POLLED, now=POLLED),
    ),
}


@pytest.fixture
def configuration() -> ChannelConfiguration:
    configuration = ConfigurationFactory.create()
    lease = leases.acquire(configuration.pk, now=DAY_ONE)
    assert lease is not None
    leases.release(lease)
    return configuration


def make_items(configuration: ChannelConfiguration, state: str) -> None:
    """Create items in this state, with entries in the feed that a poll has received."""
    FeedResponse.objects.create(configuration=configuration)
    for row in TransmissionFactory.create_for_keys("zyx", configuration=configuration, **{state: True}):
        FeedItem.objects.create(
            transmission=row,
            configuration=configuration,
            feed_key=row.content_key,
            payload={},
            modified_at=DAY_ONE,
            served_at=DAY_ONE,
            served_since=DAY_ONE,
        )


def items() -> list[Any]:
    return [*ContentMetadataItemTransmission.objects.order_by("pk").values(), *FeedItem.objects.order_by("pk").values()]


@pytest.mark.only_on("mariadb")
@pytest.mark.parametrize("name", WRITERS)
def test_it_waits_for_a_runs_transaction_without_locking_items(configuration: ChannelConfiguration, name: str) -> None:
    state, change = WRITERS[name]
    make_items(configuration, state)
    before = items()
    lease = leases.acquire(configuration.pk, now=DAY_ONE)
    assert lease is not None

    def change_and_disconnect() -> None:
        try:
            change(configuration)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with leases.fenced(lease, now=DAY_ONE):
            writer = pool.submit(change_and_disconnect)
            wait_until(lambda: is_blocked() or writer.done())
            assert not writer.done()
            for model in (FeedItem, ContentMetadataItemTransmission):  # Raises an error if a row is locked.
                assert len(model.objects.select_for_update(nowait=True).order_by("-pk")) == 3
        writer.result()

    assert items() != before


def test_a_decision_is_repeated_after_a_deadlock(
    configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    TransmissionFactory.create_for_keys("abc", configuration=configuration, held=True)
    refresh, calls = status.refresh, []

    def fail_once(*arguments: Any, **others: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        refresh(*arguments, **others)

    monkeypatch.setattr(status, "refresh", fail_once)
    assert not transaction.get_connection().in_atomic_block

    assert decisions.decide_deletes(configuration.transmissions.all(), approved=True, **BY) == 3

    [decision] = Decision.objects.all()
    assert (decision.items, decision.decided_items.count()) == (3, 3)
    assert set(configuration.transmissions.values_list("state", flat=True)) == {"pending"}
