"""Processes and commands of the demonstration's site. Its database, keys and logs are in one folder."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.sandbox.json_objects import Announcement

MANAGE: Final = Path(__file__).resolve().parents[3] / "manage.py"
_START_SECONDS: Final = 180


class DemonstrationError(Exception):
    """The demonstration failed. The message describes the failed step."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Processes:
    """Commands and servers that share a folder and an environment."""

    folder: Path
    port: int = field(default_factory=_free_port)  #: Of the catalog service.
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = _environment(self.folder, self.port)

    @property
    def url(self) -> str:
        """The base URL of the catalog service."""
        return self.environment["CATALOG_API_URL"]

    def manage(self, *arguments: str, allowed: Sequence[int] = (0,)) -> str:
        """Run a command and return its output.

        Raises:
            DemonstrationError: the exit code is not in ``allowed``.
        """
        command = [sys.executable, str(MANAGE), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603  (our own command)
        if done.returncode not in allowed:
            raise DemonstrationError(f"{arguments[0]} exited with code {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command until the block ends. Its error output goes to a log file in the folder."""
        command = [sys.executable, str(MANAGE), *arguments]
        with (self.folder / f"{arguments[0]}.log").open("a") as log:
            process = subprocess.Popen(  # noqa: S603  (our own command)
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)
            assert process.stdout is not None
            process.stdout.close()


def announcement_of(sandbox: subprocess.Popen[str]) -> Announcement:
    """Return what a starting sandbox announces: its URL and credentials.

    Raises:
        DemonstrationError: it did not start.
    """
    assert sandbox.stdout is not None
    line = sandbox.stdout.readline()
    if not line:
        raise DemonstrationError("the sandbox did not start")
    announced: Announcement = json.loads(line)
    return announced


def wait_for(url: str) -> None:
    """Wait until ``url`` responds.

    Raises:
        DemonstrationError: no response within three minutes.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            get_json(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise DemonstrationError(f"{url} did not respond within {_START_SECONDS} seconds")


def get_json(url: str | urllib.request.Request) -> Any:
    """Return the parsed response of a URL or request; ``None`` for an empty response."""
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (loopback)
        body = response.read()
    return json.loads(body) if body else None


def send(method: str, url: str, body: bytes | None, **headers: str) -> Any:
    """Return the parsed response to a request, with a JSON body if ``body`` is not ``None``.

    Raises:
        DemonstrationError: the response is an error. The message contains it.
    """
    request = urllib.request.Request(  # noqa: S310  (loopback)
        url, data=body, headers={"Content-Type": "application/json", **headers}, method=method
    )
    try:
        return get_json(request)
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read().decode("utf-8", "replace")
        raise DemonstrationError(f"{method} {url} returned {error.code}: {reason[:500]}") from None


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Return an environment that keeps all state in ``folder``. Overrides conflicting variables of the caller."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
        "LOCAL_STATE_DIR": str(folder),
        "CATALOG_API_URL": f"http://127.0.0.1:{port}",
        "OAUTH2_PROVIDER_URL": f"http://127.0.0.1:{port}/oauth2",
        "PYTHONUNBUFFERED": "1",
    }
    foreign = {
        "LOCAL_PORT",
        "DISCOVERY_SERVICE_API_URL",
        "DATABASE_URL",
        "CACHE_URL",
        "CELERY_BROKER_URL",
        "OAUTH2_CLIENT_ID",
        "OAUTH2_CLIENT_SECRET",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    return inherited | ours
