"""The project's own processes, started for real: web service, worker, scheduler, sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.services import free_port, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROJECT = Path(__file__).resolve().parent.parent
#: The program that syncs; at INFO it logs what becomes of each task.
WORKER = ("celery", "-A", "enterprise_catalog", "worker", "--concurrency", "2", "--loglevel", "INFO")
_STOP_SECONDS = 30
#: The kernel's numbers (net/tcp_states.h) of SYN_RECV, ESTABLISHED and CLOSE_WAIT.
_UNCLOSED = frozenset({"03", "01", "08"})


@dataclass(frozen=True)
class Site:
    """A site of its own: a folder, a database, a broker, and ports that nobody else uses."""

    folder: Path
    environment: Mapping[str, str]
    port: int  #: Of the web service.
    project: Path = PROJECT  #: Whose code the processes run.

    @classmethod
    def make(cls, folder: Path, **variables: str) -> Site:
        """Return a site whose state lies in ``folder``; ``variables`` are further ones of its environment."""
        port = free_port()
        ours = {
            "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
            "LOCAL_STATE_DIR": str(folder),
            "CATALOG_API_URL": f"http://127.0.0.1:{port}",
            "OAUTH2_PROVIDER_URL": f"http://127.0.0.1:{port}/oauth2",
            "LOG_FORMAT": "json",
        }
        inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CACHE_URL"}}
        inherited.pop("CELERY_BROKER_URL", None)
        return cls(folder, inherited | ours | variables, port)

    def manage(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
        """Run a management command to its end and return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=self.project, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode in allowed, f"{arguments} ended with {done.returncode}:\n{done.stderr[-4000:]}"
        return done.stdout

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program of the virtual environment until the block ends; its output goes to a log in the folder.

        It leads a process group of its own, of which nobody outlives the block.
        """
        with self.log_of(*command).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=self.project,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_STOP_SECONDS)
            kill_group(process)

    @contextlib.contextmanager
    def dialogue(self, code: str) -> Iterator[Dialogue]:
        """Run ``code`` in a process of its own, with Django set up, and talk to it until the block ends."""
        log_file = self.folder / "dialogue.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", f"import django; django.setup(); {code}"],
                cwd=self.project,
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        with process:  # Its end closes the process's standard input and waits.
            try:
                yield Dialogue(process, log_file)
            except BaseException:
                process.kill()
                raise

    def log_of(self, *command: str) -> Path:
        """Return where the output of a program goes that :meth:`running` runs."""
        return self.folder / ("-".join(part.strip("-/").replace("/", "_") for part in command)[:60] + ".log")

    @contextlib.contextmanager
    def web(self) -> Iterator[None]:
        """Serve the catalog with gunicorn, as production does."""
        command = ("gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", "2", "enterprise_catalog.wsgi")
        with self.running(*command) as process:
            wait_for_port(self.port, process, log=self.log_of(*command))
            yield

    @contextlib.contextmanager
    def sandbox(self, channel: str) -> Iterator[Mapping[str, Any]]:
        """Serve a sandbox LMS and give its announcement: URL, credentials and settings."""
        port = free_port()
        command = ("django", "run_sandbox", "--channel", channel, "--port", str(port))
        with self.running(*command) as process:
            log = self.log_of(*command)
            wait_for_port(port, process, log=log)
            wait_until(lambda: bool(log.read_bytes().strip()), seconds=10)
            yield json.loads(log.read_text().splitlines()[0])

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Celery worker."""
        with self.running(*WORKER) as process:
            yield process

    @contextlib.contextmanager
    def scheduler(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run Celery's scheduler."""
        with self.running("celery", "-A", "enterprise_catalog", "beat") as process:
            yield process


@dataclass(frozen=True)
class Dialogue:
    """A process that reads lines from its standard input and writes JSON, a line each, to its standard output."""

    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, **request: Any) -> Any:
        """Write a line, ``request`` as JSON or an empty one, and return what the process says next."""
        self.say(**request)
        return self.hear()

    def say(self, **request: Any) -> None:
        """Write the line and go on; what the process says to it is to be heard later."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n" if request else b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Wait for what the process says next; fail with its log if it ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the process said nothing more:\n{self.log.read_text(errors='replace')[-4000:]}"
        return json.loads(line)


class Service:
    """A program of a site that a test may kill and start again. Linux only."""

    def __init__(self, site: Site, *command: str, port: int | None = None) -> None:
        """Prepare it; nothing runs yet.

        Args:
            port: where it listens once it is up; ``None`` if it does not listen.
        """
        self.site, self.command, self.port = site, command, port
        self.process: subprocess.Popen[bytes] | None = None
        self._block = contextlib.ExitStack()

    def start(self) -> None:
        """Start it; returns when it listens."""
        self.process = self._block.enter_context(self.site.running(*self.command))
        if self.port is not None:
            wait_for_port(self.port, self.process, log=self.site.log_of(*self.command))

    def stop(self) -> None:
        """End it as an administrator would, if it runs."""
        self._block.close()
        self.process = None

    def kill(self) -> None:
        """End it and its children by SIGKILL, all at once; returns when none of them lives any more."""
        assert self.process is not None
        kill_group(self.process)
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended by itself."""
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[int]:
        """Return the process ids of its living children."""
        assert self.process is not None
        parent = self.process.pid
        return [each.pid for each in _living_processes() if each.parent == parent]


class Worker(Service):
    """A Celery worker. What it tells, it tells of the time since it was last started; it stands in its log."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, *WORKER)
        self.log_file = site.log_of(*WORKER)
        self._log_start = 0
        self._killed: Counter[str] = Counter()

    def start(self) -> None:
        self._killed.clear()
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        super().start()

    def carried_out(self) -> Counter[str]:
        """Return how often it has carried out each task, by id, whether or not they failed."""
        return Counter(re.findall(r"\[([0-9a-f-]{36})\] (?:succeeded|raised)", self._log()))

    def under_way(self) -> Counter[str]:
        """Return how often it has received each task, by id, without having carried it out."""
        received = Counter(re.findall(r"\[([0-9a-f-]{36})\] received", self._log()))
        return received - self.carried_out() - self._killed

    def kill_pool(self) -> None:
        """End the processes that carry out its tasks by SIGKILL; it has others carry them out again."""
        pids = self.children()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(each.pid not in pids for each in _living_processes()), seconds=_STOP_SECONDS, every=0.01)
        self._killed += self.under_way()

    def connections_to_broker(self) -> int:
        """Return how often it has connected to the broker."""
        return self._log().count("Connected to redis://")

    def _log(self) -> str:
        return self.log_file.read_bytes()[self._log_start :].decode(errors="replace")


class _Living(NamedTuple):
    pid: int
    parent: int
    group: int


def _living_processes() -> Iterator[_Living]:
    """Yield all processes but the dead ones that nobody has waited for."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # It has ended since.
            # proc(5): pid (name) state parent group …; the name may hold anything.
            state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX":
                yield _Living(int(folder.name), int(parent), int(group))


def kill_group(leader: subprocess.Popen[bytes]) -> None:
    """End a process and all of the group that it leads by SIGKILL; returns when none of them lives any more."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    wait_until(lambda: all(each.group != leader.pid for each in _living_processes()), seconds=_STOP_SECONDS, every=0.01)


def connections_to(port: int) -> int:
    """Return how many TCP connections a local server has that it has not closed, unaccepted ones included."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    # proc(5): slot, local address, remote address, state; an address ends with the port in hexadecimal.
    ends = (line.split()[1:4] for line in lines)
    return sum(local.endswith(f":{port:04X}") and state in _UNCLOSED for local, _, state in ends)


def get_json(url: str | urllib.request.Request) -> Any:
    """Return what ``url`` answers."""
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (loopback)
        return json.load(response)


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.1) -> None:
    """Return once ``condition`` holds, which is tried ``every`` so often; fail if it takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} seconds"
        time.sleep(every)
