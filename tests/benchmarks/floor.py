"""The raw floor: the same results with the bare database driver only.

No HTTP, parsing, access checks, versions or transactions. Times are returned as the stored text.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import MySQLdb
import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.cases import Case

_SCAN: Final = (
    "SELECT content_key, updated_at FROM catalog_catalogmembership WHERE catalog_query_id = %s ORDER BY content_key"
)
_CHANGES: Final = (
    "SELECT version, content_key, kind, updated_at FROM catalog_contentchange"
    " WHERE catalog_query_id = %s AND version > %s ORDER BY version, content_key LIMIT %s"
)
_CONTAINS: Final = "SELECT 1 FROM catalog_catalogmembership WHERE catalog_query_id = %s AND content_key = %s LIMIT 1"
_DOCUMENTS: Final = """
    SELECT member.content_key, member.updated_at, content.content_type, content.parent_content_key, document.json
    FROM catalog_catalogmembership AS member
    JOIN catalog_contentmetadata AS content ON content.id = member.content_id
    JOIN catalog_contentdocument AS document ON document.content_id = content.id
    WHERE member.catalog_query_id = %s AND member.content_key BETWEEN %s AND %s
    ORDER BY member.content_key
"""
#: Of all connections; writes to temporary tables are counted separately.
_ROWS_WRITTEN: Final = """
    SELECT SUM(variable_value) FROM information_schema.global_status
    WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE')
"""


@dataclass(frozen=True, slots=True)
class Floor:
    """A connection of the bare driver, with its default cursor."""

    connection: MySQLdb.Connection

    @classmethod
    def connect(cls, database_url: str) -> Self:
        """Connect to a MariaDB on this machine."""
        parts = urlsplit(database_url)
        return cls(
            MySQLdb.connect(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or 3306,
                user=parts.username or "root",
                password=parts.password or "",
                database=parts.path.removeprefix("/"),
                charset="utf8mb4",
                autocommit=True,
            )
        )

    def timed_diff(self, query_id: int, case: Case) -> float:
        """Return the duration of a diff in seconds."""
        keys = case.fresh_keys()
        started = time.perf_counter()
        self.diff(query_id, keys)
        return time.perf_counter() - started

    def diff(self, query_id: int, keys: Sequence[str]) -> bytes:
        """Return the diff as JSON: one covering index scan, one pass over the rows, and JSON encoding."""
        unmatched = set(keys)
        existing: list[dict[str, str]] = []
        to_create: list[str] = []
        for key, updated_at in self._rows(_SCAN, (query_id,)):
            if key in unmatched:
                unmatched.remove(key)
                existing.append({"content_key": key, "updated_at": updated_at})
            else:
                to_create.append(key)
        return orjson.dumps({"existing": existing, "to_create": to_create, "to_delete": sorted(unmatched)})

    def timed_changes(self, query_id: int, since: int, limit: int) -> float:
        """Return the duration in seconds of reading the changes since a version of a query, and encoding them."""
        started = time.perf_counter()
        rows = self._rows(_CHANGES, (query_id, since, limit))
        orjson.dumps([{"content_key": key, "updated_at": updated_at} for _, key, _, updated_at in rows])
        return time.perf_counter() - started

    def timed_contains(self, query_id: int, key: str) -> float:
        """Return the duration in seconds of looking up one key in the index of the members."""
        started = time.perf_counter()
        self._rows(_CONTAINS, (query_id, key))
        return time.perf_counter() - started

    def timed_documents(self, query_id: int, first: str, last: str) -> float:
        """Return the duration in seconds of reading the documents from key ``first`` to key ``last``."""
        started = time.perf_counter()
        self.documents(query_id, first, last)
        return time.perf_counter() - started

    def documents(self, query_id: int, first: str, last: str) -> Sequence[tuple[Any, ...]]:
        """Return key, time of change, type, parent key and stored JSON of each document, in ascending key order.

        One index range and one join. A list of keys or ids takes 1.5 times as long.
        """
        return self._rows(_DOCUMENTS, (query_id, first, last))

    def rows_written(self) -> int:
        """Return the number of rows inserted, updated and deleted since the server started."""
        [(written,)] = self._rows(_ROWS_WRITTEN, ())
        return int(written)

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> Sequence[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return rows
