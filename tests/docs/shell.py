"""A shell with its own site, in a folder that looks like the repository."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.docs import process_pool
from tests.processes import PROJECT, Site, wait_until
from tests.services import free_port, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Parts of the repository that documents use.
_LINKED: Final = ("manage.py", "enterprise_catalog", "Makefile", "requirements")
_WEB, _SANDBOX, _OPEN_EDX = "127.0.0.1:8000", "127.0.0.1:8001", "127.0.0.1:8002"
_SAMPLE: Final = PROJECT / "enterprise_catalog" / "catalog" / "sample_catalog.jsonl"
_SECONDS: Final = 120


class Done(NamedTuple):
    """The result of a command."""

    output: str  #: Standard output and standard error, interleaved.
    code: int


class Shell:
    """A bash that keeps its variables from one command to the next.

    The documents' ports, 8000 to 8002, are replaced with free ports.
    """

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self._background = contextlib.ExitStack()
        self._ports = {
            _WEB: f"127.0.0.1:{site.port}",
            _SANDBOX: f"127.0.0.1:{free_port()}",
            _OPEN_EDX: f"127.0.0.1:{free_port()}",
        }
        (site.folder / "open-edx-port").write_text(self._port_of(_OPEN_EDX))
        for name in _LINKED:
            (folder / name).symlink_to(PROJECT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        environment = {**site.environment, "PATH": f"{Path(sys.prefix) / 'bin'}:{site.environment['PATH']}"}
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._start_commands()

    def run(self, command: str) -> Done:
        """Run a command to its end."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        end = f"--- end {time.monotonic_ns()}"
        # Restore the exit code, because the next command may print it.
        script = f"{{ {self._outward(command)}\n}} < /dev/null; code=$?; echo; echo {end} $code; (exit $code)\n"
        self._bash.stdin.write(script)
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(end):
                return Done(self._inward("".join(lines)).removesuffix("\n"), int(line.split()[-1]))
            lines.append(line)
        raise AssertionError(f"the shell ended:\n{''.join(lines)}")

    def start_site(self) -> Done:
        """Do the same as ``make run``, without worker and scheduler, because those would start syncs on their own.

        Returns when the site has answered a request. On a busy machine, the first answer may take longer than the 10
        seconds that ``create_channel`` waits for the catalog service.
        """
        done = self.run("python manage.py ensure_local_admin")
        port = self._port_of(_OPEN_EDX)
        sandbox = ("run_sandbox", "--service", "OPEN_EDX", "--port", port, "--knob", "accepts_any_token=1")
        self._start(int(port), *sandbox, "--data", str(_SAMPLE))
        self._start(self.site.port, "runserver", "--noreload", self._ports[_WEB])
        with urllib.request.urlopen(f"http://{self._ports[_WEB]}/admin/login/", timeout=_SECONDS) as response:
            response.read()
        return done

    def start_sandbox(self, command: str) -> Done:
        """Run ``python manage.py run_sandbox …`` in the background; return its first line."""
        port = self._port_of(_SANDBOX)
        arguments = (*command.split()[2:-1], port)
        log = self.site.log_of("django", *arguments)
        if not log.exists():
            self._start(int(port), *arguments)
            wait_until(lambda: "\n" in log.read_text(), seconds=_SECONDS)
        return Done(self._inward(log.read_text().splitlines()[0]), 0)

    def close(self) -> None:
        """End the shell and all background processes."""
        self._background.close()
        self._bash.communicate("exit\n", timeout=_SECONDS)

    def _start_commands(self) -> None:
        """Make ``python manage.py`` run in a fork of a process that is already running."""
        path, client = self.site.folder / "commands", self.site.folder / "client.py"
        client.write_text(process_pool.CLIENT, encoding="utf-8")
        self._background.enter_context(self.site.running("tests.docs.process_pool", str(path)))
        wait_until(path.exists, seconds=_SECONDS)
        self.run(
            'python() { if [ "$1" = manage.py ]; then set -- -I -S '
            f'{shlex.quote(str(client))} {shlex.quote(str(path))} "$@"; fi; command python "$@"; }}'
        )

    def _start(self, port: int, *arguments: str) -> None:
        command = ("django", *arguments)
        process = self._background.enter_context(self.site.running(*command))
        wait_for_port(port, process, log=self.site.log_of(*command))

    def _port_of(self, shown: str) -> str:
        return self._ports[shown].rpartition(":")[2]

    def _outward(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(shown, real)
        return text

    def _inward(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(real, shown)
        return text


@contextlib.contextmanager
def shell(folder: Path, *, migrated: Path) -> Iterator[Shell]:
    """Yield a shell with its own site; both end with the block.

    Args:
        migrated: the folder of a site without data; it is copied.
    """
    state, work = folder / "state", folder / "repository"
    shutil.copytree(migrated, state)
    work.mkdir()
    given = Shell(Site.make(state, LOG_FORMAT="console"), work)
    try:
        yield given
    finally:
        given.close()
