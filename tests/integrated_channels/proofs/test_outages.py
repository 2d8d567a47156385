"""The database and the broker go away at random instants of syncs, and come back; what fails, fails cleanly.

A MariaDB of our own is stopped in good order, or killed, and started again on the same data; a Redis, which is broker
and cache, forgets everything, or is killed; and sometimes both die together with the worker, as in a power cut. Syncs
are carried out by a Celery worker, which has to outlive all but the last. After each outage no row may say what is not
so, and a run that says that it is complete has to be right; then the next runs have to make learning systems, rows and
catalogs equal.

What this does not show is a disk that loses what was written to it: the operating system lives on.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests import services
from tests.integrated_channels.proofs.landscape import prepared
from tests.integrated_channels.proofs.ledger import as_text
from tests.processes import WORKER, Service, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integrated_channels.proofs.landscape import Connection, Landscape
    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who lives"),
]

#: How long a server is away at most.
AWAY_SECONDS = 1.0
#: Within what time a worker begins with what it has received.
SETTLING_SECONDS = 0.5


@pytest.fixture
def mariadb() -> Iterator[PrivateServer]:
    """A database that has on disk what it says it has."""
    server = services.or_skip(lambda: services.private_mariadb("--innodb-flush-log-at-trx-commit=1"))
    yield server
    server.stop()


@pytest.fixture
def redis() -> Iterator[PrivateServer]:
    """A broker and cache that has nothing on disk."""
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, mariadb: PrivateServer, redis: PrivateServer) -> Site:
    """A site on these two."""
    return Site.make(
        tmp_path,
        DATABASE_URL=mariadb.url,
        CELERY_BROKER_URL=redis.url,
        CACHE_URL=redis.url,
        API_THROTTLE_RATE="100000/second",
    )


@pytest.fixture
def landscape(site: Site, seed: int) -> Iterator[Landscape]:
    """Everything but Celery's worker."""
    with prepared(site) as landscape:
        landscape.reseed(seed)
        yield landscape


@dataclass(frozen=True, repr=False)
class Servers:
    """What goes away and comes back. Each outage returns when it is over and nobody is at work."""

    mariadb: PrivateServer
    redis: PrivateServer
    worker: Service
    landscape: Landscape

    @property
    def outages(self) -> dict[str, Callable[[float], None]]:
        """All that can happen, by name; to be called with how many seconds it lasts."""
        return {
            "database killed": self.kill_database,
            "database stopped": self.stop_database,
            "broker killed": self.kill_broker,
            "broker flushed": self.flush_broker,
            "power cut": self.cut_power,
        }

    def kill_database(self, seconds: float) -> None:
        self.mariadb.kill()
        time.sleep(seconds)
        self.mariadb.start()
        self.landscape.wait_until_idle()

    def stop_database(self, seconds: float) -> None:
        self.mariadb.stop()
        time.sleep(seconds)
        self.mariadb.start()
        self.landscape.wait_until_idle()

    def kill_broker(self, seconds: float) -> None:
        self.redis.kill()
        time.sleep(seconds)
        self.redis.start()
        self._wait_for_runs()

    def flush_broker(self, _: float) -> None:
        self.landscape.flush_broker()
        self._wait_for_runs()

    def cut_power(self, seconds: float) -> None:
        self.mariadb.kill()
        self.worker.kill()
        self.redis.kill()
        time.sleep(seconds)
        self.mariadb.start()
        self.redis.start()
        self.worker.start()

    def _wait_for_runs(self) -> None:
        """Return once no run is under way: the broker no longer knows what the worker has received."""
        time.sleep(SETTLING_SECONDS)
        wait_until(lambda: not any(map(self._is_under_way, self.landscape.connections)), seconds=60)

    def _is_under_way(self, connection: Connection) -> bool:
        return self.landscape.ledger(connection).lease_is_held


@pytest.fixture
def servers(site: Site, landscape: Landscape, mariadb: PrivateServer, redis: PrivateServer) -> Iterator[Servers]:
    """All of them, running, with a Celery worker."""
    servers = Servers(mariadb, redis, Service(site, *WORKER), landscape)
    servers.worker.start()
    yield servers
    servers.worker.kill()


def test_whatever_goes_away_and_comes_back_the_next_syncs_make_everything_equal(
    landscape: Landscape, servers: Servers, *, seed: int, soak: bool, tell: Callable[[str], None]
) -> None:
    chance, struck = Random(seed), Counter[str]()
    seconds = landscape.seconds_of_syncs_by_worker()

    for kind in chance.sample([*servers.outages], k=5) * (8 if soak else 1):
        landscape.change()
        for connection in landscape.connections:
            landscape.queue_sync(connection)
        time.sleep(chance.uniform(0, seconds))
        struck_at = as_text(datetime.now(UTC))
        servers.outages[kind](chance.uniform(0, AWAY_SECONDS))
        assert servers.worker.is_running
        ledgers = [landscape.check(connection) for connection in landscape.connections]
        struck[kind] += any(ledger.had_live_run(at=struck_at, since=landscape.changed_at) for ledger in ledgers)
        for connection in landscape.connections:
            landscape.converge(connection, landscape.sync_by_worker)

    tell(f"{struck.total()} outages in the midst of runs: {dict(struck)}; how all runs ended: {landscape.runs()}")
    assert struck.total() > (20 if soak else 2)
