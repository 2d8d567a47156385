"""Database, broker and cache go away at random instants of syncs, and come back; what fails, fails cleanly.

A MariaDB of our own is stopped in good order, or killed, and started again on the same data; a Redis, which is the
broker, forgets everything, or is killed; and sometimes all die together with the worker, as in a power cut. Another
Redis, which is the cache, is killed, and no run may end for that. Syncs are carried out by a Celery worker, which has
to outlive the outages of database and cache; where it ends with its broker, it is started again, as whoever
supervises it would. After each outage no row may say what is not so, and a run that says that it is complete has to
be right; then the next runs have to make learning systems, rows and catalogs equal.

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
from tests.integrated_channels.proofs.landscape import Syncs, prepared, workshop
from tests.integrated_channels.proofs.ledger import as_text
from tests.processes import Site, Worker, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integrated_channels.proofs.landscape import Landscape
    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who lives"),
]

#: How long a server is away at most.
AWAY_SECONDS = 1.0
#: Within what time a worker tells what it has received.
SETTLING_SECONDS = 0.5


@pytest.fixture
def mariadb() -> Iterator[PrivateServer]:
    """A database that has on disk what it says it has."""
    server = services.or_skip(lambda: services.private_mariadb("--innodb-flush-log-at-trx-commit=1"))
    yield server
    server.stop()


@pytest.fixture
def redis() -> Iterator[PrivateServer]:
    """A broker that has nothing on disk."""
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.fixture
def cache() -> Iterator[PrivateServer]:
    """A cache that has nothing on disk."""
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, mariadb: PrivateServer, redis: PrivateServer, cache: PrivateServer) -> Site:
    """A site on these three."""
    return Site.make(
        tmp_path,
        DATABASE_URL=mariadb.url,
        CELERY_BROKER_URL=redis.url,
        CACHE_URL=cache.url,
        API_THROTTLE_RATE="100000/second",
    )


@pytest.fixture
def landscape(site: Site, seed: int) -> Iterator[Landscape]:
    """Everything but Celery's worker."""
    with workshop(site) as dialogue, prepared(site, dialogue, kind="moodle") as landscape:
        landscape.reseed(seed)
        yield landscape


@dataclass(repr=False)
class Servers:
    """What goes away and comes back. Each outage returns when it is over and nobody is at work."""

    mariadb: PrivateServer
    redis: PrivateServer
    cache: PrivateServer
    syncs: Syncs
    worker_ends: int = 0  #: How often the worker has ended by itself.

    @property
    def outages(self) -> dict[str, Callable[[float], None]]:
        """All that can happen, by name; to be called with how many seconds it lasts."""
        return {
            "database killed": self.kill_database,
            "database stopped": self.stop_database,
            "broker killed": self.kill_broker,
            "broker flushed": self.flush_broker,
            "cache killed": self.kill_cache,
            "power cut": self.cut_power,
        }

    def kill_database(self, seconds: float) -> None:
        self.mariadb.kill()
        time.sleep(seconds)
        self.mariadb.start()
        self.syncs.wait()

    def stop_database(self, seconds: float) -> None:
        self.mariadb.stop()
        time.sleep(seconds)
        self.mariadb.start()
        self.syncs.wait()

    def kill_broker(self, seconds: float) -> None:
        worker = self.syncs.worker
        connections = worker.connections_to_broker()
        self.redis.kill()
        time.sleep(seconds)
        self.redis.start()
        wait_until(lambda: worker.connections_to_broker() > connections or not worker.is_running, seconds=60)
        if not worker.is_running:
            # At some instants Celery 5.7 does not reconnect and ends; whoever supervises it starts it again.
            self.worker_ends += 1
            worker.stop()
            worker.start()
            wait_until(lambda: worker.connections_to_broker() > 0, seconds=60)
        self._wait_for_received()

    def flush_broker(self, _: float) -> None:
        self.syncs.landscape.flush_broker()
        self._wait_for_received()

    def kill_cache(self, seconds: float) -> None:
        landscape = self.syncs.landscape
        stopped = landscape.runs()["stopped"]
        self.cache.kill()
        time.sleep(seconds)
        self.syncs.wait()
        assert landscape.runs()["stopped"] == stopped, "a run ended because it had no cache"
        self.cache.start()

    def _wait_for_received(self) -> None:
        time.sleep(SETTLING_SECONDS)
        self.syncs.lose()
        self.syncs.wait()

    def cut_power(self, seconds: float) -> None:
        self.mariadb.kill()
        self.syncs.worker.kill()
        self.redis.kill()
        self.cache.kill()
        time.sleep(seconds)
        self.mariadb.start()
        self.redis.start()
        self.cache.start()
        self.syncs.worker.start()
        self.syncs.lose()


@pytest.fixture
def servers(
    site: Site, landscape: Landscape, mariadb: PrivateServer, redis: PrivateServer, cache: PrivateServer
) -> Iterator[Servers]:
    """All of them, running, with a Celery worker."""
    worker = Worker(site)
    worker.start()
    yield Servers(mariadb, redis, cache, Syncs(landscape, worker))
    worker.kill()


def test_whatever_goes_away_and_comes_back_the_next_syncs_make_everything_equal(
    landscape: Landscape, servers: Servers, *, seed: int, soak: bool, tell: Callable[[str], None]
) -> None:
    chance, struck, missed = Random(seed), Counter[str](), 0
    seconds = servers.syncs.measure()

    for kind in chance.sample([*servers.outages], k=len(servers.outages)) * (8 if soak else 1):
        while not is_struck(servers, kind, seconds, chance):
            missed += 1
            assert missed <= 5 + struck.total(), "too many outages that prove nothing"
            seconds = servers.syncs.measure()  # The machine may have more to do now, or less.
        struck[kind] += 1

    tell(f"{struck.total()} outages in the midst of a run, {missed} beside one")
    tell(f"Celery's worker gave up {servers.worker_ends} times")
    # Else a lease was taken from a worker that lived, and the proof would be of something else.
    assert b"lease_lost" not in servers.syncs.worker.log_file.read_bytes()
    tell(f"how the runs ended: {dict(landscape.runs())}")


def is_struck(servers: Servers, kind: str, seconds: float, chance: Random) -> bool:
    """Let an outage strike within ``seconds`` of syncs, see that all becomes equal; return whether it hit a run."""
    syncs, landscape = servers.syncs, servers.syncs.landscape
    landscape.change()
    syncs.queue_all()
    time.sleep(chance.uniform(0, seconds))
    struck_at = as_text(datetime.now(UTC))
    servers.outages[kind](chance.uniform(0, AWAY_SECONDS))
    assert syncs.worker.is_running
    ledgers = [landscape.check(connection) for connection in landscape.connections]
    for connection in landscape.connections:
        landscape.converge(connection, syncs.sync)
    return any(ledger.had_live_run(at=struck_at, since=landscape.changed_at) for ledger in ledgers)
