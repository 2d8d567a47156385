"""Migrated databases: made once for all tests, then copied. A migration takes 8 s of CPU time, a copy less than 1 s.

The templates are in pytest's cache folder, named by a fingerprint of the models and migrations. They also hold the
generated secrets of the local site that was migrated, because the migration stores one of them in the database.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import inspect
import re
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import django
from django.apps import apps

from tests import services
from tests.processes import PROJECT, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CACHE: Final = PROJECT / ".pytest_cache" / "migrated"
_DATABASE: Final = "database"
#: The secrets that the local settings generate (settings/local.py).
_SECRETS: Final = ("signing-key.json", "secret-key", "oauth2-client-secret", "credentials-key")
#: Templates to keep; an older one is deleted when a new one is made.
_KEPT_TEMPLATES: Final = 6


def migrate(site: Site) -> None:
    """Do what the command ``migrate`` does for a site with an empty database that no process has used yet."""
    url = site.environment.get("DATABASE_URL", f"sqlite:///{site.folder / 'enterprise_catalog.sqlite3'}")
    try:
        template = copy_to_sqlite(Path(url.removeprefix("sqlite:///"))) if "sqlite:" in url else copy_to_mariadb(url)
    except services.UnavailableError:
        site.manage("migrate", "--verbosity", "0")
        return
    for name in _SECRETS:
        shutil.copy(template / name, site.folder)


def copy_to_sqlite(database: Path) -> Path:
    """Write a migrated database to the file ``database``. Return the folder with its site's secrets."""
    template = _template("sqlite", _make_sqlite_template)
    shutil.copy(template / _DATABASE, database)
    return template


def copy_to_mariadb(url: str) -> Path:
    """Create all tables in the empty database ``url`` of a private server. Return the folder with its site's secrets.

    Raises:
        UnavailableError: MariaDB's client programs are not installed.
    """
    collation, server = services.query_mariadb(url, "SELECT @@collation_database, @@version")
    make = functools.partial(_make_mariadb_template, url, collation)
    template = _template("-".join(("mariadb", collation, re.sub(r"[^\w.]", "_", server))), make)
    with (template / _DATABASE).open("rb") as dump:
        _run_client("mariadb", url, stdin=dump)
    return template


def _template(database: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of the current template. If it is missing, ``make`` writes it to the folder it is given."""
    template = _CACHE / f"{database}-{_fingerprint()}"
    with _locked_cache():
        if not template.exists():
            oldest_first = sorted(_CACHE.glob("*-*"), key=lambda folder: folder.stat().st_mtime)
            for old in oldest_first[: 1 - _KEPT_TEMPLATES]:
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
                made = Path(folder) / "made"
                made.mkdir()
                make(made)
                made.rename(template)
    return template


@contextlib.contextmanager
def _locked_cache() -> Iterator[None]:
    """Let one process at a time make templates."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _fingerprint() -> str:
    """Return a hash of Django's version, this file, and all files that define models and migrations."""
    files = {__file__} | {inspect.getfile(model) for model in apps.get_models(include_auto_created=True)}
    for application in apps.get_app_configs():
        files.update(map(str, Path(application.path).glob("migrations/*.py")))
    digest = hashlib.sha256(django.__version__.encode())
    for file in sorted(files):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:16]


def _make_sqlite_template(folder: Path) -> None:
    source = folder / "enterprise_catalog.sqlite3"
    Site.make(folder).manage("migrate", "--verbosity", "0")
    with contextlib.closing(sqlite3.connect(source)) as connection:
        # One file, without a write-ahead log.
        connection.execute("VACUUM INTO ?", [str(folder / _DATABASE)])
    with contextlib.closing(sqlite3.connect(folder / _DATABASE)) as connection:
        # As ``migrate`` leaves it: if two connections switch a file at the same time, SQLite rejects one of them.
        connection.execute("PRAGMA journal_mode=WAL")
    for file in folder.glob(f"{source.name}*"):
        file.unlink()


def _make_mariadb_template(server_url: str, collation: str, folder: Path) -> None:
    url = services.create_database(server_url, "template", collation=collation)
    Site.make(folder, DATABASE_URL=url).manage("migrate", "--verbosity", "0")
    with (folder / _DATABASE).open("wb") as dump:
        _run_client("mariadb-dump", url, stdout=dump)


def _run_client(program: str, url: str, *, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> None:
    """Run a client program of MariaDB for a database of a private server."""
    address, _, database = url.rpartition("/")
    port = address.rpartition(":")[2]
    options = ["--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=root"]
    subprocess.run([services.find_program(program), *options, database], stdin=stdin, stdout=stdout, check=True)
