"""Fixtures for all tests."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.local_auth.tokens import signed_token
from enterprise_catalog.settings import base
from tests import migrated_database, services
from tests.migrated_rows import MigratedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from pytest_django import DjangoDbBlocker, Settings


def pytest_sessionstart() -> None:
    """Do not ignore SIGINT, and let no child inherit that, as they do if a script has started the tests with ``&``."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the garbage collector skip all imported modules, and run less often. Saves 7 % of the CPU time.

    Imports and collection leave little garbage, so it is not collected first. That would take 0.1 s in each worker.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """True: pytest-django uses the copy below. Its folder or server is deleted at the end."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,  # noqa: ARG001  (gives each worker a file of its own)
) -> None:
    """Make the test database by copying a migrated one. On a server that is not ours, pytest-django migrates it."""
    database = configured.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.mysql":
        migrated_database.copy_to_sqlite(Path(database["TEST"]["NAME"]))
    elif services.is_private(url := os.environ["DATABASE_URL"]):
        test_url = services.create_database(url, "test", collation=database["TEST"]["COLLATION"])
        database["TEST"]["NAME"] = test_url.rpartition("/")[2]
        with contextlib.suppress(services.UnavailableError):  # Then pytest-django migrates it.
            migrated_database.copy_to_mariadb(test_url)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:  # noqa: ARG001
    """Restore the migrated rows after each test that commits, instead of flushing the database."""
    with django_db_blocker.unblock():
        rows = MigratedRows.read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: rows.restore())
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_second_setup() -> Iterator[None]:
    """Let a command line that a test runs in this process not configure the logs again.

    Otherwise they would go to the standard error of that test, which is closed in later tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django, "setup", lambda **_: None)
        yield


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    """Clear the cache, which holds throttle counters and the tokens of Open edX's client, and the snapshots.

    Catalog versions are unique, except after a rollback. Every test rolls back, so a later test may repeat a version.
    """
    cache.clear()
    SNAPSHOTS.clear()


@pytest.fixture
def client_with() -> Callable[..., APIClient]:
    """Return a function that makes an API client with a token for these roles, such as ``enterprise_admin:<uuid>``."""

    def make(*roles: str, **token: Any) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"JWT {signed_token('caller', roles=roles, **token)}")
        return client

    return make


@pytest.fixture
def operator(client_with: Callable[..., APIClient]) -> APIClient:
    """A client that may read all catalogs."""
    return client_with("enterprise_openedx_operator:*")


@pytest.fixture
def admin_of(client_with: Callable[..., APIClient]) -> Callable[[UUID], APIClient]:
    """Return a function that makes a client with read access to one customer's catalogs."""
    return lambda customer_uuid: client_with(f"enterprise_admin:{customer_uuid}")


@pytest.fixture
def pictures(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """The folder for pictures of the documentation, which ``make pictures`` renews; in other runs, a temporary one."""
    return pytestconfig.rootpath / "docs" / "images" if pytestconfig.getoption("--pictures") else tmp_path


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeze the clock of the login limits, so a test never crosses a window boundary such as midnight."""
    monkeypatch.setattr("enterprise_catalog.web.login_limits._seconds", lambda: 1_800_000_000)


@pytest.fixture
def no_cache(settings: Settings) -> None:
    """A cache whose Redis refuses all connections."""
    settings.CACHES = {"default": base.cache(f"redis://127.0.0.1:{services.free_port()}/0")}


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The URL of a Redis; skips the test if there is no Redis."""
    return services.or_skip(services.redis_url)


@pytest.fixture(scope="session")
def mariadb_url() -> str:
    """The URL of a MariaDB server, even when the suite itself runs on SQLite; skips the test if there is no server."""
    return services.or_skip(services.mariadb_url)
