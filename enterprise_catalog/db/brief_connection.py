"""Database connections with short timeouts, for code that must not wait for an unresponsive database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

TIMEOUT_SECONDS: Final = 2


@contextmanager
def brief_connection() -> Iterator[BaseDatabaseWrapper]:
    """Provide a new connection to the default database, and close it at the end.

    Connecting, and each read or write, raises ``OperationalError`` after :data:`TIMEOUT_SECONDS`.
    """
    brief = connection.copy()
    is_sqlite = brief.vendor == "sqlite"
    names = ("timeout",) if is_sqlite else ("connect_timeout", "read_timeout", "write_timeout")
    brief.settings_dict["OPTIONS"] |= dict.fromkeys(names, TIMEOUT_SECONDS)
    try:
        yield brief
    finally:
        brief.close()
