"""The surroundings of a benchmark: a MariaDB of its own, and settings as in production but for what signs tokens.

They are those of the tests (``DEBUG`` off, the whole middleware, tokens signed by the site itself). Nothing of Django's
models may be imported before :func:`prepared` has been entered.
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
    """Set Django up on an empty, migrated database until the block ends.

    Args:
        database_url: an empty MariaDB database; none starts a private server.
        buffer_pool: the private server's ``innodb_buffer_pool_size``.

    Raises:
        UnavailableError: there is no MariaDB to be had.
    """
    # Every commit reaches the disk, as operations.rst asks for; ``max_allowed_packet`` stays at its 16 MiB.
    url = database_url or start_mariadb(f"--innodb-buffer-pool-size={buffer_pool}")
    with tempfile.TemporaryDirectory(prefix="enterprise-catalog-benchmark-") as state:
        os.environ.pop("TEST_REDIS_URL", None)  # The counts of the throttle then stay in the process.
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.test",
            "DATABASE_URL": url,
            "LOCAL_STATE_DIR": state,
            "LOG_FORMAT": "json",
            "API_THROTTLE_RATE": "100000/second",
        }
        set_up()
        from django.core.management import call_command  # noqa: PLC0415  (only now are there settings)

        call_command("migrate", verbosity=0)
        yield


def set_up() -> None:
    """Set Django up as the environment says, without the lines that each sync would write between ours."""
    django.setup()
    logging.getLogger("enterprise_catalog").setLevel(logging.WARNING)


def describe_machine() -> dict[str, str | int]:
    """Return what of the machine matters to the figures; nothing that names it."""
    from django.db import connection  # noqa: PLC0415  (likewise)

    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        version: str = cursor.fetchone()[0]
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "mariadb": version.partition("-")[0],
        "load_average": f"{os.getloadavg()[0]:.1f}",
    }
