"""The project's own processes, started for real: web service, worker, scheduler, sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests import warm_start
from tests.services import free_port, patience, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROJECT = Path(__file__).resolve().parent.parent
#: Runs syncs; at INFO it logs the result of each task.
WORKER = ("celery", "-A", "enterprise_catalog", "worker", "--concurrency", "2", "--loglevel", "INFO")
_STOP_SECONDS = 30
_RESPONSE_SECONDS = 120
#: Runs one management command after another; reports each command's output and exit code.
_COMMANDS = """
import contextlib, io, json, sys
from django.core.management import call_command
for line in sys.stdin:
    output, code = io.StringIO(), 0
    with contextlib.redirect_stdout(output):
        try:
            call_command(*json.loads(line)["command"])
        except SystemExit as error:
            code = error.code
    print(json.dumps({"code": code, "output": output.getvalue()}), flush=True)
"""
#: The kernel's codes (net/tcp_states.h) for ESTABLISHED, SYN_RECV and CLOSE_WAIT.
_UNCLOSED = frozenset({"03", "01", "08"})


@dataclass(frozen=True)
class Site:
    """An isolated site: its own folder, database, broker and port."""

    folder: Path
    environment: Mapping[str, str]
    port: int  #: Of the web service.
    project: Path = PROJECT  #: The folder of the code to run.
    cold: bool = False  #: Start each process with a new Python, as users do; see ``warm_start.py``.

    @classmethod
    def make(cls, folder: Path, **variables: str) -> Site:
        """Return a site with its state in ``folder``; ``variables`` are added to its environment."""
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
        """Run a management command and return its standard output; fail unless its exit code is in ``allowed``."""
        done = warm_start.run(["manage.py", *arguments], cwd=self.project, env=self.environment, cold=self.cold)
        assert done.returncode in allowed, f"{arguments} ended with {done.returncode}:\n{done.stderr[-4000:]}"
        return done.stdout

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Python module until the block ends; its output goes to a log in the site's folder.

        The process leads its own process group. All processes of the group have ended when the block ends.
        """
        with self.log_of(*command).open("ab") as log:
            process = warm_start.Popen(
                ["-m", *command],
                cwd=self.project,
                env=self.environment,
                cold=self.cold,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=patience(_STOP_SECONDS))
            kill_group(process)

    @contextlib.contextmanager
    def dialogue(self, code: str) -> Iterator[Dialogue]:
        """Run ``code`` in its own process, with Django set up, and communicate with it until the block ends."""
        log_file = self.folder / "dialogue.log"
        with log_file.open("wb") as log:
            process = warm_start.Popen(
                ["-c", f"import django; django.setup(); {code}"],
                cwd=self.project,
                env=self.environment,
                cold=self.cold,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        with process:  # Leaving this block closes the process's standard input and waits for its end.
            try:
                yield Dialogue(process, log_file)
            except BaseException:
                process.kill()
                raise

    @contextlib.contextmanager
    def commands(self) -> Iterator[Commands]:
        """Run management commands in one process until the block ends."""
        with self.dialogue(_COMMANDS) as dialogue:
            yield Commands(dialogue)

    def log_of(self, *command: str) -> Path:
        """Return the log file of a command that :meth:`running` runs."""
        return self.folder / ("-".join(part.strip("-/").replace("/", "_") for part in command)[:60] + ".log")

    @contextlib.contextmanager
    def web(self) -> Iterator[None]:
        """Serve the catalog with gunicorn, as in production. Both of its processes have answered a request."""
        options = ("--bind", f"127.0.0.1:{self.port}", "--workers", "2", "--timeout", "150")
        command = ("gunicorn", *options, "enterprise_catalog.wsgi")
        with self.running(*command) as process:
            wait_for_port(self.port, process, log=self.log_of(*command))
            with ThreadPoolExecutor(2) as pool:  # A process that is busy accepts no second request.
                list(pool.map(lambda _: self._import_all_code(), range(2)))
            yield

    def _import_all_code(self) -> None:
        """Send a first request. It imports all code; on a busy machine, a sync does not wait that long."""
        with contextlib.suppress(urllib.error.HTTPError):  # Some part of the site may be away.
            get_json(f"http://127.0.0.1:{self.port}/health/")

    @contextlib.contextmanager
    def sandbox(self, channel: str) -> Iterator[Mapping[str, Any]]:
        """Serve a sandbox LMS and yield its announcement: URL, credentials and settings."""
        port = free_port()
        command = ("django", "run_sandbox", "--channel", channel, "--port", str(port))
        with self.running(*command) as process:
            log = self.log_of(*command)
            wait_for_port(port, process, log=log)
            wait_until(lambda: b"\n" in log.read_bytes(), seconds=60)  # The announcement is one line.
            yield json.loads(log.read_text().splitlines()[0])

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Celery worker until the block ends."""
        with self.running(*WORKER) as process:
            yield process

    @contextlib.contextmanager
    def scheduler(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run Celery's scheduler until the block ends."""
        with self.running("celery", "-A", "enterprise_catalog", "beat") as process:
            yield process


@dataclass(frozen=True)
class Dialogue:
    """A process that reads lines from standard input and writes JSON lines to standard output."""

    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, **request: Any) -> Any:
        """Write ``request`` as a JSON line (an empty line without ``request``) and return the next message."""
        self.say(**request)
        return self.hear()

    def say(self, **request: Any) -> None:
        """Write the line without waiting for a response; read it later with :meth:`hear`."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n" if request else b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Wait for the process's next message and return it; fail with the log if the process ends first."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the process said nothing more:\n{self.log.read_text(errors='replace')[-4000:]}"
        return json.loads(line)


class Commands:
    """Management commands, all in one process. A process of its own takes 1.5 s of CPU time for each command."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def run(self, *command: str, allowed: tuple[int, ...] = (0,)) -> str:
        """Run a command and return its standard output; fail unless its exit code is in ``allowed``."""
        done = self._dialogue.ask(command=command)
        assert done["code"] in allowed, done
        output: str = done["output"]
        return output


class Service:
    """A program of a site that a test can kill and restart. Linux only."""

    def __init__(self, site: Site, *command: str, port: int | None = None) -> None:
        """Store the command; nothing runs before :meth:`start`.

        Args:
            port: the port on which the program listens; None if it does not listen.
        """
        self.site, self.command, self.port = site, command, port
        self.process: subprocess.Popen[bytes] | None = None
        self._block = contextlib.ExitStack()

    def start(self) -> None:
        """Start the program; returns when it listens."""
        self.process = self._block.enter_context(self.site.running(*self.command))
        if self.port is not None:
            wait_for_port(self.port, self.process, log=self.site.log_of(*self.command))

    def stop(self) -> None:
        """Stop the program with SIGTERM, if it runs."""
        self._block.close()
        self.process = None

    def kill(self) -> None:
        """Kill the program and its children with SIGKILL, all at once; returns when all of them have ended."""
        assert self.process is not None
        kill_group(self.process)
        self.stop()

    @property
    def is_running(self) -> bool:
        """True from :meth:`start` until the program ends."""
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[int]:
        """Return the process ids of its living children."""
        assert self.process is not None
        parent = self.process.pid
        return [each.pid for each in _living_processes() if each.parent == parent]


class Worker(Service):
    """A Celery worker. The counts come from its log since its last start."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, *WORKER, "-I", "tests.integrated_channels.resilience.begun_tasks")
        self.log_file = site.log_of(*self.command)
        self._log_start = 0
        self._killed: Counter[str] = Counter()

    def start(self) -> None:
        self._killed.clear()
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        super().start()

    def carried_out(self) -> Counter[str]:
        """Return task id -> number of times that the worker has finished the task, including failures."""
        return _tasks(self._log(), "(?:succeeded|raised)")

    def under_way(self) -> Counter[str]:
        """Return task id -> number of times that the worker has received but not finished the task.

        A worker that loses its broker drops the tasks that it has not begun, for the broker to deliver them again.
        """
        log = self._log()
        before_loss, _, _ = log.rpartition("Connection to broker lost")
        dropped = _tasks(before_loss, "received") - _tasks(log, "begun")
        return _tasks(log, "received") - dropped - self.carried_out() - self._killed

    def kill_pool(self) -> None:
        """Kill the worker's pool processes with SIGKILL; the worker then starts new ones, which repeat their tasks."""
        pids = self.children()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(each.pid not in pids for each in _living_processes()), seconds=_STOP_SECONDS, every=0.01)
        self._killed += self.under_way()

    def connections_to_broker(self) -> int:
        """Return the number of times that the worker has connected to the broker."""
        return self._log().count("Connected to redis://")

    def _log(self) -> str:
        return self.log_file.read_bytes()[self._log_start :].decode(errors="replace")


def _tasks(log: str, event: str) -> Counter[str]:
    """Return task id -> number of lines of a worker's log about this event, a regular expression."""
    return Counter(re.findall(rf"\[([0-9a-f-]{{36}})\] {event}", log))


class _Living(NamedTuple):
    pid: int
    parent: int
    group: int


def _living_processes() -> Iterator[_Living]:
    """Yield all processes except zombies."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # The process has ended in the meantime.
            # proc(5): pid (name) state parent group …; the name may contain any character.
            state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX":
                yield _Living(int(folder.name), int(parent), int(group))


def kill_group(leader: subprocess.Popen[bytes]) -> None:
    """Kill a process and its whole process group with SIGKILL; returns when all of them have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    wait_until(lambda: all(each.group != leader.pid for each in _living_processes()), seconds=_STOP_SECONDS, every=0.01)


def connections_to(port: int) -> int:
    """Return the number of TCP connections that a local server has not closed, including unaccepted ones."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    # proc(5): slot, local address, remote address, state; an address ends with the port in hexadecimal.
    ends = (line.split()[1:4] for line in lines)
    return sum(local.endswith(f":{port:04X}") and state in _UNCLOSED for local, _, state in ends)


def get_json(url: str | urllib.request.Request) -> Any:
    """Return the JSON response of ``url``."""
    with urllib.request.urlopen(url, timeout=patience(_RESPONSE_SECONDS)) as response:
        return json.load(response)


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.1) -> None:
    """Wait until ``condition`` is true, checked every ``every`` seconds; fail after :func:`patience` of ``seconds``."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < patience(seconds), f"not so after {waited:.0f} seconds"
        time.sleep(every)
