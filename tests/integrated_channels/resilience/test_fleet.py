"""Two schedulers, of which one is killed, slow workers and few places in the queue: each configuration is queued once.

Afterwards a change of one customer reaches its LMS, and no other configuration is synced.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from redis import Redis

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests import services
from tests.factories.catalog import CourseFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.resilience.celery_workers import PATIENCE_SECONDS
from tests.migrated_database import migrate
from tests.processes import Dialogue, Service, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

CONFIGURATIONS: Final = 12
QUEUE_SIZE: Final = 3
QUEUES: Final = ("interactive", "changes", "sweep")
#: Duration of a call to the LMS, in seconds: much longer than the workers need for the rest of a run.
CALL_SECONDS: Final = 0.5

_CELERY: Final = ("celery", "-A", "enterprise_catalog")
_QUICK: Final = ("-I", "tests.integrated_channels.resilience.quick_claims")
_SCHEDULER_WORKER: Final = (*_CELERY, "worker", "-n", "ticks@%h", "--queues", "scheduler", "--pool", "solo", *_QUICK)
_SYNC_WORKER: Final = (*_CELERY, "worker", "-n", "syncs@%h", "--queues", ",".join(QUEUES), "--concurrency", "2")


@dataclass
class QueueWatch:
    """Looks at the messages of the queues in Redis, many times a second."""

    broker: Redis
    longest: int = 0  #: Most messages at a time, in all queues together.
    twice: set[int] = field(default_factory=set)  #: IDs of configurations that had two messages at a time.
    _is_over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Look until :meth:`watching` ends."""
        while not self._is_over.wait(0.005):
            with self.broker.pipeline(transaction=True) as pipeline:
                for queue in QUEUES:
                    pipeline.lrange(queue, 0, -1)
                messages = [message for queue in pipeline.execute() for message in queue]
            numbers = Counter(configuration_of(message) for message in messages)
            self.longest = max(self.longest, numbers.total())
            self.twice |= {configuration for configuration, number in numbers.items() if number > 1}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look in another thread until the block ends."""
        thread = threading.Thread(target=self.look)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()


def configuration_of(message: bytes) -> int:
    [[configuration], *_] = json.loads(base64.b64decode(json.loads(message)["body"]))
    return int(configuration)


@dataclass
class Fleet:
    """All processes. Each customer has one configuration; all of them use one LMS."""

    site: Site
    admin_process: Dialogue
    lms: MoodleSandbox
    catalogs: dict[int, str] = field(default_factory=dict)  #: Configuration -> catalog.

    def put(self, configuration: int, *titles: str) -> None:
        """Replace the catalog's content with one course per title."""
        documents = [CourseFactory.build(key=f"Customer{configuration}+{title}", title=title) for title in titles]
        self.admin_process.ask(do="put", catalog=self.catalogs[configuration], documents=documents)

    def runs(self) -> dict[int, list[str]]:
        """Return configuration -> states of its runs, the oldest first."""
        found = {pk: self.admin_process.ask(do="read", configuration=pk)["runs"] for pk in self.catalogs}
        return {pk: [run["state"] for run in runs] for pk, runs in found.items()}


@pytest.fixture
def broker(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(f"{redis_url.rpartition('/')[0]}/5") as broker:
        broker.flushdb()
        yield broker


@pytest.fixture
def fleet(tmp_path: Path, mariadb_url: str, redis_url: str, broker: Redis) -> Iterator[Fleet]:  # noqa: ARG001  (empty)
    """MariaDB, Redis, the catalog service, an LMS, and configurations that have never been synced."""
    redis = redis_url.rpartition("/")[0]
    site = Site.make(
        tmp_path,
        DATABASE_URL=services.create_database(mariadb_url, "fleet"),
        CELERY_BROKER_URL=f"{redis}/5",
        CACHE_URL=f"{redis}/6",
        SYNC_QUEUE_SIZE=str(QUEUE_SIZE),
    )
    migrate(site)
    lms = MoodleSandbox()
    with ExitStack() as open_:
        announced = {
            "url": open_.enter_context(on_loopback(lms)),
            "settings": dict(lms.channel_settings()),
            "credentials": dict(lms.channel_credentials()),
        }
        open_.enter_context(site.web())
        code = "from tests.integrated_channels.resilience.admin_process import main; main()"
        fleet = Fleet(site, open_.enter_context(site.dialogue(code)), lms)
        for number in range(CONFIGURATIONS):
            made = fleet.admin_process.ask(do="make_customer", name=f"Customer{number}", catalogs=1)
            connection = {"customer": made["customer"], "catalogs": made["catalogs"], "lms": announced, "columns": {}}
            configuration = fleet.admin_process.ask(do="connect", **connection)
            [fleet.catalogs[configuration]] = made["catalogs"]
            fleet.put(configuration, "first")
        yield fleet


@contextmanager
def running(site: Site, *commands: tuple[str, ...]) -> Iterator[list[Service]]:
    """Run programs until the block ends."""
    programs = [Service(site, *command) for command in commands]
    try:
        for program in programs:
            program.start()
        yield programs
    finally:
        for program in programs:
            if program.process is not None:
                program.kill()


def test_each_configuration_is_queued_once_and_only_changes_are_synced(
    fleet: Fleet, broker: Redis, report: Callable[[str], None]
) -> None:
    fleet.lms.faults.set([Fault(kind=FaultKind.DELAY, delay_seconds=CALL_SECONDS, times=None)])
    watch = QueueWatch(broker)
    beat = (*_CELERY, "beat")
    with watch.watching(), running(fleet.site, _SCHEDULER_WORKER, _SYNC_WORKER, beat, beat) as programs:
        ticks, _, scheduler, _ = programs
        wait_until(lambda: len(fleet.lms.courses) >= 2, seconds=PATIENCE_SECONDS)
        scheduler.kill()
        ticks.kill()
        ticks.start()
        wait_until(lambda: all("complete" in runs for runs in fleet.runs().values()), seconds=PATIENCE_SECONDS)
        before = fleet.runs()
        changed = next(iter(fleet.catalogs))
        fleet.put(changed, "first", "second")
        wait_until(lambda: len(fleet.runs()[changed]) > len(before[changed]), seconds=PATIENCE_SECONDS)
        wait_until(lambda: fleet.runs()[changed][-1] == "complete", seconds=PATIENCE_SECONDS)
        after = fleet.runs()

    assert watch.twice == set()
    assert 0 < watch.longest <= 2 * QUEUE_SIZE
    assert {pk: runs for pk, runs in after.items() if pk != changed} == {
        pk: runs for pk, runs in before.items() if pk != changed
    }
    keys = Counter(course["idnumber"] for course in fleet.lms.courses)
    assert keys == Counter([f"Customer{pk}+first" for pk in fleet.catalogs] + [f"Customer{changed}+second"])
    report(f"at most {watch.longest} messages; {sum(map(len, after.values()))} runs of {CONFIGURATIONS} configurations")
