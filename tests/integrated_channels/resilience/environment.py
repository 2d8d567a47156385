"""The environment of the resilience tests: a site, its web service, a worker process, and two LMSs of one customer.

The first LMS receives all three catalogs of the customer, the second LMS two of them. Both LMSs are of one kind.
"""

from __future__ import annotations

import contextlib
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import TypeAdapter

from enterprise_catalog.sandbox.application import CONTROL_PREFIX
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.resilience.reconciliation import (
    Course,
    Item,
    RecordedState,
    differences,
    false_claims,
    loose_ends,
    twins,
)
from tests.integrated_channels.resilience.systems.persistent_server import FORWARD, REST, RESUME
from tests.integrated_channels.resilience.systems.registry import system
from tests.integrated_channels.resilience.worker_process import CATALOGS, CUSTOMER
from tests.migrated_database import migrate
from tests.processes import Service, connections_to, get_json, wait_until
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from tests.integrated_channels.resilience.reconciliation import Catalogs, History
    from tests.processes import Dialogue, Site, Worker

_FAULTS: Final = TypeAdapter(list[Fault])

#: The most syncs until everything is equal, in addition to ``runs_to_recover`` of the LMS: one after an abandoned run,
#: and one per few chunks of the second LMS.
_MOST_SYNCS: Final = 10


_DAY_SECONDS: Final = 24 * 60 * 60


class LMS:
    """An LMS in its own process, with its courses in a file."""

    def __init__(self, site: Site, kind: str, name: str) -> None:
        """Choose a port and a file, and prepare the process without starting it.

        Args:
            kind: the name of the LMS in ``systems/registry.py``.
            name: distinguishes the LMSs of one customer.
        """
        self.system, self.name = system(kind), name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = "tests.integrated_channels.resilience.systems.persistent_server"
        file = site.folder / f"{kind}-{name}"
        us = (f"http://127.0.0.1:{site.port}", CUSTOMER)
        self.service = Service(site, program, kind, name, str(self.port), str(file), *us, port=self.port)

    def connection(self) -> dict[str, Any]:
        """Return the arguments for ``make_configuration``."""
        sandbox = self.system.make(name=self.name)
        return {
            "channel_code": self.system.code,
            "base_url": self.url,
            "settings": {**sandbox.channel_settings(), **self.system.settings},
            "credentials": dict(sandbox.channel_credentials()),
        }

    def start(self) -> None:
        """Start the process with the courses that its predecessor stored, and without faults."""
        self.service.start()
        self.fail()

    def fail(self, *faults: Fault) -> None:
        """Replace all faults with ``faults``. Calls that change courses keep the delay ``work_seconds``."""
        work = [
            Fault(kind=FaultKind.DELAY, operation=operation, times=None, delay_seconds=self.system.work_seconds)
            for operation in self.system.changes
        ]
        self._post(f"{CONTROL_PREFIX}faults", _FAULTS.dump_json([*faults, *work]))

    def let_a_day_pass(self) -> None:
        """Move the clock of the LMS forward by one day."""
        self._post(FORWARD, str(_DAY_SECONDS).encode())

    def _post(self, path: str, body: bytes) -> None:
        with urllib.request.urlopen(f"{self.url}{path}", data=body, timeout=30) as answer:
            answer.read()

    def courses(self) -> list[Course]:
        """Return all courses of the LMS."""
        return [self.system.course(record) for record in get_json(f"{self.url}{CONTROL_PREFIX}content")]

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Pause the LMS's own polls until the block ends.

        The block starts when the LMS has finished or dropped all requests of dead processes. In production, the lease
        of 5 minutes leaves time for that.
        """
        if not self.system.polls:
            wait_until(lambda: connections_to(self.port) == 0, seconds=30, every=0.005)
            yield
            return
        self._post(REST, b"")
        try:
            yield
        finally:
            self._post(RESUME, b"")


class Connection(NamedTuple):
    """A configuration, its LMS and its catalogs."""

    id: int
    lms: LMS
    catalogs: tuple[str, ...]  #: The catalogs it sends.


class Ended(NamedTuple):
    """The end of a sync in a fork of the worker process."""

    was_killed: bool
    began_at: str
    seconds: float
    statements: int  #: SQL statements that it ran.


@dataclass(repr=False)
class Environment:
    """The test's access to the worker process, the LMSs and the web service."""

    dialogue: Dialogue  #: With the worker process.
    connections: list[Connection] = field(init=False, default_factory=list)
    catalogs: Catalogs = field(init=False)
    changed_at: str = field(init=False)  #: Time of the last change of the catalogs.
    history: History = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._note(self.dialogue.ask(do="catalogs"))

    def connect(self, lms: LMS, catalogs: tuple[str, ...], columns: Mapping[str, Any]) -> None:
        """Create a configuration for ``lms``. Empty ``catalogs`` means all catalogs."""
        made: int = self.dialogue.ask(do="connect", catalog_uuids=catalogs, columns=columns, **lms.connection())
        self.connections.append(Connection(made, lms, catalogs or CATALOGS))

    def reseed(self, seed: int) -> None:
        """Set the random seed for changes of the catalogs, and fill empty catalogs.

        Without content, a sync has few statements, and most kills would strike none of its calls.
        """
        self._note(self.dialogue.ask(do="reseed", seed=seed))

    def limit_chunks(self, connection: Connection, chunks: int | None) -> None:
        """Set the most chunks that one run of a configuration may send; ``None`` means no limit."""
        self.dialogue.ask(do="limit_chunks", configuration=connection.id, chunks=chunks)

    def change(self) -> None:
        """Change the catalogs; each change leads to creates, updates and deletes."""
        self._note(self.dialogue.ask(do="change"))

    def sync(self, connection: Connection) -> Ended:
        """Run ``sync_channels`` and wait for its end."""
        self.begin_sync(connection)
        return self.end_of_sync()

    def begin_sync(self, connection: Connection, **kill: float) -> None:
        """Start ``sync_channels``. ``kill`` is passed to ``WorkerProcess.sync_in_fork`` and ends the sync early."""
        self.dialogue.say(do="sync_in_fork", configuration=connection.id, **kill)

    def end_of_sync(self) -> Ended:
        """Wait until the sync that was started ends."""
        return Ended(**self.dialogue.hear())

    def undisturbed_sync(self, connection: Connection) -> Ended:
        """Change the catalogs, sync without failures, and return the duration and number of statements."""
        self.let_a_day_pass()  # The LMS accepts calls again.
        self.change()
        return self.sync(connection)

    def queue_sync(self, connection: Connection) -> str:
        """Queue a sync as the scheduler does, and return the task's ID."""
        task: str = self.dialogue.ask(do="queue_sync", configuration=connection.id)
        return task

    def let_a_day_pass(self, *, everywhere: bool = True) -> None:
        """Let a day pass for leases, rate limits and retries. No active worker may hold a lease.

        Args:
            everywhere: move the clocks of the LMSs, too. If false, an LMS may still reject calls that we consider due.
        """
        self.dialogue.ask(do="let_a_day_pass")
        for connection in self.connections if everywhere else ():
            connection.lms.let_a_day_pass()

    def recorded_state(self, connection: Connection) -> RecordedState:
        """Return the state of a configuration from our tables."""
        return RecordedState.from_json(self.dialogue.ask(do="recorded_state", configuration=connection.id))

    def flush_broker(self) -> None:
        """Delete all data in the broker."""
        self.dialogue.ask(do="flush_broker")

    def runs(self) -> Counter[str]:
        """Return state -> number of runs, over all configurations."""
        states = map(self.recorded_state, self.connections)
        return sum((Counter(state.runs_by_state) for state in states), Counter())

    def check(self, connection: Connection) -> RecordedState:
        """Check the invariants that hold whenever no run is active, even after kills. Return the recorded state."""
        with connection.lms.at_rest():
            recorded, courses = self.recorded_state(connection), connection.lms.courses()
        faults = [*recorded.program_errors, *twins(courses)]
        faults += false_claims(recorded.rows, courses, self.history, connection.lms.system.texts)
        if recorded.newest_run == "complete" and recorded.newest_run_began_at > self.changed_at:
            faults += self._differences(connection, recorded, courses)
        assert not faults, "\n".join(faults)
        return recorded

    def converge(self, connection: Connection, sync: Callable[[Connection], object]) -> None:
        """Sync without failures until a run is complete. Check that the LMS equals the catalogs and nothing is open."""
        most = _MOST_SYNCS + connection.lms.system.runs_to_recover
        for _ in range(most):
            self.let_a_day_pass()
            sync(connection)
            recorded = self.check(connection)
            if recorded.newest_run == "complete":
                break
        assert recorded.newest_run == "complete", f"after {most} syncs: {recorded.runs_by_state}"
        faults = self._differences(connection, recorded, connection.lms.courses()) + loose_ends(recorded)
        assert not faults, "\n".join(faults)

    def _differences(self, connection: Connection, recorded: RecordedState, courses: list[Course]) -> list[str]:
        catalogs = {uuid: self.catalogs[uuid] for uuid in connection.catalogs}
        return differences(recorded.rows, courses, catalogs, connection.lms.system.texts)

    def _note(self, change: Mapping[str, Any]) -> None:
        self.changed_at = change["at"]
        self.catalogs = {
            uuid: {key: Item(*item) for key, item in items.items()} for uuid, items in change["catalogs"].items()
        }
        for uuid, items in self.catalogs.items():
            self.history |= {(uuid, key, item.updated_at): item for key, item in items.items()}


class Syncs:
    """Syncs carried out by a Celery worker."""

    def __init__(self, environment: Environment, worker: Worker) -> None:
        self.environment, self.worker = environment, worker
        self.tasks: list[str] = []  #: Queued tasks not yet waited for.
        self._all_tasks: set[str] = set()  #: All queued tasks. Celery itself queues other tasks for later.

    def queue(self, connection: Connection) -> None:
        """Queue a sync as the scheduler does when a configuration is due."""
        self.tasks.append(self.environment.queue_sync(connection))
        self._all_tasks.update(self.tasks)

    def queue_all(self) -> None:
        """Queue a sync of every configuration."""
        for connection in self.environment.connections:
            self.queue(connection)

    def wait_for_the_first(self) -> None:
        """Wait until the worker has started one of the queued tasks. A new worker takes seconds to start."""
        wait_until(self._are_begun, seconds=60, every=0.005)

    def _are_begun(self) -> bool:
        begun = self.worker.carried_out() + self.worker.under_way()
        return not begun.keys().isdisjoint(self.tasks)

    def wait(self) -> None:
        """Wait until all queued tasks have finished, including tasks that Celery delivered again."""
        wait_until(self._are_carried_out, seconds=60, every=0.02)
        self.tasks = []

    def _are_carried_out(self) -> bool:
        under_way = self.worker.under_way().keys() & self._all_tasks
        return self.worker.carried_out().keys() >= set(self.tasks) and not under_way

    def lose(self) -> None:
        """Stop waiting for tasks that the worker has not received."""
        self.tasks = []

    def sync(self, connection: Connection) -> None:
        """Queue a sync of one configuration and wait for its end."""
        self.queue(connection)
        self.wait()

    def measure(self) -> float:
        """Return the seconds that the worker takes to sync all configurations after a change."""
        for connection in self.environment.connections:
            self.sync(connection)  # Then the worker has started.
        self.environment.let_a_day_pass()
        self.environment.change()
        began_at = time.monotonic()
        self.queue_all()
        self.wait()
        return time.monotonic() - began_at


@contextlib.contextmanager
def worker_process(site: Site) -> Iterator[Dialogue]:
    """Start a site's web service and worker_process on an empty database, with catalogs, until the block ends."""
    migrate(site)
    with (
        site.web(),
        site.dialogue("from tests.integrated_channels.resilience.worker_process import main; main()") as dialogue,
    ):
        yield dialogue


@contextlib.contextmanager
def prepared(site: Site, dialogue: Dialogue, *, kind: str) -> Iterator[Environment]:
    """Yield an environment in which both LMSs equal the catalogs. It runs until the block ends.

    Args:
        dialogue: with the site's worker process.
        kind: name of the LMSs in ``systems/registry.py``.
    """
    first, second = LMS(site, kind, "first"), LMS(site, kind, "second")
    with contextlib.ExitStack() as block:
        for lms in (first, second):
            block.callback(lms.service.stop)
            lms.start()
        environment = Environment(dialogue)
        columns_of_first, columns_of_second = first.system.columns
        environment.connect(first, (), columns_of_first)
        environment.connect(second, CATALOGS[1:], columns_of_second)
        for connection in environment.connections:
            environment.converge(connection, environment.sync)
        yield environment


def some_faults(chance: Random, lms: LMS) -> list[Fault]:
    """Return up to two random faults for one sync. Each strikes once, twice or during the whole sync."""
    return [
        Fault(
            kind=chance.choice(lms.system.kill_faults),
            operation=chance.choice([*lms.system.changes, "*"]),
            skip=chance.randint(0, 4),
            times=chance.choice([1, 2, None]),
            status=chance.choice([200, 503]),
        )
        for _ in range(chance.choice([0, 0, 1, 2]))
    ]
