"""The processes of a deployment, as ``docs/operations.rst`` describes them, and what they share.

Each kind of process has its own account in the database, so that the server counts its statements and CPU time.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from redis import Redis

from tests import services
from tests.benchmarks.environment import set_up
from tests.processes import Service, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WEB: Final = "web service"
BEAT: Final = "beat"
SCHEDULER: Final = "scheduler's worker"
WORKERS: Final = "sync workers"
PROMPT: Final = "prompt workers"
#: Kind of process -> its account in the database.
ACCOUNTS: Final[Mapping[str, str]] = {
    WEB: "web",
    BEAT: "beat",
    SCHEDULER: "scheduler",
    WORKERS: "workers",
    PROMPT: "prompt",
}

#: The request of each of the scheduler's ticks.
TICK: Final = "GET catalog-changes"
_ALL_SYNCS: Final = "interactive,changes,celery,sweep"
_CHANGES: Final = "interactive,changes"
_WEB_PROCESSES: Final = "2"
_START_SECONDS: Final = 120
#: A line that is not in the log after this time does not follow.
_LOG_SECONDS: Final = 0.3
#: In the log of a worker that accepts tasks.
_READY: Final = " ready."
#: The server's statistics of each account (https://mariadb.com/kb/en/user-statistics/).
_COUNT_BY_ACCOUNT: Final = "SET GLOBAL userstat = 1"


@contextmanager
def prepared(*, database_url: str | None, redis_url: str | None, buffer_pool: str) -> Iterator[Deployment]:
    """Set up Django on an empty, migrated database until the block ends, and return a deployment on it.

    Args:
        database_url: an empty database of a MariaDB without passwords; None starts a private server.
        redis_url: a Redis, of which two databases are emptied; None starts a private server.
        buffer_pool: the private server's ``innodb_buffer_pool_size``.

    Raises:
        UnavailableError: a server is not available.
    """
    url = database_url or services.start_mariadb(f"--innodb-buffer-pool-size={buffer_pool}")
    redis = (redis_url or services.private_redis().url).rpartition("/")[0]
    with tempfile.TemporaryDirectory(prefix="enterprise-catalog-fleet-") as folder:
        site = Site.make(
            Path(folder),
            DJANGO_SETTINGS_MODULE="tests.benchmarks.fleet.settings",
            DATABASE_URL=url,
            CELERY_BROKER_URL=f"{redis}/5",
            CACHE_URL=f"{redis}/6",
            API_THROTTLE_RATE="100000/second",
        )
        os.environ |= site.environment
        set_up()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _create_accounts()
        with Redis.from_url(f"{redis}/5") as broker, Redis.from_url(f"{redis}/6") as cache:
            broker.flushdb()
            cache.flushdb()
            yield Deployment(replace(site, cold=True), broker)


def _create_accounts() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BY_ACCOUNT)
        for account in sorted(set(ACCOUNTS.values())):
            for host in ("localhost", "127.0.0.1"):
                cursor.execute(f"CREATE OR REPLACE USER {account}@'{host}'")
                cursor.execute(f"GRANT ALL ON *.* TO {account}@'{host}'")


@dataclass
class Deployment:
    """One site. Nothing runs before :meth:`serving` or :meth:`running`."""

    site: Site
    broker: Redis
    programs: dict[str, Service] = field(default_factory=dict)  #: Kind of process -> the program that runs.

    @property
    def access_log(self) -> Path:
        """The web service's log of requests, with one line for each: method, path and status."""
        return self.site.folder / "access.log"

    def requests(self) -> Counter[str]:
        """Return the requests to the web service so far: method and last part of the path -> number."""
        log = self.access_log.read_text(encoding="utf-8") if self.access_log.exists() else ""
        return Counter(f"{method} {path.rstrip('/').rpartition('/')[2]}" for method, path, _ in _fields(log))

    def wait_for_log(self) -> None:
        """Wait until the log has all requests that were answered: gunicorn writes a line after the response."""
        before, size = -1, self.access_log.stat().st_size
        while size != before:
            time.sleep(_LOG_SECONDS)
            before, size = size, self.access_log.stat().st_size

    def messages(self, queue: str) -> list[bytes]:
        """Return the messages that wait in a queue."""
        messages: list[bytes] = self.broker.lrange(queue, 0, -1)  # type: ignore[assignment]  # no decoding
        return messages

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the web service until the block ends."""
        self.access_log.touch()
        options = ("--bind", f"127.0.0.1:{self.site.port}", "--workers", _WEB_PROCESSES, "--timeout", "150")
        log = ("--access-logfile", str(self.access_log), "--access-logformat", "%(m)s %(U)s %(s)s")
        with self._run(WEB, "gunicorn", *options, *log, "enterprise_catalog.wsgi", port=self.site.port):
            yield

    @contextmanager
    def running(self, *, workers: int, prompt: int = 0) -> Iterator[None]:
        """Run the scheduler and the workers until the block ends; returns after the scheduler's first tick.

        Args:
            workers: processes that run all syncs.
            prompt: further processes, for syncs of changes and of users only.
        """
        with ExitStack() as programs:
            started = [
                programs.enter_context(self._worker(SCHEDULER, "scheduler", "--pool", "solo")),
                programs.enter_context(self._worker(WORKERS, _ALL_SYNCS, "--concurrency", str(workers))),
            ]
            if prompt:
                started.append(programs.enter_context(self._worker(PROMPT, _CHANGES, "--concurrency", str(prompt))))
            for wait in started:
                wait()
            before = self.requests()[TICK]
            programs.enter_context(self._run(BEAT, "celery", "-A", "enterprise_catalog", "beat"))
            wait_until(lambda: self.requests()[TICK] > before, seconds=_START_SECONDS)
            yield

    @contextmanager
    def _worker(self, kind: str, queues: str, *options: str) -> Iterator[Callable[[], None]]:
        """Run a worker until the block ends. Yields a function that waits until the worker accepts tasks."""
        name = ("-n", f"{ACCOUNTS[kind]}@%h")
        command = ("celery", "-A", "enterprise_catalog", "worker", *name, "--queues", queues, *options)
        log = self.site.log_of(*command)
        log.unlink(missing_ok=True)  # Of an earlier worker.
        with self._run(kind, *command, "--loglevel", "INFO") as program:
            yield partial(_wait_for, program, log)

    @contextmanager
    def _run(self, kind: str, *command: str, port: int | None = None) -> Iterator[Service]:
        account = self.site.environment["DATABASE_URL"].replace("root@", f"{ACCOUNTS[kind]}@")
        site = replace(self.site, environment={**self.site.environment, "DATABASE_URL": account})
        program = Service(site, *command, port=port)
        program.start()
        self.programs[kind] = program
        try:
            yield program
        finally:
            program.stop()
            del self.programs[kind]


def _fields(log: str) -> Iterator[list[str]]:
    """Yield the fields of each complete line."""
    return (line.split() for line in log.split("\n")[:-1])


def _wait_for(worker: Service, log: Path) -> None:
    """Wait until a worker accepts tasks.

    Raises:
        UnavailableError: it has ended.
    """

    def text() -> str:
        return log.read_text(errors="replace")

    wait_until(lambda: _READY in text() or not worker.is_running, seconds=_START_SECONDS)
    if not worker.is_running:
        raise services.UnavailableError(f"{worker.command} ended:\n{text()[-2000:]}")
