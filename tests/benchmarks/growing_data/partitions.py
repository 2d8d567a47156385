"""The table of attempts partitioned by month, next to the same table without partitions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from tests.benchmarks.audit_view.counters import counted
from tests.benchmarks.growing_data.removing import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Thirty days each, the oldest first; the removal drops the first.
_MONTHS: Final = 12
_LOOKUPS: Final = 200


@dataclass(frozen=True, slots=True)
class Layout:
    """Figures of one layout of the table; times in milliseconds."""

    name: str
    month: float  #: Removing the oldest month, at once.
    removed: int  #: Rows of that month.
    of_item: float  #: The newest attempt of an item; median.
    of_item_rows: int  #: Rows and index entries read for it.
    of_run: float  #: The attempts of a run without an outcome; median.
    inserted: float  #: 1,000 attempts by one statement; median.


def measure_layouts(attempts: int) -> Sequence[Layout]:
    """Fill two tables with the same attempts, measure both, and drop them.

    Args:
        attempts: number of rows of each table.
    """
    layouts = []
    for name, partitions in (("plain", ""), ("by month", _partitions())):
        table = f"attempt_{name.replace(' ', '_')}"
        layouts.append(_measure(name, table, partitions, attempts))
    return layouts


def _measure(name: str, table: str, partitions: str, attempts: int) -> Layout:
    per_month = attempts // _MONTHS
    numbers = {"table": table, "attempts": per_month * _MONTHS - 1, "per_month": per_month}
    with connection.cursor() as cursor:
        cursor.execute(_CREATE.format(table=table, partitions=partitions))
        cursor.execute(_FILL.format(**numbers))
        cursor.execute(f"ANALYZE TABLE {table}")
        cursor.fetchall()
    items = range(1, _LOOKUPS * 7, 7)
    of_item = f"SELECT * FROM {table} WHERE transmission_id = %s ORDER BY id DESC LIMIT 1"
    with counted() as statements:
        _median(of_item, items[:1])
    layout = Layout(
        name,
        of_item=_median(of_item, items),
        of_item_rows=statements[0].rows_read,
        of_run=_median(f"SELECT id FROM {table} WHERE run_id = %s AND outcome = ''", items),
        inserted=_median(_INSERT.format(**numbers), range(20)),
        month=_median(f"ALTER TABLE {table} DROP PARTITION p0", (None,))
        if partitions
        else _median(f"DELETE FROM {table} WHERE started_at < '2026-01-01' + INTERVAL 30 DAY", (None,)),
        removed=per_month,
    )
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")
    return layout


def _median(sql: str, parameters: Sequence[int | None]) -> float:
    """Return the median of the milliseconds of a statement with each of the parameters."""
    times = []
    with connection.cursor() as cursor:
        for parameter in parameters:
            began = time.perf_counter()
            cursor.execute(sql, None if parameter is None or "%s" not in sql else [parameter])
            cursor.fetchall() if cursor.description else None
            times.append(1e3 * (time.perf_counter() - began))
    return quantile(times, 0.5)


def _partitions() -> str:
    bounds = (
        f"PARTITION p{month} VALUES LESS THAN (TO_DAYS('2026-01-01') + {30 * (month + 1)})" for month in range(_MONTHS)
    )
    return f"PARTITION BY RANGE (TO_DAYS(started_at)) ({', '.join(bounds)}, PARTITION p VALUES LESS THAN MAXVALUE)"


#: A partitioned table needs the column of the partitions in its primary key, and cannot have foreign keys.
_CREATE: Final = """
CREATE TABLE {table} (
    id BIGINT NOT NULL AUTO_INCREMENT, transmission_id BIGINT NOT NULL, run_id BIGINT NOT NULL,
    action VARCHAR(8) NOT NULL, content_updated_at DATETIME(6), payload_hash VARCHAR(64) NOT NULL,
    started_at DATETIME(6) NOT NULL, finished_at DATETIME(6), outcome VARCHAR(16) NOT NULL, status_code SMALLINT,
    vendor_code VARCHAR(100) NOT NULL, message LONGTEXT NOT NULL,
    PRIMARY KEY (id, started_at), KEY (transmission_id), KEY (run_id, outcome), KEY (outcome, action, started_at),
    KEY (started_at)
) {partitions}
"""

_FILL: Final = """
INSERT INTO {table} (
    transmission_id, run_id, action, payload_hash, started_at, finished_at, outcome, status_code, vendor_code, message)
SELECT 1 + seq * 7919 % 1000000, 1 + seq DIV 20, 'update', '', started, started, 'done', 200, '', ''
FROM (SELECT seq, '2026-01-01' + INTERVAL seq / {per_month} * 30 * 86400 SECOND AS started FROM seq_0_to_{attempts})
    AS attempt
"""

_INSERT: Final = """
INSERT INTO {table} (
    transmission_id, run_id, action, payload_hash, started_at, finished_at, outcome, status_code, vendor_code, message)
SELECT 1 + seq * 7919 % 1000000, 1, 'update', '', '2026-12-20', '2026-12-20', 'done', 200, '', '' FROM seq_1_to_1000
"""
