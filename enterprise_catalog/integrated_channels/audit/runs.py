"""Rows of runs: started, settled if their worker died, and removed when they are old."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from enterprise_catalog.integrated_channels.audit import leases, status
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT
from enterprise_catalog.integrated_channels.domain import Action, Outcome, Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Operation,
    OperationItem,
    RunState,
    SyncRun,
    TransmissionAttempt,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from enterprise_catalog.db.batched_deletes import BatchedDeletes
    from enterprise_catalog.integrated_channels.audit.leases import Lease

#: Columns of a configuration without a checkpoint (see ``sync/checkpoint.py``): the next run compares all items.
NO_CHECKPOINT: Final[Mapping[str, object]] = {"last_full_etag": "", "synced_versions": None}


def settle_dead_runs(configuration: ChannelConfiguration, *, lease: Lease, now: datetime) -> int:
    """Mark dead runs as abandoned and their in-flight items as in doubt; return the number of items.

    Call this at the start of a run, before the new run's row is created, or at the end of a run that failed partway.
    """
    dead = list(SyncRun.objects.filter(configuration=configuration, state=RunState.RUNNING))
    if not dead:
        return 0
    with leases.fenced(lease, now=now):
        in_flight = TransmissionAttempt.objects.in_flight(dead)
        reason = "Sent, but the run ended before the LMS responded."
        ids_by_action = defaultdict(list)
        for action, transmission_id in in_flight.values_list("action", "transmission_id"):
            ids_by_action[action].append(transmission_id)
        # Attempts before their items, in the order in which all writers lock them.
        settled = in_flight.update(outcome=Outcome.IN_DOUBT, finished_at=now, message=reason)
        due_since = Coalesce("due_since", now)
        for action, ids in ids_by_action.items():
            changes: dict[str, object] = {
                "state": State.IN_DOUBT,
                "action": action,
                "reason": reason,
                "due_since": due_since,
                "next_attempt_at": None,
            }
            if action == Action.CREATE:
                # The item may be visible at the LMS again, so it must be deleted if it leaves the catalogs again.
                changes |= {"presence": Presence.UNKNOWN, "deleted_at": None}
            for start in range(0, len(ids), ROWS_PER_STATEMENT):
                part = ids[start : start + ROWS_PER_STATEMENT]
                ContentMetadataItemTransmission.objects.filter(pk__in=part).update(**changes)
        # The dead runs may have sent items since the last complete run.
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(**NO_CHECKPOINT)
        SyncRun.objects.filter(pk__in=[run.pk for run in dead]).update(
            state=RunState.ABANDONED, finished_at=now, reason="The worker stopped before the run ended."
        )
        status.refresh([configuration.pk], now=now)
    return settled


def start_run(configuration: ChannelConfiguration, *, now: datetime) -> SyncRun:
    """Create and return the row of a new run."""
    return SyncRun.objects.create(configuration=configuration, started_at=now)


def remove_old(deletes: BatchedDeletes, *, before: datetime) -> None:
    """Delete attempts and operations that started before a time, and older runs without attempts.

    Transmissions and decisions are never removed. Neither are attempts without an outcome, running runs and the newest
    run of each configuration.
    """
    newest = SyncRun.objects.filter(configuration=OuterRef("configuration")).order_by("-started_at", "-pk")
    deletes.delete(
        Operation.objects.filter(created_at__lt=before).order_by("created_at", "pk"),
        parts=(OperationItem.objects.all(), "operation"),
    )
    deletes.delete(
        TransmissionAttempt.objects.filter(started_at__lt=before).order_by("started_at", "pk"), only=~Q(outcome="")
    )
    deletes.delete(
        SyncRun.objects.filter(started_at__lt=before).order_by("started_at", "pk"),
        only=Q(attempts=None) & ~Q(state=RunState.RUNNING) & ~Q(pk=Subquery(newest.values("pk")[:1])),
    )
