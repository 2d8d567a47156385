"""Reads that belong together."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_state() -> Iterator[None]:
    """Let all reads see the same state of the database, whatever is committed meanwhile.

    MariaDB and MySQL do so under REPEATABLE READ, from the first read on. SQLite's transactions begin as writers here
    (see the settings), of which there is one at a time. These only read, and would wait for an import to end, or fail
    if it takes long.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield
        return
    connection.ensure_connection()  # It sets the mode.
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"  # type: ignore[attr-defined]  # SQLite's
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]  # likewise
