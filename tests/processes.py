"""The project's own processes, started for real: web service, worker, scheduler, sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.services import free_port, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROJECT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Site:
    """A site of its own: a folder, a database, a broker, and ports that nobody else uses."""

    folder: Path
    environment: Mapping[str, str]
    port: int  #: Of the web service.

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
            command, cwd=PROJECT, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode in allowed, f"{arguments} ended with {done.returncode}:\n{done.stderr[-4000:]}"
        return done.stdout

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program of the virtual environment until the block ends; its output goes to a log in the folder."""
        with self.log_of(*command).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=PROJECT,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextlib.contextmanager
    def dialogue(self, code: str) -> Iterator[Dialogue]:
        """Run ``code`` in a process of its own, with Django set up, and talk to it until the block ends."""
        log_file = self.folder / "dialogue.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", f"import django; django.setup(); {code}"],
                cwd=PROJECT,
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
        with self.running("celery", "-A", "enterprise_catalog", "worker", "--concurrency", "2") as process:
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

    def ask(self, question: object = None) -> Any:
        """Write ``question`` as JSON, or an empty line, and return what the process says next."""
        assert self.process.stdin is not None
        line = "" if question is None else json.dumps(question)
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        """Wait for what the process says next; fail with its log if it ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the process said nothing more:\n{self.log.read_text(errors='replace')[-4000:]}"
        return json.loads(line)


def get_json(url: str) -> Any:
    """Return what ``url`` answers."""
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (loopback)
        return json.load(response)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Return once ``condition`` holds; fail if it takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} seconds"
        time.sleep(0.1)
