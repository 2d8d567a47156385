"""MariaDB and Redis for the tests: from ``TEST_DATABASE_URL`` and ``TEST_REDIS_URL``, else private servers.

A pytest plugin (``-p tests.services``), because the database must be set before Django reads its settings. With
``--mariadb`` the suite runs on MariaDB instead of SQLite. Tests of an unavailable service are skipped with the reason;
with ``REQUIRE_SERVICES=1`` they fail instead.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

T = TypeVar("T")

#: Examples of a test by hypothesis in ``make test``, on SQLite and on MariaDB, and in the long form.
EXAMPLES: Final = 100
EXAMPLES_ON_MARIADB: Final = 40
EXAMPLES_OF_A_SOAK: Final = 2_000

_START_SECONDS = 120
_STOP_SECONDS = 20
#: Debian installs servers in folders that are not on an ordinary user's PATH.
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))

#: Debian's script on PATH runs the server as another user.
_RABBITMQ = shutil.which("/usr/lib/rabbitmq/bin/rabbitmq-server") or "rabbitmq-server"

#: MariaDB's options to leave the time of writing to disk to the kernel. Data survives a kill of the server, but not a
#: power failure. A migrated database is then created in a third of the time.
UNSYNCED: Final = ("--loose-innodb-flush-method=nosync", "--loose-debug-no-sync")

_no_mariadb: str | None = None


class UnavailableError(Exception):
    """A service is not available; the message gives the reason."""


@dataclass(eq=False)
class PrivateServer:
    """A private server with its own folder and port; stopped at exit."""

    command: Sequence[str]
    port: int
    folder: Path
    url: str
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        atexit.register(self.stop)

    def start(self) -> None:
        """Start the server with the data of an earlier start; returns when it listens.

        Raises:
            UnavailableError: the server ends, or does not listen in time.
        """
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self.command, stdout=output, stderr=subprocess.STDOUT)
        wait_for_port(self.port, self._process, log=log)

    def stop(self) -> None:
        """Stop the server gracefully, if it runs; returns when it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=patience(_STOP_SECONDS))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the server with SIGKILL; returns when it has ended."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mariadb", action="store_true", help="run on MariaDB instead of SQLite")
    parser.addoption("--soak", action="store_true", help="run the long form of the resilience tests and of fuzzing")
    parser.addoption(
        "--switch-interval",
        type=float,
        metavar="SECONDS",
        help="how long a thread runs before others get their turn (sys.setswitchinterval); 1e-6 brings races to light",
    )
    parser.addoption("--pictures", action="store_true", help="write the pictures of browser tests into docs/images")
    parser.addoption("--seed", type=int, help="repeat the resilience tests with the seed that an earlier run printed")


def pytest_configure(config: pytest.Config) -> None:
    """Set the switch interval before any thread starts, and the settings of hypothesis.

    Raises:
        UsageError: several workers would use the same servers. They would delete each other's data.
    """
    if _has_workers(config) and (os.environ.get("TEST_REDIS_URL") or os.environ.get("TEST_DATABASE_URL")):
        raise pytest.UsageError("Workers cannot share TEST_DATABASE_URL or TEST_REDIS_URL: unset them, or use -n 0.")
    if seconds := config.getoption("--switch-interval"):
        sys.setswitchinterval(seconds)
    usual = EXAMPLES_ON_MARIADB if config.getoption("--mariadb") else EXAMPLES
    examples = EXAMPLES_OF_A_SOAK if config.getoption("--soak") else usual
    # Time limits of hypothesis count time in which other processes run.
    too_slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("ours", max_examples=examples, deadline=None, suppress_health_check=too_slow)
    hypothesis.settings.load_profile("ours")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None]:
    """Set folder and database before pytest-django reads the settings; only hook wrappers run before it.

    Each worker of pytest-xdist has its own servers: some tests wait until a transaction of a server waits for a lock.
    """
    global _no_mariadb  # noqa: PLW0603  (read by pytest_runtest_setup)
    gc.disable()  # Until all tests are collected (conftest.py).
    os.environ["LOCAL_STATE_DIR"] = str(_folder("tests"))
    if "--mariadb" in args and not _has_workers(early_config):
        try:
            os.environ["DATABASE_URL"] = mariadb_url()
        except UnavailableError as error:
            _no_mariadb = str(error)
    yield


def _has_workers(config: pytest.Config) -> bool:
    """Return True if this process leaves the tests to workers of pytest-xdist. Workers get the same arguments."""
    return "PYTEST_XDIST_WORKER" not in os.environ and bool(getattr(config.known_args_namespace, "numprocesses", None))


def pytest_report_header(config: pytest.Config) -> str:
    """Report the suite's database."""
    return f"database: {'MariaDB' if config.getoption('--mariadb') else 'SQLite'}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of the other database and of the long form, mark those that repeat others, and sort the files.

    With MariaDB installed, a test that runs on both databases is marked slow on SQLite. So ``make test`` runs it once,
    and CI on both.

    Files with long tests run first, the longest before all others, then files with tests that start processes: a late
    start would leave pytest-xdist's other workers idle at the end.
    """
    priorities: dict[Path, int] = {}
    for item in items:
        mark = item.get_closest_marker("long")
        priority = max(mark.args, default=1) if mark else 0
        priorities[item.path] = max(priorities.get(item.path, 0), priority)
    with_processes = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (-priorities[item.path], item.path not in with_processes))
    database = "mariadb" if config.getoption("--mariadb") else "sqlite"
    left_out = {item for item in items if (mark := item.get_closest_marker("only_on")) and database not in mark.args}
    if not (config.getoption("--soak") or config.getoption("--pictures")):
        left_out.update(item for item in items if item.get_closest_marker("soak"))
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]
    if database == "sqlite" and _has_mariadb():
        for item in items:
            if item.get_closest_marker("django_db") and _runs_on_mariadb(item):
                item.add_marker("slow")


def _runs_on_mariadb(item: pytest.Item) -> bool:
    """Return True if this test also runs in the MariaDB half; the Makefile has the same rule."""
    only_on = item.get_closest_marker("only_on")
    return not item.get_closest_marker("processes") and (only_on is None or "mariadb" in only_on.args)


def _has_mariadb() -> bool:
    try:
        _check_driver()
        if not os.environ.get("TEST_DATABASE_URL"):
            find_program("mariadb-install-db")
            find_program("mariadbd")
    except UnavailableError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test that needs the missing MariaDB. All other tests use a database of their own, or none.

    A MariaDB that is installed and does not start is a failure: ``make test`` leaves these tests out on SQLite.
    """
    if _no_mariadb is not None and item.get_closest_marker("django_db"):
        if is_required():
            pytest.fail(f"REQUIRE_SERVICES=1, but there is no MariaDB: {_no_mariadb}", pytrace=False)
        if _has_mariadb():
            pytest.fail(f"MariaDB is installed, but does not start: {_no_mariadb}", pytrace=False)
        pytest.skip(f"no MariaDB: {_no_mariadb}")


def is_required() -> bool:
    """Return True if an unavailable service is a failure."""
    return os.environ.get("REQUIRE_SERVICES") == "1"


def or_skip(service: Callable[[], T]) -> T:
    """Return the result of ``service``. If it is unavailable, skip the test, or fail with ``REQUIRE_SERVICES=1``."""
    try:
        return service()
    except UnavailableError as error:
        if is_required():
            raise
        pytest.skip(str(error))


@functools.cache
def mariadb_url() -> str:
    """Return the URL of a MariaDB with a database ``enterprise_catalog``; a private server is stopped at exit.

    Raises:
        UnavailableError: ``TEST_DATABASE_URL`` is not set and no server can be started, or there is no driver.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        _check_driver()
        return given
    return start_mariadb("--innodb-flush-log-at-trx-commit=2", *UNSYNCED)


def start_mariadb(*options: str) -> str:
    """Start a private MariaDB and return the URL of its database ``enterprise_catalog``; it is stopped at exit.

    Args:
        options: additional options of ``mariadbd``; all other options keep the server's defaults.

    Raises:
        UnavailableError: the server cannot be started, or there is no driver.
    """
    return private_mariadb(*options).url


def private_mariadb(*options: str) -> PrivateServer:
    """Start a server like :func:`start_mariadb`; return an object that stops and restarts it with its data."""
    _check_driver()
    install, server = find_program("mariadb-install-db"), find_program("mariadbd")
    folder = _folder("mariadb")
    user = ["--user=root"] if os.geteuid() == 0 else []
    data = folder / "data"
    login = "--auth-root-authentication-method=normal"
    scratch = folder / "scratch"
    scratch.mkdir()
    # Servers that share a folder for temporary tables delete each other's tables when they start. The installation
    # starts one, too.
    own = [f"--datadir={data}", f"--tmpdir={scratch}"]
    _run([install, "--no-defaults", *user, *own, login, *UNSYNCED])
    port = free_port()
    places = [
        *own,
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
    ]
    address = [f"--port={port}", "--bind-address=127.0.0.1"]
    url = f"mysql://root@127.0.0.1:{port}"
    mariadb = PrivateServer([server, "--no-defaults", *user, *places, *address, *options], port, folder, url)
    mariadb.start()
    mariadb.url = create_database(url, "enterprise_catalog")
    return mariadb


@functools.cache
def redis_url() -> str:
    """Return the URL of a Redis; a private server is stopped at exit.

    Raises:
        UnavailableError: ``TEST_REDIS_URL`` is not set, and no server can be started.
    """
    return os.environ.get("TEST_REDIS_URL") or private_redis().url


def private_redis(*options: str) -> PrivateServer:
    """Start a private Redis without persistence; return an object that stops it and restarts it empty.

    Args:
        options: additional options of ``redis-server``, such as ``--appendonly yes`` to keep its data.

    Raises:
        UnavailableError: the server cannot be started.
    """
    server, port, folder = find_program("redis-server"), free_port(), _folder("redis")
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    redis = PrivateServer(command, port, folder, f"redis://127.0.0.1:{port}/0")
    redis.start()
    return redis


def private_rabbitmq(*settings: str) -> PrivateServer:
    """Start a private RabbitMQ, with its own port mapper; return an object that restarts it with its data.

    Args:
        settings: lines of ``rabbitmq.conf``.

    Raises:
        UnavailableError: the server cannot be started.
    """
    server, mapper, folder = find_program(_RABBITMQ), find_program("epmd"), _folder("rabbitmq")
    port, mapper_port = free_port(), free_port()
    (folder / "plugins").write_text("[].")
    (folder / "rabbitmq.conf").write_text("\n".join([f"listeners.tcp.default = 127.0.0.1:{port}", *settings, ""]))
    # RabbitMQ looks for channels over their time limit at this interval, in milliseconds.
    (folder / "advanced.config").write_text("[{rabbit, [{channel_tick_interval, 500}]}].")
    variables = {
        "HOME": folder,  # The node's cookie is there.
        "RUNNING_UNDER_SYSTEMD": "true",  # The script becomes the server, and is not its parent.
        "ERL_EPMD_PORT": mapper_port,
        "RABBITMQ_NODENAME": f"private-{port}@localhost",
        "RABBITMQ_DIST_PORT": free_port(),
        "RABBITMQ_MNESIA_BASE": folder / "data",
        "RABBITMQ_LOG_BASE": folder / "logs",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq",
        "RABBITMQ_ADVANCED_CONFIG_FILE": folder / "advanced.config",
    }
    PrivateServer([mapper, "-port", str(mapper_port)], mapper_port, folder, "").start()
    command = ["env", *(f"{name}={value}" for name, value in variables.items()), server]
    rabbitmq = PrivateServer(command, port, folder, f"amqp://guest:guest@127.0.0.1:{port}//")
    rabbitmq.start()
    return rabbitmq


def create_database(server_url: str, name: str, *, collation: str | None = None) -> str:
    """Create a database on a MariaDB server and return its URL. Drops an existing one.

    Args:
        server_url: the URL of the server or of a database on it.
        collation: default collation of the database; None for the server's default for utf8mb4.
    """
    address = f"mysql://root@127.0.0.1:{_port_of(server_url)}"
    options = f"CHARACTER SET utf8mb4{f' COLLATE {collation}' if collation else ''}"
    _execute(f"{address}/mysql", f"DROP DATABASE IF EXISTS `{name}`", f"CREATE DATABASE `{name}` {options}")
    return f"{address}/{name}"


def query_mariadb(database_url: str, query: str) -> tuple[str, ...]:
    """Return the first row of the result of ``query``."""
    row = _execute(database_url, query)
    assert row is not None
    return row


def _execute(database_url: str, *statements: str) -> tuple[str, ...] | None:
    """Execute the statements and return the first row of the last one's result, if it has a result."""
    import MySQLdb  # noqa: PLC0415  (missing if it could not be built)

    port, name = _port_of(database_url), database_url.rpartition("/")[2]
    with (
        MySQLdb.connect(host="127.0.0.1", port=port, user="root", database=name) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)
        row: tuple[str, ...] | None = cursor.fetchone()
    return row


def _port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def is_private(database_url: str) -> bool:
    """Return True if the database is on a private MariaDB server."""
    return not os.environ.get("TEST_DATABASE_URL") and database_url.startswith("mysql://root@127.0.0.1:")


def free_port() -> int:
    """Return a loopback port for a server, and reserve it until this process ends.

    The port stays bound, so the kernel gives it to no other process. It refuses connections until a server listens. The
    server must set ``SO_REUSEADDR``, as nearly all servers do.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    port: int = reservation.getsockname()[1]
    reservation.detach()
    return port


def patience(seconds: float) -> float:
    """Return a time limit that is ``seconds`` on an idle machine, and longer the more processes share a core."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_for_port(port: int, process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Wait until ``process`` listens on ``port``.

    Raises:
        UnavailableError: the process ends or takes too long; the message includes the end of its log.
    """
    began = time.monotonic()
    while time.monotonic() - began < patience(_START_SECONDS) and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise UnavailableError(f"{log.parent.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _check_driver() -> None:
    if importlib.util.find_spec("MySQLdb") is None:
        raise UnavailableError("mysqlclient is not installed (it needs libmariadb-dev and a C compiler to build)")


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        UnavailableError: it is not installed.
    """
    path = shutil.which(name, path=_PLACES)
    if path is None:
        raise UnavailableError(f"{name} is not on PATH")
    return path


def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"enterprise-catalog-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{Path(command[0]).name} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
