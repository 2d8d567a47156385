"""Celery tasks that the scheduler runs once in a while: delete old rows, record the backlog."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from enterprise_catalog.celery import app
from enterprise_catalog.db.batched_deletes import SLICE_SECONDS, BatchedDeletes
from enterprise_catalog.integrated_channels.audit import figures, runs
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries


@app.task(name="remove_old_attempts")
def remove_old_attempts() -> int:
    """Delete attempts, runs, operations and messages older than ``ATTEMPT_RETENTION_DAYS``; return their number.

    After a time limit, the task queues itself again: it continues behind the tasks that are waiting.
    """
    before = timezone.now() - timedelta(days=settings.ATTEMPT_RETENTION_DAYS)
    deletes = BatchedDeletes(seconds=SLICE_SECONDS)
    runs.remove_old(deletes, before=before)
    deliveries.remove_old(deletes, before=before)
    if not deletes.is_complete:
        remove_old_attempts.delay()
    return deletes.removed


@app.task(name="record_backlog")
def record_backlog() -> None:
    """Record the number of items that are behind, per channel, as the day's backlog. The last call of a day counts."""
    figures.record_backlog(now=timezone.now())
