"""Fills a MariaDB with the rows of both programs, by a few statements for all rows.

Every value is computed from the numbers of the configuration and of its item, so each run has the same rows. MariaDB's
sequence engine (``seq_1_to_10``) supplies the numbers.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from enterprise_catalog.integrated_channels.access.credentials import encrypt
from enterprise_catalog.integrated_channels.models.payloads import pack
from tests.benchmarks.audit_view.catalog_rows import seed_catalog
from tests.benchmarks.audit_view.mixture import (
    CHANNELS,
    REASONS,
    STATES,
    choose,
    course_key,
    course_title,
    customer_uuid,
    value_of,
)
from tests.benchmarks.audit_view.rolled_up import seed_figures, seed_statuses
from tests.factories.channels import CREDENTIALS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Maximum number of courses that the configurations' items are chosen from. Not divisible by ``_STEP``, a prime.
MAX_COURSES: Final = 200_000
_STEP: Final = 7_919
#: Configurations have 1/4, 1/2, … of the average number of items.
_SHARES: Final = (0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 1.25, 1.5, 2.5)
#: Tables whose statistics are updated.
_TABLES: Final = (
    *("contentmetadataitemtransmission", "transmissionattempt", "syncrun", "channelconfiguration", "decision"),
    *("configurationstatus", "dailyfigure", "operation", "operationitem", "feeditem"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """Number of rows to seed."""

    configurations: int
    transmissions: int  #: At most; the configurations' shares are rounded down.
    runs_each: int = 20  #: Runs, and decisions, of each configuration.
    largest: int = 0  #: Least number of items of the last but one configuration, in addition to ``transmissions``.

    @property
    def average(self) -> float:
        """Average number of items of a configuration."""
        return self.transmissions / self.configurations

    @property
    def courses(self) -> int:
        """Number of courses that the items are chosen from."""
        return min(MAX_COURSES, self.transmissions)


def seed(size: Size, *, say: Callable[[str], object] = lambda _: None) -> None:
    """Insert the rows into empty tables."""
    say("Seeding the catalog service")
    seed_catalog(customers=size.configurations // 2 + 1, courses=size.courses)
    with connection.cursor() as cursor, unchecked():
        for table, statement in _statements(size):
            say(f"Seeding {table}")
            cursor.execute(statement)
    say("Seeding statuses and figures")
    seed_statuses()
    seed_figures()


@contextmanager
def unchecked() -> Iterator[None]:
    """Let MariaDB sort the index entries of each empty table that is filled by one statement, and write no undo log."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION unique_checks = 1, foreign_key_checks = 1")


def _statements(size: Size) -> Iterator[tuple[str, str]]:
    """Yield the name of each table of the channels, and the statement that fills it."""
    yield "configurations", _configurations(size)
    yield "runs", _RUNS.format(runs=size.runs_each)
    yield "transmissions", _transmissions(size)
    yield "attempts", _ATTEMPTS
    yield "payloads", _PAYLOADS.format(payload=pack({"fullname": "A course"}).hex())
    yield "feeds", _FEED
    yield "decisions", _DECISIONS.format(decisions=size.runs_each)
    yield "items of decisions", _DECISION_ITEMS
    yield "operations", _OPERATIONS
    yield "items of operations", _OPERATION_ITEMS


def use_database(url: str) -> None:
    """Connect Django to another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = url.rpartition("/")[2]


def update_statistics() -> None:
    """Update the statistics by which the database chooses indexes. Commits the transaction."""
    names = [*(f"integrated_channels_{table}" for table in _TABLES), "catalog_contentmetadata"]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(names)}, catalog_catalogmembership, catalog_enterprisecustomer")
        cursor.fetchall()


def _configurations(size: Size) -> str:
    """Return the statement that inserts the configurations."""
    return _CONFIGURATIONS.format(
        last=size.configurations,
        channel=choose(CHANNELS, "seq * 37"),
        customer=customer_uuid("seq DIV 2"),
        settings=value_of("channel", {code: json.dumps(SETTINGS.get(code, {})) for code in CREDENTIALS}),
        credentials=value_of("channel", {code: encrypt(values) for code, values in CREDENTIALS.items()}),
    )


def _transmissions(size: Size) -> str:
    """Return the statement that inserts the transmissions."""
    share = f"{size.average} * {choose(_SHARES, 'configuration.id')}"
    return _TRANSMISSIONS.format(
        most=max(1, int(size.average * max(_SHARES)), size.largest),
        items=f"IF(configuration.id = {size.configurations - 1}, GREATEST({size.largest}, {share}), {share})",
        # Numbers in no order, so neighboring items differ in their state.
        course=f"(seq * {_STEP} + configuration.id * 104729) % {size.courses}",
        key=course_key("course"),
        title=course_title("course"),
        state=STATES,
        reason=REASONS,
    )


_CONFIGURATIONS: Final = """
INSERT INTO integrated_channels_channelconfiguration (
    id, channel_code, display_name, enterprise_customer_uuid, catalog_uuids, active, base_url, settings, credentials,
    sync_interval_minutes, delete_limit_items, delete_limit_percent, next_sync_at, last_full_sync_at,
    last_full_etag, last_full_scope, last_full_items, created_at)
SELECT seq, channel, CONCAT('Customer ', seq DIV 2, ', LMS ', seq), {customer},
    '[]', seq % 20 > 0, CONCAT('https://lms', seq, '.example.org'), {settings}, {credentials},
    60, 50, 20, NOW(6) + INTERVAL 30 MINUTE - INTERVAL seq % 100 MINUTE, NOW(6) - INTERVAL seq % 90 MINUTE, '', '', 0,
    NOW(6) - INTERVAL 400 DAY
FROM (SELECT seq, {channel} AS channel FROM seq_1_to_{last}) AS numbered
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
SELECT configuration_id, {key}, {title}, state,
    CASE WHEN state IN ('held', 'kept', 'deleted') THEN 'delete' WHEN chance % 3 = 0 THEN 'update' ELSE 'create' END,
    {reason}, IF(state IN ('transmitted', 'held', 'kept'), 'present', 'absent'),
    IF(state = 'transmitted', configuration_id * 1000000 + course, ''),
    IF(state = 'transmitted', '2026-03-01T12:00:00.000000Z', NULL), '2026-03-01T12:00:00.000000Z',
    IF(state = 'transmitted', REPEAT('5', 64), ''), IF(state = 'retrying', 3, 0), 0,
    IF(state = 'pending', NULL, NOW(6) - INTERVAL chance MINUTE - INTERVAL course SECOND),
    IF(state = 'retrying', NOW(6), NULL),
    IF(state IN ('pending', 'retrying', 'rejected', 'dead_letter'), NOW(6) - INTERVAL chance MINUTE, NULL),
    NOW(6) - INTERVAL 300 DAY, IF(state = 'deleted', NOW(6), NULL)
FROM (SELECT numbered.*, {state} AS state FROM (
    SELECT configuration.id AS configuration_id, {course} AS course,
        CRC32(CONCAT(configuration.id, ':', seq)) % 10000 AS chance
    FROM integrated_channels_channelconfiguration AS configuration
    STRAIGHT_JOIN seq_1_to_{most} ON seq <= {items}) AS numbered) AS item
"""

#: One attempt for each item that was attempted, in the newest run of its configuration, and three if the item failed.
_ATTEMPTS: Final = """
INSERT INTO integrated_channels_transmissionattempt (
    transmission_id, run_id, action, content_updated_at, payload_hash, started_at, finished_at, outcome, status_code,
    vendor_code, message)
SELECT row.id, newest.id, row.action, NULL, '', row.last_attempt_at, row.last_attempt_at + INTERVAL 1 SECOND,
    CASE row.state WHEN 'transmitted' THEN 'done' WHEN 'deleted' THEN 'done' WHEN 'retrying' THEN 'retry'
        WHEN 'staged' THEN 'staged' WHEN 'in_doubt' THEN 'in_doubt' ELSE 'rejected' END,
    IF(row.state IN ('retrying', 'rejected', 'dead_letter'), 422, 200), '', row.reason
FROM integrated_channels_contentmetadataitemtransmission AS row
JOIN (SELECT configuration_id, MAX(id) AS id FROM integrated_channels_syncrun GROUP BY configuration_id) AS newest
    ON newest.configuration_id = row.configuration_id
JOIN seq_1_to_3 ON seq = 1 OR row.state IN ('retrying', 'rejected', 'dead_letter')
WHERE row.last_attempt_at IS NOT NULL
"""

#: The payload of each hundredth item.
_PAYLOADS: Final = """
INSERT INTO integrated_channels_transmissionpayload (transmission_id, sent, sent_hash, sent_at)
SELECT id, UNHEX('{payload}'), payload_hash, last_attempt_at
FROM integrated_channels_contentmetadataitemtransmission
WHERE state = 'transmitted' AND id % 100 = 0
"""

_FEED: Final = """
INSERT INTO integrated_channels_feeditem (
    transmission_id, configuration_id, feed_key, payload, modified_at, is_confirmed)
SELECT id, configuration_id, content_key, '{}', last_attempt_at, 0
FROM integrated_channels_contentmetadataitemtransmission
WHERE state = 'staged'
"""

_DECISIONS: Final = """
INSERT INTO integrated_channels_decision (configuration_id, action, made_at, made_by, reason, items, sample)
SELECT id, ELT(1 + (id + seq) % 4, 'sync_now', 'keep_items', 'send_again', 'approve_deletes'),
    NOW(6) - INTERVAL seq DAY - INTERVAL id SECOND, ELT(1 + id % 3, 'ada', 'grace', 'queue_again'), '', 20, '[]'
FROM seq_1_to_{decisions} JOIN integrated_channels_channelconfiguration ORDER BY seq, id
"""

#: The first 20 items of each configuration are in its newest decision.
_DECISION_ITEMS: Final = """
INSERT INTO integrated_channels_decisionitem (decision_id, transmission_id)
SELECT decision_id, id FROM (
    SELECT newest.id AS decision_id, row.id,
        ROW_NUMBER() OVER (PARTITION BY row.configuration_id ORDER BY row.id) AS place
    FROM (SELECT configuration_id, MAX(id) AS id FROM integrated_channels_decision GROUP BY configuration_id) AS newest
    JOIN integrated_channels_contentmetadataitemtransmission AS row
        ON row.configuration_id = newest.configuration_id AND row.state IN ('rejected', 'held', 'kept')) AS numbered
WHERE place <= 20
"""

_OPERATIONS: Final = """
INSERT INTO integrated_channels_operation (
    configuration_id, kind, state, done, total, message, counts, position, started_by, reason, created_at, started_at,
    seen_at, finished_at)
SELECT id, IF(seq = 1, 'preview', 'check_drift'), IF(id % 50, 'done', 'failed'), 100, 100, '', '{"create": 100}', '',
    'ada', '', at, at, at, at
FROM (SELECT seq, id, NOW(6) - INTERVAL id MINUTE AS at
    FROM seq_1_to_2 JOIN integrated_channels_channelconfiguration ORDER BY seq, id) AS operation
"""

#: The newest operation found 20,000 items.
_OPERATION_ITEMS: Final = """
INSERT INTO integrated_channels_operationitem (operation_id, content_key, kind, details)
SELECT newest, CONCAT('Org+COURSE', LPAD(seq, 6, '0')), IF(seq % 100, 'matched', 'create'), ''
FROM (SELECT MAX(id) AS newest FROM integrated_channels_operation) AS operation JOIN seq_1_to_20000
"""
