"""Fills a MariaDB with configurations, transmissions, runs and attempts, by a few statements for all rows.

Every value is computed from the numbers of the configuration and of its item, so each run has the same rows. MariaDB's
sequence engine (``seq_1_to_10``) supplies the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from tests.benchmarks.audit_view.mixture import CHANNELS, REASONS, STATES, SUBJECTS, choose, customer_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Number of courses that the configurations' items are chosen from. Not divisible by ``_STEP``, a prime.
COURSES: Final = 200_000
_STEP: Final = 7_919
#: Configurations have 1/4, 1/2, … of the average number of items.
_SHARES: Final = (0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 1.25, 1.5, 2.5)
#: Number of transmissions that one statement inserts: its transaction stays far smaller than the redo log.
_AT_ONCE: Final = 500_000


@dataclass(frozen=True, slots=True)
class Size:
    """Number of rows to seed."""

    configurations: int
    transmissions: int  #: At most; the configurations' shares are rounded down.
    runs_each: int = 20  #: Runs of each configuration.

    @property
    def average(self) -> float:
        """Average number of items of a configuration."""
        return self.transmissions / self.configurations


def seed(size: Size, *, say: Callable[[str], object] = lambda _: None) -> None:
    """Insert the rows into empty tables."""
    customer = customer_uuid("seq DIV 2")
    with connection.cursor() as cursor:
        cursor.execute(
            _CONFIGURATIONS.format(last=size.configurations, channel=choose(CHANNELS, "seq * 37"), customer=customer)
        )
        cursor.execute(_RUNS.format(runs=size.runs_each))
        for first, last in _ranges(size):
            cursor.execute(_transmissions(size, first, last))
            cursor.execute(_ATTEMPTS.format(first=first, last=last))
            say(f"Seeded {last:,} of {size.configurations:,} configurations")


def use_database(url: str) -> None:
    """Connect Django to another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = url.rpartition("/")[2]


def update_statistics() -> None:
    """Update the statistics by which the database chooses indexes. Commits the transaction."""
    with connection.cursor() as cursor:
        for table in ("contentmetadataitemtransmission", "transmissionattempt", "syncrun", "channelconfiguration"):
            cursor.execute(f"ANALYZE TABLE integrated_channels_{table}")
            cursor.fetchall()


def _ranges(size: Size) -> Iterator[tuple[int, int]]:
    """Yield ranges of configurations with at most about ``_AT_ONCE`` items each."""
    step = max(1, int(_AT_ONCE / size.average))
    for first in range(1, size.configurations + 1, step):
        yield first, min(first + step - 1, size.configurations)


def _transmissions(size: Size, first: int, last: int) -> str:
    """Return the statement that inserts the transmissions of some configurations."""
    return _TRANSMISSIONS.format(
        first=first,
        last=last,
        most=max(1, int(size.average * max(_SHARES))),
        items=f"{size.average} * {choose(_SHARES, 'configuration.id')}",
        # Numbers in no order, so neighboring items differ in their state.
        course=f"(seq * {_STEP} + configuration.id * 104729) % {COURSES}",
        subject=choose(SUBJECTS, "course"),
        state=STATES,
        reason=REASONS,
    )


_CONFIGURATIONS: Final = """
INSERT INTO integrated_channels_channelconfiguration (
    id, channel_code, display_name, enterprise_customer_uuid, catalog_uuids, active, base_url, settings, credentials,
    sync_interval_minutes, delete_limit_items, delete_limit_percent, next_sync_at, last_full_sync_at,
    last_full_etag, last_full_scope, last_full_items, created_at)
SELECT seq, {channel}, CONCAT('Customer ', seq DIV 2, ', LMS ', seq), {customer},
    '[]', seq % 20 > 0, CONCAT('https://lms', seq, '.example.org'), '{{}}', '',
    60, 50, 20, NOW(6), NOW(6) - INTERVAL seq % 90 MINUTE, '', '', 0, NOW(6) - INTERVAL 400 DAY
FROM seq_1_to_{last}
"""

_RUNS: Final = """
INSERT INTO integrated_channels_syncrun (
    configuration_id, state, reason, started_at, finished_at, counts,
    matched, waiting, backlog, dead, staged, held, kept)
SELECT id,
    CASE (id * 31 + seq) % 50 WHEN 0 THEN 'stopped' WHEN 1 THEN 'abandoned'
        WHEN 2 THEN 'incomplete' WHEN 3 THEN 'incomplete' ELSE 'complete' END,
    IF((id * 31 + seq) % 50 = 0, 'The LMS rejected the credentials.', ''),
    started, started + INTERVAL 3 MINUTE, '{{"create": {{"done": 5}}}}', 2000, 1, 0, 0, 0, 0, 0
FROM (SELECT seq, id, NOW(6) - INTERVAL ({runs} - seq) HOUR - INTERVAL id % 3600 SECOND AS started
    FROM seq_1_to_{runs} JOIN integrated_channels_channelconfiguration ORDER BY seq, id) AS run
"""

_TRANSMISSIONS: Final = """
INSERT INTO integrated_channels_contentmetadataitemtransmission (
    configuration_id, content_key, content_title, state, action, reason, presence, remote_id, content_updated_at,
    attempted_updated_at, payload_hash, attempts, halvings, last_attempt_at, next_attempt_at, due_since, created_at,
    deleted_at)
SELECT configuration_id, CONCAT('Org', course % 40, 'X+COURSE', LPAD(course, 6, '0')), CONCAT({subject}, ' ', course),
    state,
    CASE WHEN state IN ('held', 'kept', 'deleted') THEN 'delete' WHEN chance % 3 = 0 THEN 'update' ELSE 'create' END,
    {reason}, IF(state IN ('transmitted', 'held', 'kept'), 'present', 'absent'),
    IF(state = 'transmitted', configuration_id * 1000000 + course, ''),
    IF(state = 'transmitted', '2026-03-01T12:00:00.000000Z', NULL), '2026-03-01T12:00:00.000000Z',
    '', IF(state = 'retrying', 3, 0), 0,
    IF(state = 'pending', NULL, NOW(6) - INTERVAL chance MINUTE - INTERVAL course SECOND),
    IF(state = 'retrying', NOW(6), NULL),
    IF(state IN ('pending', 'retrying', 'rejected', 'dead_letter'), NOW(6) - INTERVAL chance MINUTE, NULL),
    NOW(6) - INTERVAL 300 DAY, IF(state = 'deleted', NOW(6), NULL)
FROM (SELECT numbered.*, {state} AS state FROM (
    SELECT configuration.id AS configuration_id, {course} AS course,
        CRC32(CONCAT(configuration.id, ':', seq)) % 10000 AS chance
    FROM integrated_channels_channelconfiguration AS configuration
    JOIN seq_1_to_{most} ON seq <= {items}
    WHERE configuration.id BETWEEN {first} AND {last}) AS numbered) AS item
"""

#: One attempt for each item that was attempted, in the newest run of its configuration, and three if the item failed.
_ATTEMPTS: Final = """
INSERT INTO integrated_channels_transmissionattempt (
    transmission_id, run_id, action, content_updated_at, payload_hash, started_at, finished_at, outcome, status_code,
    vendor_code, message)
SELECT row.id, newest.id, row.action, NULL, '', row.last_attempt_at, row.last_attempt_at + INTERVAL 1 SECOND,
    CASE row.state WHEN 'transmitted' THEN 'done' WHEN 'deleted' THEN 'done' WHEN 'retrying' THEN 'retry'
        WHEN 'staged' THEN 'staged' WHEN 'in_doubt' THEN 'in_doubt' ELSE 'rejected' END,
    IF(row.problem IS NULL, 200, 422), '', row.reason
FROM integrated_channels_contentmetadataitemtransmission AS row
JOIN (SELECT configuration_id, MAX(id) AS id FROM integrated_channels_syncrun GROUP BY configuration_id) AS newest
    ON newest.configuration_id = row.configuration_id
JOIN seq_1_to_3 ON seq = 1 OR row.state IN ('retrying', 'rejected', 'dead_letter')
WHERE row.configuration_id BETWEEN {first} AND {last} AND row.last_attempt_at IS NOT NULL
"""
