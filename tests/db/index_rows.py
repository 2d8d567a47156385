"""Enough rows in each table for MariaDB to prefer an index to a scan; ``test_indexes.py`` needs them."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.db import connection

from tests.benchmarks.audit_view.mixture import customer_uuid
from tests.benchmarks.audit_view.seeding import Size, seed


def seed_all_tables() -> None:
    """Insert rows into the empty tables of both programs, and update the statistics. Commits."""
    seed(Size(configurations=1_000, transmissions=20_000, runs_each=6))
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement)
        ours = [apps.get_app_config(name) for name in ("catalog", "integrated_channels")]
        tables = [model._meta.db_table for app in ours for model in app.get_models()]
        cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")
        cursor.fetchall()


_STATEMENTS: Final = (
    "INSERT IGNORE INTO catalog_catalogversion (version, recorded_at) VALUES (1, NOW(6)), (2, NOW(6))",
    "UPDATE catalog_versionclock SET version = 2",
    """
    INSERT INTO catalog_catalogquery (id, uuid, title, content_filter, content_filter_hash, version)
    SELECT 100 + seq, UUID(), CONCAT('More ', seq), '{}', MD5(seq), 1 FROM seq_1_to_2000
    """,
    f"""
    INSERT INTO catalog_enterprisecustomer (uuid, name, slug, learner_portal_url, created_at)
    SELECT {customer_uuid("seq")}, CONCAT('More ', seq), '', '', NOW(6) FROM seq_10000_to_14000
    """,
    f"""
    INSERT INTO catalog_enterprisecatalog (
        uuid, title, enterprise_customer_id, catalog_query_id, enrollment_url_prefix, revision, created_at)
    SELECT UUID(), CONCAT('More ', seq), {customer_uuid("seq")}, 101 + seq % 2000, '', 1, NOW(6)
    FROM seq_10000_to_14000
    """,
    "UPDATE catalog_contentmetadata SET content_uuid = UUID(), parent_content_key = IF(id % 3, CONCAT('p', id), '')",
    """
    INSERT INTO catalog_nestedrun (content_id, run_key)
    SELECT 1 + seq DIV 2, CONCAT('run ', seq) FROM seq_1_to_4000
    """,
    """
    INSERT INTO catalog_nestedcontent (container_id, content_type, content_key)
    SELECT 1 + seq DIV 2, 'course', CONCAT('course ', seq) FROM seq_1_to_4000
    """,
    """
    INSERT INTO catalog_restrictedrun (catalog_query_id, content_id)
    SELECT 1 + seq % 50, 1 + seq FROM seq_1_to_4000
    """,
    """
    INSERT INTO catalog_restrictedcourse (catalog_query_id, content_id, json, content_hash, is_active, updated_at)
    SELECT 1 + seq % 50, 1 + seq, '', '', 1, '2026-03-01T12:00:00.000000Z' FROM seq_1_to_4000
    """,
    """
    INSERT INTO catalog_catalogrefresh (
        id, catalog_query_id, `trigger`, requested_by, task_id, state, reason, requested_at, found, added, removed,
        changed, left_out, incomplete, decided_by, decision_reason)
    SELECT seq, 1 + seq % 50, 'schedule', '', UUID(), IF(seq % 100, 'complete', 'held'), '', NOW(6) - INTERVAL seq HOUR,
        0, 0, 0, 0, 0, 0, '', ''
    FROM seq_1_to_4000
    """,
    """
    INSERT INTO catalog_refreshchange (refresh_id, content_key, kind)
    SELECT 1 + seq DIV 4, CONCAT('course ', seq % 1000), IF(seq % 2, 'added', 'removed') FROM seq_1_to_8000
    """,
    """
    INSERT INTO integrated_channels_synclease (configuration_id, token, expires_at, calls, overruns)
    SELECT id, 1, IF(id % 2, NULL, NOW(6) + INTERVAL 2 * id MINUTE), 0, 0 FROM integrated_channels_channelconfiguration
    """,
    """
    UPDATE integrated_channels_channelconfiguration SET queued_at = IF(id % 300, NULL, NOW(6))
    """,
    """
    INSERT INTO integrated_channels_slowsyncslot (number, configuration_id, token)
    SELECT seq, seq, 0 FROM seq_1_to_900
    """,
    """
    INSERT INTO integrated_channels_notification (
        id, configuration_id, kind, opened_at, reason, items, next_step_at, resolved_at, resolution)
    SELECT seq, 1 + seq % 1000, ELT(1 + seq DIV 1000, 'stopped', 'unreachable', 'held', 'late', 'held'),
        NOW(6) - INTERVAL seq MINUTE, '', 0, IF(seq % 10, NULL, NOW(6)), IF(seq % 10, NOW(6), NULL), ''
    FROM seq_1_to_3999
    """,
    f"""
    INSERT INTO integrated_channels_subscription (
        id, configuration_id, enterprise_customer_uuid, medium, email, webhook, webhook_host, kinds, with_recoveries,
        digest, muted, created_by, created_at)
    SELECT seq, IF(seq % 2, NULL, seq), IF(seq % 2, {customer_uuid("seq")}, NULL), 'email', 'a@example.org', '', '',
        '[]', 1, 'at_once', 0, '', NOW(6)
    FROM seq_1_to_999
    """,
    """
    INSERT INTO integrated_channels_delivery (
        id, message_id, subscription_id, recipient, is_test, state, created_at, next_attempt_at, attempts, response)
    SELECT seq, UUID(), 1 + seq % 999, '', 0, IF(seq % 50, 'sent', 'waiting'), NOW(6) - INTERVAL seq MINUTE,
        IF(seq % 50, NULL, NOW(6)), 0, ''
    FROM seq_1_to_4000
    """,
    """
    INSERT INTO integrated_channels_deliveryitem (delivery_id, notification_id, subscription_id, is_recovery)
    SELECT seq, 1 + seq % 3999, 1 + seq % 999, 0 FROM seq_1_to_3999
    """,
)
