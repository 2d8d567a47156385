"""Reads that belong together, and rows that are worked on while the database still finds the next ones."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.utils import CursorWrapper

#: Few enough to stay in the processor's cache while they are worked on, enough for a pass over them to cost more than
#: the call that fetched them.
_ROWS_AT_ONCE: Final = 500


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


def stream_rows(sql: str, parameters: Sequence[Any]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a SELECT, some at a time, while the database goes on finding the next ones.

    Until the last one is fetched, or the iterator closed, the connection can do nothing else.
    """
    with closing(_streaming_cursor()) as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows


def _streaming_cursor() -> CursorWrapper:
    """Return a cursor that hands rows on as they come; MySQL's usual one waits for the last before it gives the first.

    Django's wrapper counts and logs its statement like every other one.
    """
    if connection.vendor != "mysql":
        return connection.cursor()
    from django.db.backends.mysql.base import CursorWrapper as MySQLCursorWrapper  # noqa: PLC0415  (needs the driver)
    from MySQLdb.cursors import SSCursor  # noqa: PLC0415  (likewise)

    connection.ensure_connection()
    cursor: Any = MySQLCursorWrapper(connection.connection.cursor(SSCursor))
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
