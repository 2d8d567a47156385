"""Celery tasks of the catalog: refreshes of queries from course-discovery, and retention. All are safe to run twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.nested import update_queries
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.lms import tasks as lms_tasks  # noqa: F401  (Celery finds tasks through this module)
from enterprise_catalog.catalog.models import CatalogQuery, CatalogRefresh, QuerySource, RefreshState, RefreshTrigger
from enterprise_catalog.catalog.versions import retention
from enterprise_catalog.celery import app
from enterprise_catalog.db.batched_deletes import SLICE_SECONDS, BatchedDeletes

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)

#: Pause until a refresh looks again whether another one of the same query has ended.
BUSY_SECONDS: Final = 60
UNQUEUED: Final = "The refresh was not queued: the message broker is unreachable. Refresh the catalog again later."


class NotRefreshableError(Exception):
    """Imported files fill the query, not course-discovery."""


def request_refresh(
    query: CatalogQuery, *, trigger: RefreshTrigger, user: str = "", force: bool = False
) -> CatalogRefresh:
    """Queue a refresh of a query after the commit, and return its row; its ``task_id`` is that of the Celery task.

    Safe to repeat: a refresh that is queued or running is returned instead of another one, as is one of the last hour
    that did not fail, unless the filter was edited since.

    Args:
        user: the name of the user who asks; empty for the schedule.
        force: ask for another refresh even if one ended within the last hour.

    Raises:
        NotRefreshableError: imported files fill the query.
    """
    if query.source != QuerySource.DISCOVERY:
        raise NotRefreshableError(f"“{query}” is filled from imported files, and is never refreshed.")
    now = timezone.now()
    recent = records.find_recent(query, now=now, force=force)
    if recent is not None:
        return recent
    row = records.create(query, trigger=trigger, by=user, now=now)
    transaction.on_commit(partial(_queue, row))
    return row


@transaction.atomic
def decide_refresh(row: CatalogRefresh, *, approve: bool, by: str, reason: str) -> bool:
    """Approve or reject a held refresh; return ``False`` if it is no longer held.

    An approval queues a refresh that applies the change.
    """
    if not records.decide(row, approve=approve, by=by, reason=reason, now=timezone.now()):
        return False
    if approve:
        request_refresh(row.catalog_query, trigger=RefreshTrigger.APPROVAL, user=by, force=True)
    return True


def _queue(row: CatalogRefresh) -> None:
    try:
        refresh_query.apply_async((row.pk,), task_id=row.task_id)
    except OperationalError:
        log.warning("refresh_not_queued", refresh_id=row.pk)
        records.fail(row, UNQUEUED, now=timezone.now())


@app.task(name="refresh_query")
def refresh_query(refresh_id: int) -> None:
    """Carry out a refresh; put it off while another refresh of the same query runs."""
    row = CatalogRefresh.objects.filter(pk=refresh_id).first()
    if row is None:
        return
    if not refresh(row, clock=timezone.now):
        refresh_query.apply_async((refresh_id,), countdown=BUSY_SECONDS)
    elif row.state == RefreshState.COMPLETE and (row.added or row.changed):
        for query in edited_nested_queries():
            request_refresh(query, trigger=RefreshTrigger.SCHEDULE)


@app.task(name="refresh_catalogs")
def refresh_catalogs() -> int:
    """Queue a refresh of each query that a catalog uses, and of those of nested content; return their number.

    The scheduler calls this.
    """
    queries = {query.pk: query for query in (*update_queries(now=timezone.now()), *refreshable_queries())}
    for query in queries.values():
        request_refresh(query, trigger=RefreshTrigger.SCHEDULE)
    return len(queries)


@app.task(name="remove_old_refreshes")
def remove_old_refreshes() -> int:
    """Delete refreshes older than ``REFRESH_RETENTION_DAYS``, and their changes; return the number of rows.

    After a time limit, the task queues itself again.
    """
    deletes = BatchedDeletes(seconds=SLICE_SECONDS)
    records.remove_old(deletes, before=timezone.now() - timedelta(days=settings.REFRESH_RETENTION_DAYS))
    if not deletes.is_complete:
        remove_old_refreshes.delay()
    return deletes.removed


@app.task(name="remove_old_content_changes")
def remove_old_content_changes() -> int:
    """Delete changes and versions older than ``CONTENT_CHANGES_RETENTION_DAYS``; return their number.

    After a time limit, the task queues itself again.
    """
    deletes = BatchedDeletes(seconds=SLICE_SECONDS)
    retention.remove_old(deletes, before=timezone.now() - timedelta(days=settings.CONTENT_CHANGES_RETENTION_DAYS))
    if not deletes.is_complete:
        remove_old_content_changes.delay()
    return deletes.removed


def edited_nested_queries() -> list[CatalogQuery]:
    """Update the queries of nested content after a refresh, and return those whose filter this has edited."""
    now = timezone.now()
    return [query for query in update_queries(now=now) if query.filter_edited_at == now]


def refreshable_queries() -> QuerySet[CatalogQuery]:
    """Return the queries of course-discovery that a catalog uses, in the order of their creation."""
    used = CatalogQuery.objects.filter(source=QuerySource.DISCOVERY, catalogs__deleted_at=None, catalogs__isnull=False)
    return used.distinct().order_by("pk")
