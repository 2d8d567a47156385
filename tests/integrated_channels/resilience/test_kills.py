"""Workers and LMSs are killed at random times; the following runs repair everything.

Workers are killed with SIGKILL. They are syncs in forks of a preloaded process, several per second, and a Celery
worker, either its pool or all of it. Meanwhile, the LMS drops responses, returns errors or is killed, and the catalogs
change. At intervals the failures stop. Then LMSs, rows and catalogs have to be equal, without duplicate courses or open
records. The tests run for each LMS in ``systems/``, on one site.

The test expires a dead worker's lease once the worker is verifiably dead and the LMS has finished its requests.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests import services
from tests.integrated_channels.resilience.environment import Syncs, prepared, some_faults, worker_process
from tests.integrated_channels.resilience.reconciliation import as_text
from tests.processes import Site, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integrated_channels.resilience.environment import Connection, Ended, Environment
    from tests.integrated_channels.resilience.reconciliation import RecordedState
    from tests.processes import Dialogue

pytestmark = [
    pytest.mark.processes,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]


#: Kills of syncs in the reduced form and in the long form. Moodle's calls are representative of most other LMSs. Even
#: the fewest kills hit four runs or more, and items in flight at least twice.
KILLS = 9
KILLS_OF_OTHERS = 5
KILLS_OF_A_SOAK = 160
#: Kills of Celery workers.
WORKER_KILLS = 5
WORKER_KILLS_OF_A_SOAK = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mariadb_url: str, redis_url: str) -> Site:
    """A site as in production."""
    redis = redis_url.rpartition("/")[0]
    return Site.make(
        tmp_path_factory.mktemp("kills"),
        DATABASE_URL=services.create_database(mariadb_url, "kills"),
        CELERY_BROKER_URL=f"{redis}/3",
        CACHE_URL=f"{redis}/4",
        API_THROTTLE_RATE="100000/second",
        FEED_THROTTLE_RATE="100000/second",
    )


@pytest.fixture(scope="module")
def dialogue(site: Site) -> Iterator[Dialogue]:
    """The connection to the site's worker process."""
    with worker_process(site) as dialogue:
        yield dialogue


@pytest.fixture(scope="module")
def shared_environment(site: Site, dialogue: Dialogue, kind: str) -> Iterator[Environment]:
    """The environment without a Celery worker."""
    with prepared(site, dialogue, kind=kind) as environment:
        yield environment


@pytest.fixture
def environment(shared_environment: Environment, seed: int) -> Environment:
    """The environment without a Celery worker, with catalogs that change by the test's seed."""
    shared_environment.reseed(seed)
    shared_environment.limit_chunks(shared_environment.connections[1], None)
    return shared_environment


@pytest.fixture
def syncs(site: Site, environment: Environment) -> Iterator[Syncs]:
    """A Celery worker that syncs."""
    worker = Worker(site)
    worker.start()
    yield Syncs(environment, worker)
    worker.kill()


@dataclass
class Tally:
    """Counts of kills, by the state that they struck."""

    kills: int = 0
    in_run: int = 0  #: A run was active.
    in_flight: int = 0  #: Items had been sent, or were about to be sent, and had no outcome.
    lms_deaths: int = 0

    def suffices(self, kills: int) -> bool:
        """Return True after enough kills, if most were during a run and some while items were in flight.

        On a slow machine more kills miss, and the test makes more of them. Fails after four times as many, or 100.
        """
        assert self.kills < max(4 * kills, 100), f"too many kills outside of runs: {self}"
        return self.kills >= kills and self.in_run >= kills * 0.6 and self.in_flight >= kills * 0.2

    def add(self, *recorded_states: RecordedState, since: str) -> None:
        """Count a kill by the state that it left. Only runs that started after ``since`` count."""
        now = as_text(datetime.now(UTC))
        killed = [recorded for recorded in recorded_states if recorded.had_live_run(at=now, since=since)]
        self.kills += 1
        self.in_run += bool(killed)
        self.in_flight += any(recorded.newest_run_in_flight for recorded in killed)

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.in_run} of them in a run, {self.in_flight} with items in flight"


def test_whenever_a_sync_is_killed_the_next_ones_make_everything_equal(
    environment: Environment, kind: str, *, seed: int, soak: bool, report: Callable[[str], None]
) -> None:
    chance, tally = Random(seed), Tally()
    kills = KILLS_OF_A_SOAK if soak else KILLS if kind == "moodle" else KILLS_OF_OTHERS
    environment.limit_chunks(environment.connections[1], 9)
    undisturbed = {connection: environment.undisturbed_sync(connection) for connection in environment.connections}

    while not tally.suffices(kills):
        for _ in range(chance.randint(1, 6)):
            connection = chance.choice(environment.connections)
            if chance.random() < 0.7:
                environment.change()
            kill_a_sync(environment, connection, undisturbed[connection], chance, tally)
            environment.let_a_day_pass(everywhere=chance.random() < 0.8)
        for connection in environment.connections:
            connection.lms.fail()
            environment.converge(connection, environment.sync)

    report(f"{tally}; an LMS was killed {tally.lms_deaths} times")


def kill_a_sync(
    environment: Environment, connection: Connection, undisturbed: Ended, chance: Random, tally: Tally
) -> None:
    """Sync, and kill the sync before an undisturbed sync would have ended. The LMS may fail or be killed, too.

    Half of the kills are at a random time, which a sync mostly spends waiting. The other half are between two
    statements.
    """
    lms = connection.lms
    lms.fail(*some_faults(chance, lms))
    if chance.random() < 0.5:
        environment.begin_sync(connection, kill_after=chance.uniform(0, undisturbed.seconds))
    else:
        environment.begin_sync(connection, kill_before=chance.randint(1, undisturbed.statements))
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0, undisturbed.seconds))
        lms.service.kill()
        tally.lms_deaths += 1
    ended = environment.end_of_sync()
    if not lms.service.is_running:
        lms.start()
    recorded = environment.check(connection)
    if ended.was_killed:
        tally.add(recorded, since=ended.began_at)


@pytest.mark.slow
def test_whenever_a_celery_worker_is_killed_the_next_one_makes_everything_equal(
    environment: Environment, syncs: Syncs, *, seed: int, soak: bool, report: Callable[[str], None]
) -> None:
    chance, tally = Random(seed), Tally()

    while not tally.suffices(WORKER_KILLS_OF_A_SOAK if soak else WORKER_KILLS):
        seconds = syncs.measure()
        for _ in range(chance.randint(1, 4)):
            environment.change()
            kill_a_worker(syncs, seconds, chance)
            tally.add(*map(environment.check, environment.connections), since=environment.changed_at)
            environment.let_a_day_pass()
            if not syncs.worker.is_running:
                syncs.worker.start()
        for connection in environment.connections:
            connection.lms.fail()
            environment.converge(connection, syncs.sync)

    report(str(tally))


def kill_a_worker(syncs: Syncs, seconds: float, chance: Random) -> None:
    """Queue all syncs, and kill the worker or its pool within ``seconds`` after it starts with a sync."""
    for connection in syncs.environment.connections:
        connection.lms.fail(*some_faults(chance, connection.lms))
    syncs.queue_all()
    syncs.wait_for_the_first()
    time.sleep(chance.uniform(0, seconds))
    if chance.random() < 0.7:
        syncs.worker.kill_pool()
        syncs.wait()  # Celery passes the tasks of dead processes to others.
    else:
        syncs.worker.kill()
        syncs.lose()
