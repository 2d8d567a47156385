"""Statements with their plans, and the rows that they read."""

from __future__ import annotations

import functools
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.apps import apps
from django.db import connection

from enterprise_catalog.db import consistent_reads
from tests.benchmarks.audit_view.counters import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.backends.utils import CursorWrapper

_EXPLAINED: Final = ("SELECT", "UPDATE", "DELETE", "WITH")
_ALIAS: Final = re.compile(r"`(\w+)` (?:AS )?`?([A-Z]\d+)\b")


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One row of MariaDB's EXPLAIN: the access to one table."""

    table: str  #: Empty for a temporary table, or for a row that was found while the plan was made.
    access: str  #: ``ref``, ``range``, ``ALL`` for a scan of the table, ``index`` for a scan of an index, …
    index: str
    extra: str

    @property
    def is_scan(self) -> bool:
        """True if all rows of the table are read, in the table or in an index."""
        return bool(self.table) and self.access in ("ALL", "index")

    @property
    def sorts(self) -> bool:
        """True if the rows are sorted, or stored in a temporary table."""
        return "filesort" in self.extra or "temporary" in self.extra


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement that was executed."""

    sql: str
    rows_read: int
    plan: Sequence[PlanStep]  #: Of the time before the statement; empty for an INSERT.

    def locked_by_index(self) -> Iterator[PlanStep]:
        """Yield the steps of a statement with locks that look for rows with given primary keys in another index.

        They lock all rows that they read, so two transactions with different rows can block each other.
        """
        if self.sql.startswith(("UPDATE", "DELETE")) or self.sql.endswith("FOR UPDATE"):
            condition = self.sql.partition(" WHERE ")[2]
            for step in self.plan:
                is_given = _given(step.table, _primary_keys().get(step.table, "")).search(condition)
                if is_given and step.index not in ("PRIMARY", ""):
                    yield step


@functools.cache
def _primary_keys() -> dict[str, str]:
    return {model._meta.db_table: str(model._meta.pk.column) for model in apps.get_models()}


def _given(table: str, column: str) -> re.Pattern[str]:
    return re.compile(rf"`{table}`\.`{column}` (=|IN) \(?['0-9]")


@contextmanager
def explained() -> Iterator[list[Explained]]:
    """Yield a list that has each statement of this block, of this thread's connection, when the block ends.

    A stream of rows is read at once: the counters cannot be read in the middle of it. The block begins when the entries
    of indexes that were deleted before are purged: until then, MariaDB's estimates count them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_max_purge_lag_wait = 0")
    statements: list[Explained] = []
    plans: list[Sequence[PlanStep]] = []

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        plans.append(() if many else _plan_of(sql, params))
        return run(sql, params, many, context)

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(execute), counted() as executed:
        patch.setattr(consistent_reads, "_streaming_cursor", _cursor)
        yield statements
    statements += [
        Explained(statement.sql, statement.rows_read, plan) for statement, plan in zip(executed, plans, strict=True)
    ]


def _cursor() -> CursorWrapper:
    return connection.cursor()  # Of the calling thread: the catalog service also streams.


def _plan_of(sql: str, params: Any) -> Sequence[PlanStep]:
    if not sql.lstrip(" \n(").startswith(_EXPLAINED):
        return ()
    tables = {alias: table for table, alias in _ALIAS.findall(sql)}
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:  # Of the driver: the statement is not one of the run.
        cursor.execute(f"EXPLAIN {sql}", params)
        names = [column[0] for column in cursor.description]
        return [_step(dict(zip(names, row, strict=True)), tables) for row in cursor.fetchall()]


def _step(row: dict[str, Any], tables: dict[str, str]) -> PlanStep:
    table, access, index, extra = (row[column] or "" for column in ("table", "type", "key", "Extra"))
    return PlanStep("" if table.startswith("<") else tables.get(table, table), access, index, extra)
