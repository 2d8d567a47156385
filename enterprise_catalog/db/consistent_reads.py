"""Consistent multi-query reads, and rows of plain SQL: all at once, or streamed."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.utils import CursorWrapper

#: A row of plain SQL, one value per column.
Row: TypeAlias = tuple[Any, ...]
#: A parameter of plain SQL.
Parameter: TypeAlias = str | int | None

#: Few enough rows to stay in the processor's cache while they are processed. Enough rows for processing to cost more
#: than the call that fetches them.
_ROWS_AT_ONCE: Final = 500


@contextmanager
def consistent_read() -> Iterator[None]:
    """Make all reads in this block see the same snapshot of the database, regardless of concurrent commits.

    MariaDB and MySQL do this under REPEATABLE READ, starting with the first read. SQLite's transactions begin as
    writers here (see the settings), and SQLite allows one writer at a time. Read-only blocks therefore use a deferred
    transaction. Otherwise they would wait for a running import, or fail if it takes too long.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield
        return
    connection.ensure_connection()  # Connecting sets the mode.
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"  # type: ignore[attr-defined]  # SQLite's
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]  # likewise


def read_rows(sql: str, parameters: Sequence[Parameter]) -> list[Row]:
    """Return the rows of a SELECT."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def stream_rows(sql: str, parameters: Sequence[Parameter]) -> Iterator[Sequence[Row]]:
    """Yield the rows of a SELECT in batches, while the database is still finding the remaining rows.

    The connection cannot run other statements until the last row is fetched or the iterator is closed.
    """
    with closing(_streaming_cursor()) as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows


def _streaming_cursor() -> CursorWrapper:
    """Return a cursor that yields rows as they arrive; MySQL's default cursor buffers the whole result first.

    Django's wrapper counts and logs its statement like any other statement.
    """
    if connection.vendor != "mysql":
        return connection.cursor()
    from django.db.backends.mysql.base import CursorWrapper as MySQLCursorWrapper  # noqa: PLC0415  (needs the driver)
    from MySQLdb.cursors import SSCursor  # noqa: PLC0415  (likewise)

    connection.ensure_connection()
    cursor: Any = MySQLCursorWrapper(connection.connection.cursor(SSCursor))
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
