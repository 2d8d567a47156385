"""Four workers, duplicate task deliveries, and a worker that is frozen for longer than its lease."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from redis import Redis

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests import services
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.resilience.catalog_proxy import CatalogProxy
from tests.integrated_channels.resilience.celery_workers import PATIENCE_SECONDS, Worker, running_workers
from tests.integrated_channels.resilience.changing_catalogs import ChangingCatalogs, as_offered
from tests.migrated_database import migrate
from tests.processes import Dialogue, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

CUSTOMERS: Final = 5
CONFIGURATIONS_PER_CUSTOMER: Final = 4
CHUNK_SIZE: Final = 3
#: More than two chunks: a run that stops in its second chunk has sent one chunk and has one left.
NEW_ITEMS: Final = 2 * CHUNK_SIZE + 1
CREATE: Final = "core_course_create_courses"


class Place(Enum):
    """The point at which a worker is frozen."""

    IN_A_CALL = "in a call that the LMS processes meanwhile"
    IN_A_SLOW_CALL = "in a call that the LMS carries out after the successor's call"
    BETWEEN_CALLS = "between two calls, while the catalog service returns what to send"
    BEFORE_ITS_END = "while the catalog service responds that there is nothing to do; only the end is left to record"


@dataclass(frozen=True)
class Freeze:
    """The point at which a worker is frozen, and the time when it wakes up."""

    place: Place
    wakes_early: bool = False  #: During a call of its successor; otherwise after the successor has finished.


FREEZES: Final = [
    *(Freeze(place) for place in Place),
    Freeze(Place.IN_A_CALL, wakes_early=True),
    Freeze(Place.BETWEEN_CALLS, wakes_early=True),
]


class Gate:
    """Holds a request until it is opened. ``is_reached`` is set when the request arrives."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self._is_open = threading.Event()

    def __call__(self, _: float) -> None:
        self.is_reached.set()
        assert self._is_open.wait(PATIENCE_SECONDS)

    def open(self) -> None:
        """Let the request through."""
        self._is_open.set()


@dataclass(frozen=True)
class Connection:
    """One configuration with its own LMS and two catalogs: its own and a shared one."""

    configuration: int
    lms: MoodleSandbox
    content: ChangingCatalogs  #: Of all catalogs of the customer.
    own: str
    shared: str

    def expected(self) -> dict[str, str]:
        """Return key -> full name of the courses in the two catalogs."""
        return as_offered(self.content.documents([self.own, self.shared]))

    def check(self) -> None:
        """Check that the LMS equals the two catalogs, without duplicate courses."""
        assert self.lms.offered() == self.expected()
        assert len(self.lms.courses) == len({course["idnumber"] for course in self.lms.courses})


@dataclass
class Deployment:
    """All processes and configurations of the test."""

    catalog_proxy: CatalogProxy
    admin_process: Dialogue
    workers: list[Worker] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    queued: int = 0

    def order(self, do: str, **arguments: object) -> Any:
        """Have the admin process carry out an order; see ``admin_process.py``."""
        return self.admin_process.ask(do=do, **arguments)

    def read(self, connection: Connection) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of a configuration, grouped by table."""
        rows: dict[str, list[dict[str, Any]]] = self.order("read", configuration=connection.configuration)
        return rows

    def queue(self, *connections: Connection, times: int) -> None:
        """Queue ``times`` syncs of each configuration."""
        configurations = [connection.configuration for connection in connections]
        self.order("queue", configurations=configurations, times=times)
        self.queued += len(configurations) * times

    def wait_until_done(self, *, but: int = 0) -> None:
        """Wait until the workers have finished all queued tasks except ``but`` tasks; no task may fail."""

        def are_done() -> bool:
            assert not [message for worker in self.workers for message in worker.failed_tasks()]
            return sum(worker.tasks_done() for worker in self.workers) == self.queued - but

        wait_until(are_done, seconds=PATIENCE_SECONDS)

    def store(self) -> None:
        """Write the expected content to the catalogs."""
        for content in {id(connection.content): connection.content for connection in self.connections}.values():
            for catalog in content.names:
                self.order("put", catalog=catalog, documents=[*content.documents([catalog]).values()])

    def worker_at(self, connection: Connection) -> tuple[Worker, int]:
        """Return the worker that is syncing a configuration, and the run's ID."""
        [found] = [
            (worker, run)
            for worker in self.workers
            for run, end in worker.runs(connection.configuration).items()
            if not end
        ]
        return found


@pytest.fixture
def deployment(tmp_path: Path, mariadb_url: str, redis_url: str, seed: int) -> Iterator[Deployment]:
    """MariaDB, Redis, the catalog service, four workers, and 20 configurations that have never been synced."""
    redis = redis_url.rpartition("/")[0]
    database = services.create_database(mariadb_url, "workers")
    with Redis.from_url(f"{redis}/3") as broker:
        broker.flushdb()
    with ExitStack() as open_:
        catalog_proxy = CatalogProxy(service_url="")
        open_.callback(catalog_proxy.client.close)
        site = Site.make(
            tmp_path,
            DATABASE_URL=database,
            CELERY_BROKER_URL=f"{redis}/3",
            CACHE_URL=f"{redis}/4",
            CATALOG_API_URL=open_.enter_context(on_loopback(catalog_proxy)),
            API_THROTTLE_RATE="100000/second",
        )
        catalog_proxy.service_url = f"http://127.0.0.1:{site.port}"
        migrate(site)
        open_.enter_context(site.web())
        admin_process = open_.enter_context(
            site.dialogue("from tests.integrated_channels.resilience.admin_process import main; main()")
        )
        deployment = Deployment(catalog_proxy, admin_process)
        rng = Random(seed)
        for number in range(CUSTOMERS):
            connect_customer(deployment, f"Customer{number}", rng, open_)
        options = ("-I", "tests.integrated_channels.resilience.quick_leases")
        deployment.workers += open_.enter_context(
            running_workers(site, ("first", "second", "third", "fourth"), options=options)
        )
        yield deployment


def connect_customer(deployment: Deployment, name: str, rng: Random, open_: ExitStack) -> None:
    """Create a customer with some content. Connect each catalog, except the shared catalog, to its own LMS."""
    made = deployment.order("make_customer", name=name, catalogs=CONFIGURATIONS_PER_CUSTOMER + 1)
    shared, *others = made["catalogs"]
    content = ChangingCatalogs(made["catalogs"], rng, prefix=f"{name}+C")
    content.add(NEW_ITEMS, to=shared)
    for own in others:
        lms = MoodleSandbox()
        announced = {
            "url": open_.enter_context(on_loopback(lms)),
            "settings": dict(lms.channel_settings()),
            "credentials": dict(lms.channel_credentials()),
        }
        columns = {"chunk_size": CHUNK_SIZE, "delete_limit_percent": 100}
        configuration = deployment.order(
            "connect", customer=made["customer"], catalogs=[shared, own], lms=announced, columns=columns
        )
        deployment.connections.append(Connection(configuration, lms, content, own, shared))


def test_a_frozen_worker_is_taken_over_and_writes_nothing_when_it_wakes_up(
    deployment: Deployment, seed: int, report: Callable[[str], None], *, soak: bool
) -> None:
    rng = Random(seed)
    sync_everything(deployment, rng)
    freezes = FREEZES * (8 if soak else 1)
    rng.shuffle(freezes)

    for freeze in freezes:
        freeze_a_worker(deployment, rng.choice(deployment.connections), freeze, rng)

    runs = sum(check_runs(deployment.read(connection)) for connection in deployment.connections)
    assert runs < deployment.queued, "no task found another worker at its configuration"
    report(
        f"{len(freezes)} workers were frozen; {deployment.queued} tasks for {len(deployment.connections)}"
        f" configurations made {runs} runs, the others found the lease taken"
    )


def sync_everything(deployment: Deployment, rng: Random) -> None:
    """Queue all syncs, two or three times each, without failures. Check all LMSs."""
    deployment.store()
    deployment.queue(*rng.sample(deployment.connections, len(deployment.connections)), times=rng.choice((2, 3)))
    deployment.wait_until_done()
    for connection in deployment.connections:
        connection.check()


def freeze_a_worker(deployment: Deployment, victim: Connection, freeze: Freeze, rng: Random) -> None:
    """Change all catalogs, queue all syncs several times, and freeze the worker of one sync before it ends."""
    change_everything(deployment, victim, freeze.place)
    gate, gate_of_successor = hold_up(deployment, victim, freeze.place), Gate()
    deployment.queue(*rng.sample(deployment.connections, len(deployment.connections)), times=rng.choice((2, 3)))
    assert gate.is_reached.wait(PATIENCE_SECONDS)
    worker, run = deployment.worker_at(victim)
    if freeze.place is Place.BETWEEN_CALLS:
        wait_until(lambda: has_carried_out_calls(deployment, victim), seconds=PATIENCE_SECONDS)
    with frozen(deployment, worker, victim):
        held = deployment.read(victim)
        if freeze.place is Place.IN_A_CALL:
            finish_call(victim, gate)
        if freeze.wakes_early:
            hold_up_create(victim, gate_of_successor)
        deployment.order("expire_lease", configuration=victim.configuration)
        deployment.queue(victim, times=2)
        if freeze.wakes_early:
            assert gate_of_successor.is_reached.wait(PATIENCE_SECONDS)
        else:
            deployment.wait_until_done(but=1)
        taken_over = deployment.read(victim)
        check_taken_over(held, taken_over, run, has_sent=freeze.place is not Place.BEFORE_ITS_END)
        courses, calls = victim.lms.courses, victim.lms.calls.copy()
        gate.open()
    wait_until(lambda: worker.runs(victim.configuration)[run] != "", seconds=PATIENCE_SECONDS)

    assert worker.runs(victim.configuration)[run] == "abandoned"
    assert deployment.read(victim) == taken_over
    assert (victim.lms.courses, victim.lms.calls) == (courses, calls)
    gate_of_successor.open()
    deployment.wait_until_done()
    assert deployment.read(victim)["runs"][-1]["state"] == "complete"
    for connection in deployment.connections:
        connection.check()


@contextmanager
def frozen(deployment: Deployment, worker: Worker, victim: Connection) -> Iterator[None]:
    """Freeze a worker outside of its transactions until the block ends.

    In a transaction, it would keep the lease locked. No other worker could take over before the database ends the
    connection.
    """
    while True:
        with worker.frozen():
            if not deployment.order("is_locked", configuration=victim.configuration):
                yield
                return


def change_everything(deployment: Deployment, victim: Connection, place: Place) -> None:
    """Change all catalogs so that the victim has enough to send, or only needs to request the changes."""
    for content in {id(connection.content): connection.content for connection in deployment.connections}.values():
        if content is not victim.content or place is not Place.BEFORE_ITS_END:
            content.change(2 * CHUNK_SIZE)
    if place is Place.BEFORE_ITS_END:
        # An edited catalog has another version, so the victim requests its changes, of which there are none.
        deployment.order("rename", catalog=victim.own, title="Renamed")
    else:
        victim.content.add(NEW_ITEMS, to=victim.own)
    deployment.store()


def hold_up(deployment: Deployment, victim: Connection, place: Place) -> Gate:
    """Hold a request of the victim's sync at the given point."""
    gate = Gate()
    match place:
        case Place.IN_A_CALL | Place.IN_A_SLOW_CALL:
            hold_up_create(victim, gate, skip=1)
        case Place.BETWEEN_CALLS:
            hold_up_catalog(deployment, f"*/{victim.own}/content-metadata/", gate, skip=1)
        case Place.BEFORE_ITS_END:
            hold_up_catalog(deployment, f"*/{victim.own}/content-changes/", gate)
    return gate


def hold_up_catalog(deployment: Deployment, operation: str, gate: Gate, *, skip: int = 0) -> None:
    """Hold a request to the catalog service."""
    deployment.catalog_proxy.faults.sleep = gate
    deployment.catalog_proxy.faults.set([Fault(kind=FaultKind.DELAY, operation=operation, skip=skip)])


def hold_up_create(victim: Connection, gate: Gate, *, skip: int = 0) -> None:
    """Hold a create of the victim's LMS."""
    victim.lms.faults.sleep = gate
    victim.lms.faults.set([Fault(kind=FaultKind.DELAY, operation=CREATE, skip=skip)])


def finish_call(victim: Connection, gate: Gate) -> None:
    """Let the LMS carry out the call of the frozen worker."""
    before = len(victim.lms.courses)
    gate.open()
    wait_until(lambda: len(victim.lms.courses) > before, seconds=PATIENCE_SECONDS)


def has_carried_out_calls(deployment: Deployment, victim: Connection) -> bool:
    """Return True if the LMS has carried out all that is in flight.

    The catalog service is asked for a chunk before the previous chunk is sent. A worker that is frozen right before a
    call makes this call when it wakes up.
    """
    rows = deployment.read(victim)
    in_flight = {row["transmission_id"] for row in rows["attempts"] if not row["outcome"]}
    keys = [row["content_key"] for row in rows["transmissions"] if row["id"] in in_flight]
    offered, expected = victim.lms.offered(), victim.expected()
    return all(offered.get(key) == expected.get(key) for key in keys)


def check_taken_over(held: dict[str, Any], taken_over: dict[str, Any], run: int, *, has_sent: bool) -> None:
    """Check that a successor has ended the frozen worker's run and recorded its attempts in flight as in doubt."""
    states = {row["id"]: row["state"] for row in taken_over["runs"]}
    in_flight = {row["id"] for row in held["attempts"] if not row["outcome"]}
    assert [row["state"] for row in held["runs"] if row["id"] == run] == ["running"]
    assert states[run] == "abandoned"
    assert max(states) > run
    assert bool(in_flight) is has_sent
    assert {row["outcome"] for row in taken_over["attempts"] if row["id"] in in_flight} <= {"in_doubt"}
    assert taken_over["lease"][0]["token"] > held["lease"][0]["token"]


def check_runs(rows: dict[str, Any]) -> int:
    """Check that runs never overlapped, and that each run had its own lease. Return the number of runs."""
    runs = rows["runs"]
    for run, successor in pairwise(runs):
        assert run["finished_at"] <= successor["started_at"]
    times = {run["id"]: (run["started_at"], run["finished_at"]) for run in runs}
    for attempt in rows["attempts"]:
        started_at, finished_at = times[attempt["run_id"]]
        assert started_at <= attempt["started_at"] <= attempt["finished_at"] <= finished_at
        assert attempt["outcome"]
    assert rows["lease"][0]["token"] == len(runs)
    assert rows["lease"][0]["expires_at"] is None
    return len(runs)
