"""Retention: removes old attempts and runs. Transmission rows are never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import OuterRef, Subquery

from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT
from enterprise_catalog.integrated_channels.models import (
    RunState,
    SyncRun,
    TransmissionAttempt,
)

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def remove_old(*, before: datetime) -> int:
    """Delete attempts that started before a time, and older runs without attempts; return the number of rows.

    Each batch is a transaction of its own, so no sync waits long. Attempts without an outcome, running runs and the
    newest run of each configuration are kept.
    """
    newest = SyncRun.objects.filter(configuration=OuterRef("configuration")).order_by("-started_at", "-pk")
    old: list[QuerySet[TransmissionAttempt] | QuerySet[SyncRun]] = [
        TransmissionAttempt.objects.filter(started_at__lt=before).exclude(outcome=""),
        SyncRun.objects.filter(started_at__lt=before, attempts=None)
        .exclude(state=RunState.RUNNING)
        .exclude(pk=Subquery(newest.values("pk")[:1])),
    ]
    removed = 0
    for rows in old:
        while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_PER_STATEMENT]):
            removed += rows.model._default_manager.filter(pk__in=ids).delete()[0]
    return removed
