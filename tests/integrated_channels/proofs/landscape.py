"""What the proofs break: a site with its web service and a workshop, and two learning systems of one customer.

The first is sent all of the customer's catalogs, the second two of the three. Both are of one kind.
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
from tests.integrated_channels.proofs.ledger import Course, Item, Ledger, differences, false_claims, loose_ends, twins
from tests.integrated_channels.proofs.systems.registry import system
from tests.integrated_channels.proofs.systems.sturdy import FORWARD, REST, RESUME
from tests.integrated_channels.proofs.workshop import CATALOGS, CUSTOMER
from tests.processes import Service, connections_to, get_json, wait_until
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from tests.integrated_channels.proofs.ledger import Catalogs, History
    from tests.processes import Dialogue, Site, Worker

_FAULTS: Final = TypeAdapter(list[Fault])

#: The most syncs until all is equal, beside those that the learning system takes in any case: one after a dead one, and
#: one for each few chunks of the second learning system.
_MOST_SYNCS: Final = 10


_DAY_SECONDS: Final = 24 * 60 * 60


class LMS:
    """A learning system in a process of its own, with its courses in a file."""

    def __init__(self, site: Site, kind: str, name: str) -> None:
        """Prepare it.

        Args:
            kind: its name in the registry of learning systems.
            name: tells it apart from others of the customer.
        """
        self.system, self.name = system(kind), name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = "tests.integrated_channels.proofs.systems.sturdy"
        file = site.folder / f"{kind}-{name}"
        us = (f"http://127.0.0.1:{site.port}", CUSTOMER)
        self.service = Service(site, program, kind, name, str(self.port), str(file), *us, port=self.port)

    def connection(self) -> dict[str, Any]:
        """Return what a configuration of it has to say, as ``make_configuration`` has it."""
        sandbox = self.system.make(name=self.name)
        return {
            "channel_code": self.system.code,
            "base_url": self.url,
            "settings": {**sandbox.channel_settings(), **self.system.settings},
            "credentials": dict(sandbox.channel_credentials()),
        }

    def start(self) -> None:
        """Start it, with the courses that an earlier start has left."""
        self.service.start()
        self.fail()

    def fail(self, *faults: Fault) -> None:
        """Let ``faults`` strike in place of all earlier ones; without any it is sound again."""
        work = [
            Fault(kind=FaultKind.DELAY, operation=operation, times=None, delay_seconds=self.system.work_seconds)
            for operation in self.system.changes
        ]
        self._post(f"{CONTROL_PREFIX}faults", _FAULTS.dump_json([*faults, *work]))

    def let_a_day_pass(self) -> None:
        """Put its clock on by a day."""
        self._post(FORWARD, str(_DAY_SECONDS).encode())

    def _post(self, path: str, body: bytes) -> None:
        with urllib.request.urlopen(f"{self.url}{path}", data=body, timeout=30) as answer:  # noqa: S310  (loopback)
            answer.read()

    def courses(self) -> list[Course]:
        """Return all of its courses."""
        return [self.system.course(record) for record in get_json(f"{self.url}{CONTROL_PREFIX}content")]

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Keep it still until the block ends: it comes to nobody.

        The block begins once it has done, or thrown away, all that processes which are dead by now have asked it for. A
        real one has the 5 minutes of the lease for that.
        """
        if not self.system.visits:
            wait_until(lambda: connections_to(self.port) == 0, seconds=30, every=0.005)
            yield
            return
        self._post(REST, b"")
        try:
            yield
        finally:
            self._post(RESUME, b"")


class Connection(NamedTuple):
    """A configuration."""

    id: int
    lms: LMS
    catalogs: tuple[str, ...]  #: Those that it sends.


class Ended(NamedTuple):
    """How a sync in a fork of the workshop ended."""

    was_killed: bool
    began_at: str
    seconds: float
    statements: int  #: That it carried out.


@dataclass(repr=False)
class Landscape:
    """The test's end of everything."""

    dialogue: Dialogue  #: With the workshop.
    connections: list[Connection] = field(init=False, default_factory=list)
    catalogs: Catalogs = field(init=False)
    changed_at: str = field(init=False)  #: When the catalogs were last changed.
    history: History = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._note(self.dialogue.ask(do="catalogs"))

    def connect(self, lms: LMS, catalogs: tuple[str, ...], columns: Mapping[str, Any]) -> None:
        """Make a configuration."""
        made: int = self.dialogue.ask(do="connect", catalog_uuids=catalogs, columns=columns, **lms.connection())
        self.connections.append(Connection(made, lms, catalogs or CATALOGS))

    def reseed(self, seed: int) -> None:
        """Let ``seed`` decide how the catalogs change."""
        self.dialogue.ask(do="reseed", seed=seed)

    def limit_chunks(self, connection: Connection, chunks: int | None) -> None:
        """Let a run of a configuration send no more than ``chunks``; ``None`` is no limit."""
        self.dialogue.ask(do="limit_chunks", configuration=connection.id, chunks=chunks)

    def change(self) -> None:
        """Change the catalogs, so that there is something to create, to update and to delete."""
        self._note(self.dialogue.ask(do="change"))

    def sync(self, connection: Connection) -> Ended:
        """Run ``sync_channels`` to its end."""
        self.begin_sync(connection)
        return self.end_of_sync()

    def begin_sync(self, connection: Connection, **kill: float) -> None:
        """Run ``sync_channels``, which ``kill`` ends if it has not ended by then: see ``Workshop.sync_in_fork``."""
        self.dialogue.say(do="sync_in_fork", configuration=connection.id, **kill)

    def end_of_sync(self) -> Ended:
        """Wait for the end of what was begun."""
        return Ended(**self.dialogue.hear())

    def undisturbed_sync(self, connection: Connection) -> Ended:
        """Return what a sync takes after a change, if nobody disturbs it."""
        self.let_a_day_pass()  # It takes calls again.
        self.change()
        return self.sync(connection)

    def queue_sync(self, connection: Connection) -> str:
        """Do what the scheduler does when a configuration is due; return the task's id."""
        task: str = self.dialogue.ask(do="queue_sync", configuration=connection.id)
        return task

    def let_a_day_pass(self, *, everywhere: bool = True) -> None:
        """Move what waits for a time a day ahead. Nobody may be at work who holds a lease.

        Args:
            everywhere: whether it passes at the learning systems, too; else these may take no call yet that we think
                they do.
        """
        self.dialogue.ask(do="let_a_day_pass")
        for connection in self.connections if everywhere else ():
            connection.lms.let_a_day_pass()

    def ledger(self, connection: Connection) -> Ledger:
        """Return what our tables say of a configuration."""
        return Ledger.from_json(self.dialogue.ask(do="ledger", configuration=connection.id))

    def flush_broker(self) -> None:
        """Make the broker forget everything."""
        self.dialogue.ask(do="flush_broker")

    def runs(self) -> Counter[str]:
        """Return how all runs so far ended: their number by state."""
        return sum((Counter(self.ledger(connection).runs_by_state) for connection in self.connections), Counter())

    def check(self, connection: Connection) -> Ledger:
        """Check what has to be so at any moment at which nobody is at work, whoever died; return the ledger."""
        with connection.lms.at_rest():
            ledger, courses = self.ledger(connection), connection.lms.courses()
        faults = [*ledger.program_errors, *twins(courses)]
        faults += false_claims(ledger.rows, courses, self.history, connection.lms.system.texts)
        if ledger.newest_run == "complete" and ledger.newest_run_began_at > self.changed_at:
            faults += self._differences(connection, ledger, courses)
        assert not faults, "\n".join(faults)
        return ledger

    def converge(self, connection: Connection, sync: Callable[[Connection], object]) -> None:
        """Sync, undisturbed, until a run is complete, and check that nothing is left over and all is equal."""
        most = _MOST_SYNCS + connection.lms.system.runs_to_mend
        for _ in range(most):
            self.let_a_day_pass()
            sync(connection)
            ledger = self.check(connection)
            if ledger.newest_run == "complete":
                break
        assert ledger.newest_run == "complete", f"after {most} syncs: {ledger.runs_by_state}"
        faults = self._differences(connection, ledger, connection.lms.courses()) + loose_ends(ledger)
        assert not faults, "\n".join(faults)

    def _differences(self, connection: Connection, ledger: Ledger, courses: list[Course]) -> list[str]:
        catalogs = {uuid: self.catalogs[uuid] for uuid in connection.catalogs}
        return differences(ledger.rows, courses, catalogs, connection.lms.system.texts)

    def _note(self, told: Mapping[str, Any]) -> None:
        self.changed_at = told["at"]
        self.catalogs = {
            uuid: {key: Item(*item) for key, item in items.items()} for uuid, items in told["catalogs"].items()
        }
        for uuid, items in self.catalogs.items():
            self.history |= {(uuid, key, item.updated_at): item for key, item in items.items()}


class Syncs:
    """Syncs that a Celery worker carries out."""

    def __init__(self, landscape: Landscape, worker: Worker) -> None:
        self.landscape, self.worker = landscape, worker
        self.tasks: list[str] = []  #: Those that were queued and not yet waited for.
        self._all_tasks: set[str] = set()  #: Those that were ever queued; others Celery has queued itself, for later.

    def queue(self, connection: Connection) -> None:
        """Do what the scheduler does when a configuration is due."""
        self.tasks.append(self.landscape.queue_sync(connection))
        self._all_tasks.update(self.tasks)

    def queue_all(self) -> None:
        """Do the same for all configurations."""
        for connection in self.landscape.connections:
            self.queue(connection)

    def wait_for_the_first(self) -> None:
        """Return once the worker has begun with one of the queued tasks; one that was just started takes seconds."""
        wait_until(self._are_begun, seconds=60, every=0.005)

    def _are_begun(self) -> bool:
        begun = self.worker.carried_out() + self.worker.under_way()
        return not begun.keys().isdisjoint(self.tasks)

    def wait(self) -> None:
        """Return once all queued tasks have been carried out, and any that Celery has received once more."""
        wait_until(self._are_carried_out, seconds=60, every=0.02)
        self.tasks = []

    def _are_carried_out(self) -> bool:
        under_way = self.worker.under_way().keys() & self._all_tasks
        return self.worker.carried_out().keys() >= set(self.tasks) and not under_way

    def lose(self) -> None:
        """Wait for no task that the worker has not received."""
        self.tasks = []

    def sync(self, connection: Connection) -> None:
        """Have one configuration synced; returns when that has been done."""
        self.queue(connection)
        self.wait()

    def measure(self) -> float:
        """Return how many seconds the worker takes for all configurations after a change."""
        for connection in self.landscape.connections:
            self.sync(connection)  # By then it has started.
        self.landscape.let_a_day_pass()
        self.landscape.change()
        began_at = time.monotonic()
        self.queue_all()
        self.wait()
        return time.monotonic() - began_at


@contextlib.contextmanager
def workshop(site: Site) -> Iterator[Dialogue]:
    """Give a site on an empty database its catalogs, a web service and a workshop, until the block ends."""
    with site.web(), site.dialogue("from tests.integrated_channels.proofs.workshop import main; main()") as dialogue:
        yield dialogue


@contextlib.contextmanager
def prepared(site: Site, dialogue: Dialogue, *, kind: str) -> Iterator[Landscape]:
    """Give a site all that a landscape has, all being equal, until the block ends.

    Args:
        dialogue: with the site's workshop.
        kind: the name of its learning systems in the registry.
    """
    first, second = LMS(site, kind, "first"), LMS(site, kind, "second")
    with contextlib.ExitStack() as block:
        for lms in (first, second):
            block.callback(lms.service.stop)
            lms.start()
        landscape = Landscape(dialogue)
        columns_of_first, columns_of_second = first.system.columns
        landscape.connect(first, (), columns_of_first)
        landscape.connect(second, CATALOGS[1:], columns_of_second)
        for connection in landscape.connections:
            landscape.converge(connection, landscape.sync)
        yield landscape


def some_faults(chance: Random, lms: LMS) -> list[Fault]:
    """Return faults for one sync: none, some that strike once or twice, or ones that strike for as long as it lasts."""
    return [
        Fault(
            kind=chance.choice(lms.system.mishaps),
            operation=chance.choice([*lms.system.changes, "*"]),
            skip=chance.randint(0, 4),
            times=chance.choice([1, 2, None]),
            status=chance.choice([200, 503]),
        )
        for _ in range(chance.choice([0, 0, 1, 2]))
    ]
