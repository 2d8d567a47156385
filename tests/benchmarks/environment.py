"""The benchmark environment: a private MariaDB, and production-like settings.

Uses the test settings: ``DEBUG`` is off, all middleware is active, and the site signs its own tokens. Import no Django
models before entering :func:`prepared`.
"""

from __future__ import annotations

import logging
import os
import platform
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import django

from tests.services import start_mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prepared(*, database_url: str | None, buffer_pool: str) -> Iterator[None]:
    """Set up Django on an empty, migrated database until the block ends.

    Args:
        database_url: an empty MariaDB database; None starts a private server.
        buffer_pool: the private server's ``innodb_buffer_pool_size``.

    Raises:
        UnavailableError: no MariaDB is available.
    """
    # Every commit is flushed to disk, as operations.rst requires; ``max_allowed_packet`` stays at its default of 16
    # MiB.
    url = database_url or start_mariadb(f"--innodb-buffer-pool-size={buffer_pool}")
    with tempfile.TemporaryDirectory(prefix="enterprise-catalog-benchmark-") as state:
        os.environ.pop("TEST_REDIS_URL", None)  # Keeps the throttle's counters in the process.
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.test",
            "DATABASE_URL": url,
            "LOCAL_STATE_DIR": state,
            "LOG_FORMAT": "json",
            "API_THROTTLE_RATE": "100000/second",
        }
        set_up()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def set_up() -> None:
    """Set up Django from the environment. Hides log lines below WARNING, which each sync would print."""
    django.setup()
    logging.getLogger("enterprise_catalog").setLevel(logging.WARNING)


def describe_machine() -> dict[str, str | int]:
    """Return the machine's properties that affect the results; nothing that identifies the machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        version: str = cursor.fetchone()[0]
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "mariadb": version.partition("-")[0],
        "load_average": f"{os.getloadavg()[0]:.1f}",
    }
