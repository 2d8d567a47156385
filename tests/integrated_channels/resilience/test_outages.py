"""The database, broker and cache fail at random times during syncs and recover. Failures must leave no wrong records.

A private MariaDB is stopped or killed, and restarted on the same data. A private Redis, the broker, loses all data or
is killed. In a power cut, database, broker and worker are killed together. Another Redis, the cache, is killed, and no
run may end because of that. A Celery worker carries out the syncs and has to survive outages of database and cache. If
it ends with its broker, it is restarted, as a supervisor would restart it. After each outage, no row may contradict
the LMS, and a run recorded as complete has to be complete. The following runs have to make LMSs, rows and catalogs
equal.

Not covered: a disk that loses written data. The operating system keeps running.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests import services
from tests.integrated_channels.resilience.environment import Syncs, prepared, worker_process
from tests.integrated_channels.resilience.reconciliation import as_text
from tests.processes import Site, Worker, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integrated_channels.resilience.environment import Environment
    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

#: The most seconds that a server is down.
AWAY_SECONDS = 1.0
#: Seconds within which a worker reports the tasks that it has received.
SETTLING_SECONDS = 0.5


@pytest.fixture
def mariadb() -> Iterator[PrivateServer]:
    """A database that hands each commit to the kernel at once."""
    options = ("--innodb-flush-log-at-trx-commit=1", *services.UNSYNCED)
    server = services.or_skip(lambda: services.private_mariadb(*options))
    yield server
    server.stop()


@pytest.fixture
def redis() -> Iterator[PrivateServer]:
    """A broker without persistence."""
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.fixture
def cache() -> Iterator[PrivateServer]:
    """A cache without persistence."""
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, mariadb: PrivateServer, redis: PrivateServer, cache: PrivateServer) -> Site:
    """A site on these three servers."""
    return Site.make(
        tmp_path,
        DATABASE_URL=mariadb.url,
        CELERY_BROKER_URL=redis.url,
        CACHE_URL=cache.url,
        API_THROTTLE_RATE="100000/second",
    )


@pytest.fixture
def environment(site: Site, seed: int) -> Iterator[Environment]:
    """The environment without a Celery worker."""
    with worker_process(site) as dialogue, prepared(site, dialogue, kind="moodle") as environment:
        environment.reseed(seed)
        yield environment


@dataclass(repr=False)
class Servers:
    """The servers that fail and recover. Each outage method returns when the outage is over and no worker is active."""

    mariadb: PrivateServer
    redis: PrivateServer
    cache: PrivateServer
    syncs: Syncs
    worker_ends: int = 0  #: Number of times the worker ended by itself.

    @property
    def outages(self) -> dict[str, Callable[[float], None]]:
        """Return all outages by name. Call each with its duration in seconds."""
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
            # Celery 5.7 sometimes ends instead of reconnecting. A supervisor would restart it.
            self.worker_ends += 1
            worker.stop()
            worker.start()
            wait_until(lambda: worker.connections_to_broker() > 0, seconds=60)
        self._wait_for_received()

    def flush_broker(self, _: float) -> None:
        self.syncs.environment.flush_broker()
        self._wait_for_received()

    def kill_cache(self, seconds: float) -> None:
        environment = self.syncs.environment
        stopped = environment.runs()["stopped"]
        self.cache.kill()
        time.sleep(seconds)
        self.syncs.wait()
        assert environment.runs()["stopped"] == stopped, "a run ended because it had no cache"
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
    site: Site, environment: Environment, mariadb: PrivateServer, redis: PrivateServer, cache: PrivateServer
) -> Iterator[Servers]:
    """All servers, running, with a Celery worker."""
    worker = Worker(site)
    worker.start()
    yield Servers(mariadb, redis, cache, Syncs(environment, worker))
    worker.kill()


def test_after_an_outage_of_any_server_the_next_syncs_make_everything_equal(
    environment: Environment, servers: Servers, *, seed: int, soak: bool, report: Callable[[str], None]
) -> None:
    chance, struck, missed = Random(seed), Counter[str](), 0
    seconds = servers.syncs.measure()

    for kind in chance.sample([*servers.outages], k=len(servers.outages)) * (8 if soak else 1):
        while not is_struck(servers, kind, seconds, chance):
            missed += 1
            assert missed <= 5 + struck.total(), "too many outages outside of runs"
            seconds = servers.syncs.measure()  # The speed of the machine may have changed.
        struck[kind] += 1

    report(f"{struck.total()} outages during a run, {missed} outside of runs")
    report(f"Celery's worker gave up {servers.worker_ends} times")
    # Otherwise a lease was taken from a live worker, which is not the subject of this test.
    assert b"lease_lost" not in servers.syncs.worker.log_file.read_bytes()
    report(f"how the runs ended: {dict(environment.runs())}")


def test_tasks_that_a_worker_drops_with_its_broker_are_not_under_way(tmp_path: Path) -> None:
    ended, begun, dropped, later = (str(uuid4()) for _ in range(4))
    worker = Worker(Site.make(tmp_path))
    worker.log_file.write_text(
        f"Task sync[{ended}] received\nTask sync[{begun}] received\nTask [{ended}] begun\n"
        f"Task sync[{ended}] succeeded\nTask sync[{dropped}] received\nConnection to broker lost\n"
        f"Task [{begun}] begun\nConnected to redis://\nTask sync[{later}] received\n"
    )

    assert worker.under_way() == {begun: 1, later: 1}


def is_struck(servers: Servers, kind: str, seconds: float, chance: Random) -> bool:
    """Cause an outage within ``seconds`` of queued syncs, and converge. Return True if the outage hit a run."""
    syncs, environment = servers.syncs, servers.syncs.environment
    environment.change()
    syncs.queue_all()
    time.sleep(chance.uniform(0, seconds))
    struck_at = as_text(datetime.now(UTC))
    servers.outages[kind](chance.uniform(0, AWAY_SECONDS))
    assert syncs.worker.is_running
    recorded_states = [environment.check(connection) for connection in environment.connections]
    for connection in environment.connections:
        environment.converge(connection, syncs.sync)
    return any(recorded.had_live_run(at=struck_at, since=environment.changed_at) for recorded in recorded_states)
