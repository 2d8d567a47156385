"""Statements of a page, with the rows that each one reads: MariaDB's handler counters."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: Reads of a statement that find the end of a scan.
_ENDS: Final = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a page."""

    sql: str
    rows_read: int


@contextmanager
def counted() -> Iterator[list[Statement]]:
    """Yield a list to which each statement in this block is added.

    A statement's rows are the sum of the connection's ``Handler_read_…`` counters: rows and index entries that the
    storage engine returned, including those of temporary tables. Index entries that the engine compared with a pushed
    condition and did not return are added. The last reads of the scans of a table and of a temporary table, which find
    their ends, are left out.
    """
    statements: list[Statement] = []
    of_reading = _cost_of_reading()

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        before = _rows_read()
        result = run(sql, params, many, context)
        read = _rows_read() - before - of_reading
        complete = connection.ops.last_executed_query(context["cursor"].cursor, sql, params)
        statements.append(Statement(complete, max(0, read - _ENDS)))
        return result

    with connection.execute_wrapper(execute):
        yield statements


def _cost_of_reading() -> int:
    """Return how much reading the counters adds to them."""
    before = _rows_read()
    return _rows_read() - before


def _rows_read() -> int:
    # A cursor of the driver: the statement is not one of the page.
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler\\_%'")
        return sum(int(value) * _weight_of(name) for name, value in cursor.fetchall())


def _weight_of(counter: str) -> int:
    """Return the factor of a counter: a pushed condition's matches are among the rows that were read."""
    is_read = counter.startswith("Handler_read_") or counter == "Handler_icp_attempts"
    return -1 if counter == "Handler_icp_match" else int(is_read)


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds that the block has taken."""
    start = time.perf_counter()
    end: list[float] = []
    yield lambda: (end[0] if end else time.perf_counter()) - start
    end.append(time.perf_counter())
