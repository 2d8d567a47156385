"""Celery workers as processes: their progress, and freezing them."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.processes import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.processes import Site

#: Enough for anything a worker does, even on a busy machine.
PATIENCE_SECONDS: Final = 120
#: Lease age at which workers that import ``quick_leases`` renew the lease.
RENEWAL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Worker:
    """One worker in one process (``--pool solo``): a signal stops all of it."""

    process: subprocess.Popen[bytes]
    log: Path  #: JSON, one event per line.

    def is_ready(self) -> bool:
        """Return True once the worker accepts tasks."""
        return any(str(event.get("event", "")).endswith(" ready.") for event in self._events())

    def runs(self, configuration: int) -> dict[int, str]:
        """Return run ID -> final state of the configuration's runs, oldest first. Empty state: still active."""
        runs: dict[int, str] = {}
        for event in self._events():
            if event.get("configuration_id") == configuration and event["event"] == "sync_started":
                runs[event["run_id"]] = ""
            elif event.get("run_id") in runs and event["event"] == "sync_finished":
                runs[event["run_id"]] = event["state"]
        return runs

    def tasks_done(self) -> int:
        """Return the number of finished sync tasks, including tasks that ended because the lease was taken."""
        return sum(" succeeded in " in message for message in self._messages_about_syncs())

    def failed_tasks(self) -> list[str]:
        """Return a message for each sync task that raised an exception; the worker ends such a task."""
        return [message for message in self._messages_about_syncs() if " raised unexpected: " in message]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the worker until the block ends, at least until its lease is due for renewal."""
        os.kill(self.process.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "the worker ended instead"
        enough = time.monotonic() + RENEWAL_SECONDS
        try:
            yield
        finally:
            time.sleep(max(0, enough - time.monotonic()))
            os.kill(self.process.pid, signal.SIGCONT)

    def _messages_about_syncs(self) -> Iterator[str]:
        messages = (str(event.get("event", "")) for event in self._events())
        return (message for message in messages if message.startswith("Task sync_configuration["))

    def _events(self) -> Iterator[dict[str, Any]]:
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):  # Skips the banner and an incomplete last line.
                yield json.loads(line)


@contextmanager
def running_workers(site: Site, names: Iterable[str], *, options: Iterable[str] = ()) -> Iterator[list[Worker]]:
    """Run workers of a site until the block ends. Yields them when all accept tasks."""
    with ExitStack() as processes:
        workers = []
        for name in names:
            command = ("celery", "-A", "enterprise_catalog", "worker", "-n", f"{name}@%h", "--pool", "solo", *options)
            process = processes.enter_context(site.running(*command, "--loglevel", "INFO"))
            workers.append(Worker(process, site.log_of(*command)))
        for worker in workers:
            wait_until(worker.is_ready, seconds=PATIENCE_SECONDS)
        try:
            yield workers
        finally:
            for worker in workers:  # All at once; the exit stack would end them one by one.
                worker.process.terminate()
