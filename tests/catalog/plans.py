"""How the database carries out a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.models import CatalogMembership

if TYPE_CHECKING:
    from collections.abc import Callable


def plan_of(read: Callable[[], object]) -> str:
    """Return how the database carries out the statement by which ``read`` scans memberships."""
    with CaptureQueriesContext(connection) as queries:
        read()
    table = CatalogMembership._meta.db_table
    statements = [" ".join(query["sql"].split()).replace("`", "").replace('"', "") for query in queries]
    [sql] = [statement for statement in statements if f" {table} " in statement]
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'mysql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
