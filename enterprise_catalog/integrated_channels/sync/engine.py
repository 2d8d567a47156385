"""One run of one configuration: lease, plan, send, summary."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import ngettext

from enterprise_catalog.db.broken_connections import CONNECTION_ERRORS, reset_connection
from enterprise_catalog.integrated_channels.access.configurations import open_channel, save_credentials
from enterprise_catalog.integrated_channels.audit import attempts, figures, leases, plan_marks, runs, status
from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
from enterprise_catalog.integrated_channels.audit.status import ItemCounts
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    CatalogUnavailableError,
    ChangesUnavailableError,
    LeaseLostError,
    LMSTooSlowError,
    RunDeadlineError,
    StopRequestedError,
    StopSyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
    RunState,
    SyncQueue,
    SyncRun,
)
from enterprise_catalog.integrated_channels.sync import checkpoint
from enterprise_catalog.integrated_channels.sync.delivery import send
from enterprise_catalog.integrated_channels.sync.plan_inputs import (
    Synced,
    catalogs_to_send,
    load_changed_inputs,
    load_plan_inputs,
)
from enterprise_catalog.integrated_channels.sync.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogList
    from enterprise_catalog.integrated_channels.sync.plan_inputs import PlanInputs
    from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan

log = structlog.get_logger(__name__)

#: Minimum pause after a rate-limit response: 429, or 403 of an older Canvas.
THROTTLED_SECONDS: Final = 60.0
#: Pause after a run without the catalog service or the database. They do not mind more requests.
OUTAGE_PAUSE: Final = timedelta(minutes=1)
#: Longest pause after a run that could not continue for another reason, if the interval is longer.
STOPPED_PAUSE: Final = timedelta(hours=1)
#: Pause after a run that exceeded a deadline. It doubles with each further such run, up to the longest pause.
OVERRUN_PAUSE: Final = timedelta(minutes=5)
LONGEST_OVERRUN_PAUSE: Final = timedelta(days=1)
#: Longest pause after an overrun in which something was sent. A large first sync of a slow LMS takes many runs.
LONGEST_OVERRUN_PAUSE_IF_SENT: Final = timedelta(hours=1)
#: Largest number of planned items that a run reads, if many items are not settled.
MAX_PLANNED: Final = 10_000
#: Reason in the row of a run that ended after its time slice.
SLICE_REASON: Final = "The time slice of the run has ended. The next run continues."
#: Reason in the row of a run that sent only a part of many planned items.
PART_REASON: Final = "The run took the items that have waited longest. The next run continues."


def sync(
    configuration: ChannelConfiguration,
    *,
    clock: Callable[[], datetime],
    saved: SavedPlan | None = None,
    compare_all: bool = False,
    in_worker: bool = False,
) -> SyncRun | None:
    """Make the configuration's LMS equal to its catalogs, as far as the limits of one run allow.

    Safe to repeat, and safe to call on several workers at once: only one of them gets the lease.

    Args:
        clock: returns the current time, aware.
        saved: the saved plan to carry out; without one, the run makes its own plan. A stale plan sends nothing.
        compare_all: compare all items, also if the changes since the last run suffice.
        in_worker: the run occupies a worker. If the last run exceeded a deadline, it then needs a free slot.

    Returns:
        The run's row, ended; ``None`` if another worker has the lease, or no slot is free.
    """
    lease = leases.acquire(configuration.pk, now=clock(), in_worker=in_worker)
    if lease is None:
        return None
    if lease.left_behind.has_dead_runs:
        figures.TAKEOVERS.labels(configuration.channel_code).inc()
        runs.settle_dead_runs(configuration, lease=lease, now=clock())
    row = runs.start_run(configuration, now=clock())
    ends_at = clock() + timedelta(seconds=settings.SYNC_RUN_SECONDS)
    renewer = LeaseRenewer(lease, clock, renewed_at=clock(), ends_at=ends_at)
    call_clock = CallClock(seconds=settings.LMS_CALL_SECONDS, run_seconds_left=renewer.seconds_left)
    run = Run(configuration, lease, row, clock, renewer, call_clock, saved, compare_all)
    if in_worker:
        seconds = configuration.max_seconds_per_run or settings.SYNC_SLICE_SECONDS
        run.yields_at = clock() + timedelta(seconds=seconds)
    with structlog.contextvars.bound_contextvars(
        configuration_id=configuration.pk, channel=configuration.channel_code, run_id=run.row.pk
    ):
        log.info("sync_started")
        _carry_out(run)
        log.info("sync_finished", state=run.row.state, reason=run.row.reason, counts=run.row.counts)
    return run.row


def _carry_out(run: Run) -> None:
    """Do the run's work and end its row, also after an error."""
    try:
        _end(run, *_do_work(run))
    except LeaseLostError as error:
        # The next run has marked this run as abandoned; this run must not write anything more.
        run.row.refresh_from_db()
        log.warning("lease_lost", reason=error.message)
    except CONNECTION_ERRORS:
        # The database may accept a new connection already. If it does not, the next run ends this row.
        reset_connection()
        run.pause = OUTAGE_PAUSE
        try:
            _give_up(run, "The database did not respond.")
        except CONNECTION_ERRORS:
            reset_connection()
            raise
        raise
    except KeyboardInterrupt:
        reset_connection()  # A statement may have been interrupted.
        _give_up(run, "The process was interrupted.")
        raise
    except Exception as error:
        # No other process can end this row before the lease expires. The Celery task reports the error.
        _give_up(run, f"Internal error: {type(error).__name__}. See the log.")
        raise


def _give_up(run: Run, reason: str) -> None:
    """End the row of a run that cannot continue. Its in-flight items are in doubt, as if its worker had died."""
    run.write_unsaved_results()
    runs.settle_dead_runs(run.configuration, lease=run.lease, now=run.clock())
    run.synced = None  # The rows may lack marks of the plan.
    _end(run, RunState.STOPPED, reason)


def _do_work(run: Run) -> tuple[RunState, str]:
    """Do the run's work; return the final state, and the reason if the run could not continue."""
    try:
        with (
            open_channel(
                run.configuration,
                before_each_call=run.renewer.before_call,
                call_clock=run.call_clock,
                save_credentials=lambda changes: save_credentials(
                    run.configuration, changes, lease=run.lease, now=run.clock()
                ),
            ) as channel,
            CatalogClient(
                before_each_request=run.renewer.before_request, run_seconds_left=run.renewer.seconds_left
            ) as catalog,
        ):
            run.lease.budget.limit = channel.rate_limit
            run.lease.pacer.fit(most=channel.items_per_call, limit=channel.rate_limit)
            catalogs = _fetch_changed_catalogs(run, catalog)
            if catalogs is None:
                run.record_unchanged(_count_left(run) if run.lease.left_behind.has_exceptions else ItemCounts())
                return _final_state(run, [checkpoint.REASON, *_queued_reason(run.row.backlog)])
            run.customer_name = catalogs.customer_name
            inputs = _compare(run, catalog, catalogs)
            sync_plan, synced, rows = inputs.plan(saved=run.saved), inputs.synced, inputs.rows
            del inputs  # Frees the memory of a large catalog; the plan is enough from here on.
            run.record_plan(sync_plan)
            run.synced = synced
            run.etag = catalogs.etag
            send(run, sync_plan, catalog, channel, known_rows=rows)
    except StopSyncError as error:
        return _record_stop(error, run)
    reasons = [SLICE_REASON] if run.has_yielded else [PART_REASON] if sync_plan.postponed else []
    if run.row.held:
        reasons.append(plan_marks.held_reason(run.row.held))
    if run.row.staged:
        reasons.append(_staged_reason(run.row.staged))
    return _final_state(run, reasons)


def _compare(run: Run, catalog: CatalogClient, catalogs: CatalogList) -> PlanInputs:
    """Return the inputs of a plan: from the changes since the last run if possible, else from all items."""
    configuration, left_behind, now = run.configuration, run.lease.left_behind, run.clock()
    to_send = catalogs_to_send(configuration, catalogs.uuids)
    reason = checkpoint.why_full(configuration, left_behind, to_send, now=now)
    if run.saved is not None:
        reason = Comparison.SAVED_PLAN
    elif run.compare_all:
        reason = Comparison.REQUESTED
    if reason is None:
        synced = Synced(
            {UUID(key): version for key, version in left_behind.synced_versions.items()}, left_behind.synced_items
        )
        current = {catalog_uuid: catalogs.versions.get(catalog_uuid, "") for catalog_uuid in to_send}
        try:
            inputs = load_changed_inputs(
                configuration,
                catalog,
                synced=synced,
                current=current,
                unsettled=left_behind.unsettled,
                most_planned=MAX_PLANNED,
                now=now,
            )
        except ChangesUnavailableError as error:
            reason = Comparison(error.reason)
        else:
            run.row.comparison, run.row.changes_since = Comparison.CHANGES, left_behind.compared_at
            return inputs
    run.row.comparison, run.has_compared_all = reason, True
    return load_plan_inputs(configuration, catalog, of_customer=catalogs.uuids, now=now)


def _count_left(run: Run) -> ItemCounts:
    """Return the numbers of items that are not settled at the end of the run's work, for the run's row."""
    if run.left is None:
        run.left = status.count_items([run.configuration.pk])[run.configuration.pk]
    return run.left


def _final_state(run: Run, reasons: list[str]) -> tuple[RunState, str]:
    """Return the final state and the reason of a run that reached its end.

    Args:
        reasons: sentences for the reason.
    """
    if not run.has_items_left:
        return RunState.COMPLETE, " ".join(reasons)
    left = _count_left(run)
    if run.row.backlog or not left.has_only_exceptions:
        return RunState.INCOMPLETE, " ".join(reasons)
    return RunState.COMPLETE_EXCEPT, " ".join([*reasons, *_exception_reasons(left)])


def _queued_reason(items: int) -> Iterator[str]:
    """Yield the reason for an incomplete run without changes: ``items`` that users queued during the run."""
    if items:
        reason = ngettext(
            "%s item was queued by a user during the run.", "%s items were queued by users during the run.", items
        )
        yield reason % f"{items:,}"


def _exception_reasons(items: ItemCounts) -> Iterator[str]:
    if items.rejected:
        reason = ngettext("%s item is rejected.", "%s items are rejected.", items.rejected)
        yield reason % f"{items.rejected:,}"
    if items.kept:
        reason = ngettext("%s item was kept by an operator.", "%s items were kept by operators.", items.kept)
        yield reason % f"{items.kept:,}"


def _staged_reason(items: int) -> str:
    reason = ngettext(
        "%s item is in the feed and is waiting for the LMS to fetch it.",
        "%s items are in the feed and are waiting for the LMS to fetch them.",
        items,
    )
    return reason % f"{items:,}"


def _record_stop(error: StopSyncError, run: Run) -> tuple[RunState, str]:
    """Return the final state and the reason for ``error``; set the run's stop cause, and the pause after the run."""
    run.row.stop_cause = error.cause
    run.is_throttled = isinstance(error, ThrottledError)
    if isinstance(error, BudgetSpentError):
        run.pause = timedelta(seconds=error.retry_after_seconds or 0)
        return RunState.INCOMPLETE, f"{error.message} The next run sends the rest."
    if isinstance(error, ThrottledError):
        run.pause = timedelta(seconds=max(error.retry_after_seconds or 0, THROTTLED_SECONDS))
        return RunState.STOPPED, f"Rate limit exceeded. {error.message}"
    if isinstance(error, CatalogUnavailableError):
        run.pause = OUTAGE_PAUSE
        return RunState.STOPPED, error.message
    if isinstance(error, StopRequestedError):
        run.pause = timedelta(0)
        return RunState.INCOMPLETE, error.message
    run.is_overrun = isinstance(error, LMSTooSlowError)
    return RunState.INCOMPLETE if isinstance(error, RunDeadlineError) else RunState.STOPPED, error.message


def _fetch_changed_catalogs(run: Run, catalog: CatalogClient) -> CatalogList | None:
    """Return the customer's catalogs; ``None`` if the LMS already equals them and there is nothing to do."""
    customer, left_behind = run.configuration.enterprise_customer_uuid, run.lease.left_behind
    if run.saved is not None:  # A saved plan must be compared with the current catalogs.
        return catalog.list_catalogs(customer)
    if not run.compare_all:
        run.etag = checkpoint.known_etag(run.configuration, left_behind, now=run.clock())
    run.items = left_behind.items
    return catalog.list_catalogs_if_changed(run.etag, customer)


def _end(run: Run, state: RunState, reason: str) -> None:
    """End the run's row, set when the next sync is due, and release the lease."""
    now = run.clock()
    if run.is_overrun:
        run.lease.overruns += 1
    elif state is not RunState.STOPPED and run.call_clock.has_response:
        run.lease.overruns = 0  # A run without calls proves nothing about the LMS.
    run.record_end(state, reason, now=now)
    next_sync_at = _next_sync_at(run, now)
    not_before = next_sync_at if run.pause or run.is_overrun else None
    changes: dict[str, object] = {"not_before": not_before, "queue": SyncQueue.SWEEP}
    if state in (RunState.COMPLETE, RunState.COMPLETE_EXCEPT):
        changes["last_full_sync_at"] = now
        changes |= checkpoint.checkpoint_fields(run.configuration, etag=run.etag, items=run.items)
    else:
        changes |= checkpoint.incomplete_fields()
    if run.synced is not None:
        started_at = run.row.started_at if run.has_compared_all else None
        changes |= checkpoint.synced_fields(run.configuration, run.synced, fully_compared_at=started_at)
    if run.has_later_content:
        changes |= runs.NO_CHECKPOINT
    joined, results = run.unsaved_results.split() if run.unsaved_results else ([], None)
    with transaction.atomic():
        leases.release(run.lease, leases.update_of(run.row), *joined)
        if results is not None:
            attempts.write_results(results, now=now)
        due = changes | {"next_sync_at": next_sync_at}
        requests = run.lease.left_behind.requests
        if not status.record_up_to_date(run.configuration.pk, _result_of(run, next_sync_at), due, requests=requests):
            next_sync_at = _save_next_sync(run, next_sync_at, changes, now=now)
            status.record_run(run.configuration.pk, _result_of(run, next_sync_at), now=now)
        figures.add_run(run.configuration.channel_code, run.row.counts.values(), run.fresh, day=now.date())
    figures.measure_run(run.configuration.channel_code, run.row, pause=run.pause)


def _save_next_sync(run: Run, next_sync_at: datetime, changes: dict[str, object], *, now: datetime) -> datetime:
    """Write the configuration's columns, and return when its next sync is due.

    If another sync was requested during the run, it is due at once, or after the pause that the run needs.
    """
    rows = ChannelConfiguration.objects.filter(pk=run.configuration.pk)
    if rows.filter(sync_requests=run.lease.left_behind.requests).update(**changes, next_sync_at=next_sync_at):
        return next_sync_at
    del changes["queue"]
    next_sync_at = next_sync_at if changes["not_before"] else min(next_sync_at, now)
    rows.update(**changes, next_sync_at=next_sync_at)
    return next_sync_at


def _result_of(run: Run, next_sync_at: datetime) -> status.RunResult:
    return status.RunResult(
        run.row,
        matched=run.items,
        is_throttled=run.is_throttled,
        has_compared=run.has_compared,
        next_sync_at=next_sync_at,
        customer_name=run.customer_name,
    )


def _next_sync_at(run: Run, now: datetime) -> datetime:
    """Return when the next sync is due: after the interval, or earlier if items are left over or due for a retry.

    After a rate limit (the LMS's, or our own budget), an outage, a stop request or an overrun, the pause counts
    instead. After an overrun in which nothing was sent, the longer of pause and interval counts. After a run that
    stopped, the interval is an hour at most.
    """
    if run.pause is not None:
        return now + run.pause
    interval = timedelta(minutes=run.configuration.sync_interval_minutes)
    has_stopped = run.is_overrun or run.row.state == RunState.STOPPED
    after_interval = now + (min(interval, STOPPED_PAUSE) if has_stopped else interval)
    if run.is_overrun:
        has_sent = any(Outcome.DONE.value in outcomes for outcomes in run.row.counts.values())
        pause = now + _pause_after(run.lease.overruns, has_sent=has_sent)
        return pause if has_sent else max(pause, after_interval)
    if run.row.state == RunState.INCOMPLETE and run.row.backlog:
        return now
    if not (run.counts.failures or run.row.waiting):
        return after_interval
    earliest = ContentMetadataItemTransmission.objects.of(run.configuration).earliest_attempt()
    return after_interval if earliest is None else min(after_interval, max(earliest, now))


def _pause_after(overruns: int, *, has_sent: bool) -> timedelta:
    longest = LONGEST_OVERRUN_PAUSE_IF_SENT if has_sent else LONGEST_OVERRUN_PAUSE
    doublings: int = 2 ** min(overruns - 1, 10)
    return min(OVERRUN_PAUSE * doublings, longest)
