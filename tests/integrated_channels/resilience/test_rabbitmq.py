"""RabbitMQ delivers a sync again that takes longer than its consumer timeout; the sync still runs once."""

from __future__ import annotations

import sys
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests import services
from tests.integrated_channels.resilience.fleet import running_fleet
from tests.integrated_channels.resilience.systems.moodle import CREATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

TIMEOUT_SECONDS: Final = 2
#: Duration of the call to the LMS: RabbitMQ closes the channel long before its end.
CALL_SECONDS: Final = 5.0
#: RabbitMQ's message about a channel that it closes.
TIMED_OUT: Final = b"delivery acknowledgement on channel"


@pytest.fixture
def rabbitmq() -> Iterator[PrivateServer]:
    """A RabbitMQ that waits for an acknowledgement for two seconds, instead of half an hour."""
    server = services.or_skip(lambda: services.private_rabbitmq(f"consumer_timeout = {TIMEOUT_SECONDS * 1000}"))
    yield server
    server.stop()


def test_a_sync_that_exceeds_the_consumer_timeout_runs_once(
    tmp_path: Path, mariadb_url: str, redis_url: str, rabbitmq: PrivateServer, seed: int
) -> None:
    environment = {
        "DATABASE_URL": services.create_database(mariadb_url, "rabbitmq"),
        "CACHE_URL": f"{redis_url.rpartition('/')[0]}/9",
    }
    with running_fleet(tmp_path, ["moodle"], Random(seed), broker=rabbitmq, **environment) as fleet:
        [customer] = fleet.customers
        sent_before = len(fleet.attempts(customer))
        customer.content.add(1)
        customer.set_faults(Fault(kind=FaultKind.DELAY, operation=CREATE, delay_seconds=CALL_SECONDS))
        fleet.put(customer)
        fleet.wait_until_settled()

        assert TIMED_OUT in (rabbitmq.folder / "log").read_bytes()
        creates = Counter(each["transmission_id"] for each in fleet.attempts(customer) if each["action"] == "create")
        assert creates.total() == len(creates) > sent_before
