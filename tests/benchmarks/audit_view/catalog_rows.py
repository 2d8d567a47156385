"""The rows of the catalog service: customers, their catalogs, and courses in the catalogs."""

from __future__ import annotations

from typing import Final

from django.db import connection

from tests.benchmarks.audit_view.mixture import course_key, course_title, customer_uuid

#: Number of queries, which the catalogs share.
_QUERIES: Final = 50
#: Number of queries that contain a course.
_QUERIES_OF_COURSE: Final = 5


def seed_catalog(*, customers: int, courses: int) -> None:
    """Insert the rows into empty tables.

    Args:
        customers: each has one catalog.
        courses: those of the transmissions.
    """
    numbers = {
        "customers": customers - 1,
        "courses": courses - 1,
        "queries": _QUERIES,
        "copies": _QUERIES_OF_COURSE - 1,
        "customer": customer_uuid("seq"),
        "key": course_key("seq"),
        "title": course_title("seq"),
    }
    with connection.cursor() as cursor:
        for statement in (_CUSTOMERS, _FILTERS, _CATALOGS, _COURSES, _DOCUMENTS, _MEMBERSHIPS):
            cursor.execute(statement.format(**numbers))


_CUSTOMERS: Final = """
INSERT INTO catalog_enterprisecustomer (uuid, name, slug, learner_portal_url, created_at)
SELECT {customer}, CONCAT('Customer ', seq), CONCAT('customer-', seq), 'https://learn.example.org', NOW(6)
FROM seq_0_to_{customers}
"""

_FILTERS: Final = """
INSERT INTO catalog_catalogquery (id, uuid, title, content_filter, version, content_changed_at)
SELECT seq, UUID(), CONCAT('Query ', seq), '{{}}', 1, '2026-03-01T12:00:00.000000Z' FROM seq_1_to_{queries}
"""

_CATALOGS: Final = """
INSERT INTO catalog_enterprisecatalog (
    uuid, title, enterprise_customer_id, catalog_query_id, enrollment_url_prefix, revision, created_at)
SELECT UUID(), CONCAT('Catalog of customer ', seq), {customer}, 1 + seq % {queries},
    CONCAT('https://learn.example.org/customer-', seq, '/course/'), 0, NOW(6)
FROM seq_0_to_{customers}
"""

_COURSES: Final = """
INSERT INTO catalog_contentmetadata (
    id, content_key, content_type, parent_content_key, title, content_hash, created_at, updated_at)
SELECT seq + 1, {key}, 'course', '', {title}, '', NOW(6), '2026-03-01T12:00:00.000000Z' FROM seq_0_to_{courses}
"""

_DOCUMENTS: Final = """
INSERT INTO catalog_contentdocument (content_id, json)
SELECT seq + 1, JSON_OBJECT('content_type', 'course', 'key', {key}, 'title', {title}, 'full_description', 'Long.')
FROM seq_0_to_{courses}
"""

_MEMBERSHIPS: Final = """
INSERT INTO catalog_catalogmembership (catalog_query_id, content_id, content_key, updated_at)
SELECT query, id, content_key, updated_at FROM (
    SELECT 1 + (content.id + 11 * seq) % {queries} AS query, content.id, content_key, updated_at
    FROM catalog_contentmetadata AS content JOIN seq_0_to_{copies}) AS member
ORDER BY query, content_key
"""
