"""Query plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model


def plan_of(read: Callable[[], object], *, of: type[Model]) -> str:
    """Return the database's plan for the first statement in which ``read`` uses the model's table."""
    with CaptureQueriesContext(connection) as queries:
        read()
    statements = [" ".join(query["sql"].split()).replace("`", "").replace('"', "") for query in queries]
    sql = next(statement for statement in statements if f" {of._meta.db_table} " in statement)
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'mysql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
