"""Decisions and polls change items without a lease. They wait for the transactions of a run, and do not block it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

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
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db(transaction=True)

BY: Final[dict[str, Any]] = {"by": "ada", "now": DAY_ONE}
CONFIGURATIONS: Final = ChannelConfiguration._meta.db_table
#: Tables with a foreign key to the configurations.
REFERRING: Final = "|".join(
    relation.related_model._meta.db_table for relation in ChannelConfiguration._meta.related_objects
)
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


@pytest.mark.parametrize("name", WRITERS)
def test_it_updates_the_configuration_before_it_inserts_rows_that_refer_to_it(
    configuration: ChannelConfiguration, name: str
) -> None:
    """An insert locks the configuration for reading; two transactions that both do so could not update it."""
    state, change = WRITERS[name]
    make_items(configuration, state)

    with CaptureQueriesContext(connection) as captured:
        change(configuration)

    for statements in transactions(captured):
        inserts = [at for at, sql in enumerate(statements) if re.match(rf"INSERT INTO .({REFERRING})\b", sql)]
        updates = [at for at, sql in enumerate(statements) if re.match(rf"UPDATE .{CONFIGURATIONS}\b", sql)]
        assert max(updates, default=0) <= min(inserts, default=len(statements)), "\n".join(statements)


def transactions(captured: CaptureQueriesContext) -> Iterator[list[str]]:
    """Yield the statements of each transaction."""
    statements: list[str] = []
    for query in captured:
        if query["sql"].startswith(("BEGIN", "COMMIT")):
            yield statements
            statements = []
        else:
            statements.append(query["sql"])
    yield statements


@pytest.mark.parametrize("name", WRITERS)
def test_it_is_repeated_after_a_deadlock(
    configuration: ChannelConfiguration, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, change = WRITERS[name]
    make_items(configuration, state)
    before = items()
    fail_once(monkeypatch, leases, "lock")

    change(configuration)

    assert items() != before
    assert [decision.items for decision in Decision.objects.all()] == [3] * (name not in {"acknowledge", "serve"})


def test_all_of_a_decision_is_rolled_back_before_it_is_repeated(
    configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    TransmissionFactory.create_for_keys("abc", configuration=configuration, held=True)
    fail_once(monkeypatch, status, "refresh")

    assert decisions.decide_deletes(configuration.transmissions.all(), approved=True, **BY) == 3

    [decision] = Decision.objects.all()
    assert (decision.items, decision.decided_items.count()) == (3, 3)
    assert set(configuration.transmissions.values_list("state", flat=True)) == {"pending"}


def fail_once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Let the first call of a function fail as MariaDB does if it has ended the transaction."""
    function, calls = getattr(module, name), []

    def fails(*arguments: Any, **others: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return function(*arguments, **others)

    monkeypatch.setattr(module, name, fails)
