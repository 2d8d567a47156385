"""One run of one configuration: lease, export, transmit, summarise."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import transaction

from enterprise_catalog.integrated_channels import audit, leases, unchanged
from enterprise_catalog.integrated_channels.catalog_client import CatalogClient
from enterprise_catalog.integrated_channels.configurations import channel_for
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    LeaseLostError,
    StopSyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.exporter import catalogs_to_send, desired_items, export_chunk
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
)
from enterprise_catalog.integrated_channels.planning import chunks, plan
from enterprise_catalog.integrated_channels.transmitter import Transmitter
from enterprise_catalog.integrated_channels.types import Action, DeleteLimit, Outcome, RunCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_client import CatalogList
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.exporter import Export
    from enterprise_catalog.integrated_channels.leases import Lease
    from enterprise_catalog.integrated_channels.types import Chunk, SyncPlan

log = structlog.get_logger(__name__)

#: How long an LMS that has too many calls to answer is left alone at least.
THROTTLED_SECONDS: Final = 60.0
#: Items of a chunk where neither the configuration says otherwise nor a call of the channel takes more.
CHUNK_SIZE: Final = 100


@dataclass(slots=True)
class _Run:
    """What a run carries from step to step."""

    configuration: ChannelConfiguration
    lease: Lease
    row: SyncRun
    clock: Callable[[], datetime]
    counts: RunCounts = field(default_factory=RunCounts)
    etag: str = ""  #: Of the catalogs, before they were asked for their differences; empty if they have none.
    items: int = 0  #: How many the catalogs have.
    answered: audit.Answered | None = None  #: The last chunk, until what became of it is written.
    pause: timedelta | None = None  #: How long the LMS is to be left alone; ``None`` if it takes more calls.
    renewed_at: datetime | None = None  #: When the lease was last renewed since the first chunk.
    thread: int = field(default_factory=threading.get_ident)  #: The one that talks to the database.

    def before_call(self) -> None:
        """Make sure that a call to the LMS may be made now, and count it.

        Raises:
            LeaseLostError: another worker has the lease, or this one did not renew it in time.
            BudgetSpentError: the LMS takes no more calls for now.
        """
        if threading.get_ident() == self.thread:
            self.keep_lease()
        elif self.renewed_at is None or self.clock() - self.renewed_at >= leases.LONGEST_SILENCE:
            raise LeaseLostError(f"the lease of configuration {self.lease.configuration_id} was not renewed in time")
        self.lease.budget.spend(self.clock())

    def keep_lease(self) -> None:
        """Renew the lease if it has grown old: a chunk may take many calls, and an LMS may be slow.

        Raises:
            LeaseLostError: another worker has it; what was about to be sent must not be.
        """
        now = self.clock()
        if self.renewed_at is None or now - self.renewed_at >= leases.RENEWAL_INTERVAL:
            leases.renew(self.lease, now=now)
            self.renewed_at = now


def sync(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> SyncRun | None:
    """Make the configuration's LMS equal to its catalogs, as far as the limits of one run allow.

    Safe to repeat and to call on several workers at once: only one of them gets the lease.

    Args:
        clock: returns the time, aware.

    Returns:
        The run's row, ended; ``None`` if another worker is at it.
    """
    lease = leases.acquire(configuration.pk, now=clock())
    if lease is None:
        return None
    if lease.left_behind.has_dead_runs:
        audit.settle_dead_runs(configuration, lease=lease, now=clock())
    run = _Run(configuration, lease, audit.start_run(configuration, now=clock()), clock)
    with structlog.contextvars.bound_contextvars(
        configuration_id=configuration.pk, channel=configuration.channel_code, run_id=run.row.pk
    ):
        log.info("sync_started")
        _carry_out(run)
        log.info("sync_finished", state=run.row.state, reason=run.row.reason, counts=run.row.counts)
    return run.row


def make_plan(
    configuration: ChannelConfiguration, catalog: CatalogClient, *, of_customer: Sequence[UUID], now: datetime
) -> SyncPlan:
    """Return what a run would do now, had it to ask for differences; writes nothing, here or elsewhere.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        CatalogUnavailableError: the catalogs could not be read.
        ConfigurationError: the configuration names a catalog that is not the customer's.
    """
    catalog_uuids = catalogs_to_send(configuration, of_customer)
    stored = ContentMetadataItemTransmission.objects.of(configuration).records()
    records = {record.content_key: record for record in stored}
    limit = DeleteLimit(configuration.delete_limit_items, configuration.delete_limit_percent)
    return plan(desired_items(catalog_uuids, records, catalog), records, now=now, delete_limit=limit)


def _carry_out(run: _Run) -> None:
    """Go through the run and end its row, whatever happens."""
    try:
        _end(run, *_outcome(run))
    except LeaseLostError as error:
        # The successor has marked this run as abandoned; nothing of ours may be written any more.
        run.row.refresh_from_db()
        log.warning("lease_lost", reason=error.message)
    except Exception as error:
        # Nobody else can end this row before the lease expires; the task reports the error itself.
        _end(run, RunState.STOPPED, f"An error in the program: {type(error).__name__}.")
        raise


def _outcome(run: _Run) -> tuple[RunState, str]:
    """Do the run's work and return how it ended, with the reason if it could not go on."""
    try:
        with (
            channel_for(run.configuration, before_each_call=run.before_call) as channel,
            CatalogClient() as catalog,
        ):
            run.lease.budget.limit = channel.rate_limit
            catalogs = _catalogs_if_changed(run, catalog)
            if catalogs is None:
                run.row.matched = run.items
                return RunState.COMPLETE, unchanged.REASON
            sync_plan = make_plan(run.configuration, catalog, of_customer=catalogs.uuids, now=run.clock())
            run.row.matched, run.row.waiting, run.row.backlog = sync_plan.matched, sync_plan.waiting, sync_plan.size
            run.row.dead, run.row.held, run.row.kept = sync_plan.dead, len(sync_plan.held), sync_plan.kept
            run.etag, run.items = catalogs.etag, sync_plan.desired
            _send(run, sync_plan, catalog, channel)
    except BudgetSpentError as error:
        run.pause = timedelta(seconds=error.retry_after_seconds or 0)
        return RunState.INCOMPLETE, f"{error.message} The rest is sent when there are more."
    except ThrottledError as error:
        run.pause = timedelta(seconds=max(error.retry_after_seconds or 0, THROTTLED_SECONDS))
        return RunState.STOPPED, f"Too many calls for now. {error.message}"
    except StopSyncError as error:
        return RunState.STOPPED, error.message
    row = run.row
    done = not (run.counts.failures or row.waiting or row.backlog or row.dead or row.held or row.kept)
    reason = f"{row.held:,} deletes are more than one run may carry out unasked; they wait for approval."
    return RunState.COMPLETE if done else RunState.INCOMPLETE, reason if row.held else ""


def _catalogs_if_changed(run: _Run, catalog: CatalogClient) -> CatalogList | None:
    """Return the customer's catalogs; ``None`` if the LMS equals them already, so that there is nothing to do."""
    customer, left_behind = run.configuration.enterprise_customer_uuid, run.lease.left_behind
    run.etag, run.items = unchanged.known_etag(run.configuration, left_behind), left_behind.items
    return catalog.catalogs_unless(run.etag, customer)


def _send(run: _Run, sync_plan: SyncPlan, catalog: CatalogClient, channel: Channel[Any, Any]) -> None:
    configuration, lease = run.configuration, run.lease
    audit.withdraw(configuration, sync_plan.withdrawn, lease=lease, now=run.clock())
    if sync_plan.withdrawn:
        run.counts.add(Action.DELETE, Outcome.WITHDRAWN, len(sync_plan.withdrawn))
    audit.hold(configuration, sync_plan.held, lease=lease, now=run.clock())
    audit.take_back(configuration, sync_plan.back, lease=lease, now=run.clock())
    audit.note_planned(configuration, sync_plan.creates, lease=lease, now=run.clock())
    size = min(configuration.chunk_size or max(channel.items_per_call, CHUNK_SIZE), audit.ROWS_PER_STATEMENT)
    waiting = deque(chunks(sync_plan, chunk_size=size, call_size=channel.items_per_call, now=run.clock()))
    reason = ""
    try:
        _send_chunks(
            run, waiting, _Sender(catalog, channel, Transmitter(channel, keep_lease=run.keep_lease)), size=size
        )
    except StopSyncError as error:
        reason = "" if isinstance(error, ThrottledError) else f"Not sent: {error.message}"
        raise
    finally:
        # Whatever ends the run here, a catalog that does not answer for one: the last answers are known.
        if run.answered is not None:
            audit.close_chunk(run.answered, lease=lease, now=run.clock())
        left = [item for chunk in waiting for item in chunk.items]
        audit.note_left_over(configuration, left, reason=reason, lease=lease, now=run.clock())


@dataclass(frozen=True, slots=True)
class _Sender:
    """What a chunk goes through."""

    catalog: CatalogClient
    channel: Channel[Any, Any]
    transmitter: Transmitter


def _send_chunks(run: _Run, waiting: deque[Chunk], sender: _Sender, *, size: int) -> None:
    """Send as many of the waiting chunks as one run may, and take these out of ``waiting``.

    Raises:
        StopSyncError: nothing else of this run will work.
    """
    to_send = list(islice(waiting, run.configuration.max_chunks_per_run))
    for chunk, rows in audit.with_rows(run.configuration, iter(to_send), size=size):
        run.lease.budget.check(run.clock())
        now, later = _divided(
            chunk, calls_left=run.lease.budget.left(run.clock()), per_call=sender.channel.items_per_call
        )
        export = export_chunk(now, rows, sender.catalog, sender.channel)
        waiting.popleft()
        _send_chunk(run, now, rows, export, sender.transmitter)
        if later is not None:
            waiting.appendleft(later)
            run.lease.budget.check(run.clock())


def _divided(chunk: Chunk, *, calls_left: int | None, per_call: int) -> tuple[Chunk, Chunk | None]:
    """Return the part of ``chunk`` that the calls left suffice for, were one call enough for each, and the rest."""
    if calls_left is None or calls_left * per_call >= len(chunk.items):
        return chunk, None
    most = calls_left * per_call
    return replace(chunk, items=chunk.items[:most]), replace(chunk, items=chunk.items[most:])


def _send_chunk(run: _Run, chunk: Chunk, rows: audit.Rows, export: Export, transmitter: Transmitter) -> None:
    """Send one chunk and leave what became of it in ``run.answered``, to be written with the next one's attempts.

    One transaction instead of two; a worker that dies in between leaves attempts without an outcome, as one that dies
    in the midst of a call does.

    Raises:
        StopSyncError: if nothing else of this run will work.
    """
    sent_rows = [rows[item.content_key] for item in export.outgoing]
    now = run.clock()
    attempts = audit.open_attempts(
        run.row, chunk.action, sent_rows, export.exported, answered=run.answered, lease=run.lease, now=now
    )
    run.answered, run.renewed_at = None, now
    transmission = transmitter.transmit(chunk.action, export.outgoing)
    results = {result.content_key: result for result in export.settled} | transmission.results
    refused_calls = transmission.refused_calls
    run.answered = audit.answer_chunk(
        chunk, rows, attempts, results, export.exported, refused_calls=refused_calls, now=run.clock()
    )
    for result in results.values():
        run.counts.add(chunk.action, result.outcome)
        run.row.backlog -= result.outcome not in (Outcome.SKIPPED, Outcome.THROTTLED)
    if transmission.stopped_by is not None:
        raise transmission.stopped_by


def _end(run: _Run, state: RunState, reason: str) -> None:
    """End the run's row, say when the next sync is due, and give the lease back."""
    now = run.clock()
    run.row.state, run.row.reason, run.row.finished_at = state, reason, now
    run.row.counts = run.counts.as_json()
    changes: dict[str, Any] = {"next_sync_at": _next_sync_at(run, now)}
    if state is RunState.COMPLETE:
        changes["last_full_sync_at"] = now
        changes |= unchanged.to_remember(run.configuration, etag=run.etag, items=run.items)
    else:
        changes |= unchanged.to_forget()
    with transaction.atomic():
        leases.release(run.lease)
        run.row.save()
        ChannelConfiguration.objects.filter(pk=run.configuration.pk).update(**changes)


def _next_sync_at(run: _Run, now: datetime) -> datetime:
    """Return when the next sync is due: after the interval, or earlier if items are left over or their rest ends."""
    if run.pause is not None:
        return now + run.pause
    if run.row.state == RunState.INCOMPLETE and run.row.backlog:
        return now
    after_interval = now + timedelta(minutes=run.configuration.sync_interval_minutes)
    if not (run.counts.failures or run.row.waiting):
        return after_interval
    earliest = ContentMetadataItemTransmission.objects.of(run.configuration).earliest_attempt()
    return after_interval if earliest is None else min(after_interval, max(earliest, now))
