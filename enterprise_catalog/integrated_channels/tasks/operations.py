"""Start a long action of a user, and run it in a worker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from celery.exceptions import Reject
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.exceptions import StopRequestedError, SyncError
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    DecisionAction,
    Operation,
    OperationKind,
    OperationState,
)
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH, SAMPLE_KEYS
from enterprise_catalog.integrated_channels.tasks.progress import OperationLostError, Progress
from enterprise_catalog.integrated_channels.tasks.work import WORK

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import Decision

log = structlog.get_logger(__name__)

REPLACED: Final = "The worker stopped, and the action was started again."
UNQUEUED: Final = "The operation was not queued: the message broker is unreachable. Try again later."


@transaction.atomic
def start_operation(
    configuration: ChannelConfiguration, kind: OperationKind, *, by: str, now: datetime, reason: str = ""
) -> Operation:
    """Queue a long action after the commit, and return its row.

    Safe to repeat, also at the same time: while the same action of the configuration waits or runs, this returns the
    row of that one. A stopped one is ended: its worker can no longer continue.
    """
    ChannelConfiguration.objects.select_for_update().get(pk=configuration.pk)  # Calls wait for each other.
    unfinished = configuration.operations.select_for_update().filter(kind=kind, is_open=True).first()
    if unfinished is not None:
        if not unfinished.is_stopped(now):
            return unfinished
        configuration.operations.filter(pk=unfinished.pk).update(
            state=OperationState.FAILED, message=REPLACED, finished_at=now
        )
    decision = _decide_to_resend(configuration, by=by, now=now, reason=reason) if kind == "resend_all" else None
    operation = Operation.objects.create(
        configuration=configuration,
        kind=kind,
        decision=decision,
        total=decision.items if decision else None,
        started_by=by[:MAX_NAME_LENGTH],
        reason=reason,
        created_at=now,
        seen_at=now,
    )
    transaction.on_commit(partial(_queue, operation.pk))
    return operation


def _decide_to_resend(configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str) -> Decision:
    rows = ContentMetadataItemTransmission.objects.of(configuration).sendable_again(also_transmitted=True)
    keys = rows.order_by("content_key").values_list("content_key", flat=True)[:SAMPLE_KEYS]
    action = DecisionAction.RESEND_ALL
    return decisions.record(configuration, action, by=by, now=now, reason=reason, items=rows.count(), keys=keys)


def _queue(operation_id: int) -> None:
    try:
        run_operation.delay(operation_id)
    except OperationalError:
        log.warning("operation_not_queued", operation_id=operation_id)
        waiting = Operation.objects.filter(pk=operation_id, state=OperationState.WAITING)
        waiting.update(state=OperationState.FAILED, message=UNQUEUED, finished_at=timezone.now())


@app.task(name="run_operation")
def run_operation(operation_id: int) -> None:
    """Carry out an operation, unless another worker does. A worker that takes over continues where the other ended."""
    progress = Progress.begin(operation_id, clock=timezone.now)
    if progress is None:
        return
    try:
        _carry_out(progress)
    except StopRequestedError as error:
        progress.release()
        raise Reject(error.message, requeue=True) from error
    except OperationLostError:
        log.warning("operation_lost", operation_id=operation_id)


def _carry_out(progress: Progress) -> None:
    kind = OperationKind(progress.operation.kind)
    try:
        message = WORK[kind](progress)
    except (StopRequestedError, OperationLostError):
        raise
    except SyncError as error:
        progress.end(OperationState.FAILED, error.message)
    except Exception as error:
        progress.end(OperationState.FAILED, f"Internal error: {type(error).__name__}. See the log.")
        raise
    else:
        progress.end(OperationState.DONE, message)
