"""A long history of runs and attempts, by a few statements, in a database with transmissions of the audit view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    SyncRun,
    TransmissionAttempt,
)
from tests.benchmarks.audit_view.seeding import unchecked

if TYPE_CHECKING:
    from collections.abc import Callable

#: Days of the history: half of it is older than ``ATTEMPT_RETENTION_DAYS``.
DAYS: Final = 360
#: A run that sends few changes.
_ATTEMPTS_PER_RUN: Final = 20
#: Attempts per statement. Inserts into an empty table write no undo log, and sort the entries of each index.
_MICROSECONDS_PER_DAY: Final = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class History:
    """Number of seeded rows."""

    attempts: int

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.attempts // _ATTEMPTS_PER_RUN + 1


def seed_history(history: History, *, say: Callable[[str], object] = lambda _: None) -> None:
    """Insert runs and attempts, evenly spread over :data:`DAYS` days, for the seeded transmissions.

    Attempts that exist are removed: an empty table is filled several times as fast.
    """
    values = {
        "attempts": history.attempts,
        "runs": history.runs,
        "attempts_per_run": _ATTEMPTS_PER_RUN,
        "days": DAYS,
        "step": DAYS * _MICROSECONDS_PER_DAY / history.attempts,
        "configurations": _number_of("channelconfiguration"),
        "transmissions": ContentMetadataItemTransmission.objects.order_by("pk").values_list("pk", flat=True).last(),
        "run": (SyncRun.objects.order_by("pk").values_list("pk", flat=True).last() or 0) + 1,
    }
    with connection.cursor() as cursor, unchecked():
        cursor.execute(f"TRUNCATE TABLE {TransmissionAttempt._meta.db_table}")
        for table, statement in (("runs", _RUNS), ("attempts", _ATTEMPTS)):
            say(f"Seeding {values[table]:,} {table}")
            cursor.execute(statement.format(**values))


def _number_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM integrated_channels_{table}")
        number: int = cursor.fetchone()[0]
    return number


_RUNS: Final = """
INSERT INTO integrated_channels_syncrun (
    id, configuration_id, state, reason, started_at, finished_at, counts,
    matched, waiting, backlog, dead, staged, held, kept)
SELECT {run} + seq, 1 + seq % {configurations}, IF(seq % 50, 'complete', 'stopped'), '', started,
    started + INTERVAL 3 SECOND, '{{"update": {{"done": {attempts_per_run}}}}}', 2000, 0, 0, 0, 0, 0, 0
FROM (SELECT seq,
        NOW(6) - INTERVAL {days} DAY + INTERVAL seq * {step} * {attempts_per_run} MICROSECOND AS started
    FROM seq_0_to_{runs}) AS run
"""

_ATTEMPTS: Final = """
INSERT INTO integrated_channels_transmissionattempt (
    transmission_id, run_id, action, content_updated_at, payload_hash, started_at, finished_at, outcome, status_code,
    vendor_code, message)
SELECT 1 + seq * 7919 % {transmissions}, {run} + seq DIV {attempts_per_run}, IF(seq % 20, 'update', 'create'),
    NULL, '', started, started + INTERVAL 1 SECOND, IF(seq % 50, 'done', 'rejected'), 200, '', ''
FROM (SELECT seq, NOW(6) - INTERVAL {days} DAY + INTERVAL seq * {step} MICROSECOND AS started
    FROM seq_1_to_{attempts}) AS attempt
"""
