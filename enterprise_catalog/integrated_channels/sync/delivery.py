"""Sends a plan chunk by chunk: fetch, translate, export, record the attempts, send, record the results."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from enterprise_catalog.db.broken_connections import CONNECTION_ERRORS, reset_connection
from enterprise_catalog.integrated_channels.audit import attempts, bulk, figures, plan_marks
from enterprise_catalog.integrated_channels.channels.base import PullChannel, PushChannel
from enterprise_catalog.integrated_channels.domain import Action, Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    RunDeadlineError,
    StopRequestedError,
    StopSyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.feed import entries as feed_entries
from enterprise_catalog.integrated_channels.sync.chunks import chunks
from enterprise_catalog.integrated_channels.sync.export import export_chunk, translate_chunk
from enterprise_catalog.integrated_channels.sync.prefetch import ChunkPrefetcher
from enterprise_catalog.integrated_channels.sync.timing import Timing
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter, staged

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import Chunk, SyncPlan
    from enterprise_catalog.integrated_channels.models import FeedItem
    from enterprise_catalog.integrated_channels.sync.export import Export, Translations
    from enterprise_catalog.integrated_channels.sync.run import Run

#: Items per chunk, unless the configuration sets another size or a call of the channel takes more items.
CHUNK_SIZE: Final = 100


def send(run: Run, sync_plan: SyncPlan, catalog: CatalogClient, channel: Channel, *, known_rows: attempts.Rows) -> None:
    """Send the plan to the LMS, as far as the limits of one run allow; ``run`` records how far that was.

    Args:
        known_rows: rows that were read for the plan, if any.

    Raises:
        StopSyncError: nothing else in this run will work.
        LeaseLostError: another worker has the configuration's lease.
    """
    configuration, lease = run.configuration, run.lease
    plan_marks.withdraw(configuration, sync_plan.withdrawn, lease=lease, now=run.clock())
    if sync_plan.withdrawn:
        run.counts.add(Action.DELETE, Outcome.WITHDRAWN, len(sync_plan.withdrawn))
    plan_marks.hold(configuration, sync_plan.held, lease=lease, now=run.clock())
    sync_plan = _release(run, sync_plan)
    plan_marks.take_back(configuration, sync_plan.back, lease=lease, now=run.clock())
    plan_marks.note_planned(configuration, sync_plan.creates, lease=lease, now=run.clock())
    plan_marks.note_moved(configuration, sync_plan.moved, lease=lease, now=run.clock())
    size = min(configuration.chunk_size or max(channel.items_per_call, CHUNK_SIZE), bulk.ROWS_PER_STATEMENT)
    waiting = deque(
        chunks(
            sync_plan,
            chunk_size=size,
            call_size=channel.items_per_call,
            mixed=not isinstance(channel, PushChannel),
            now=run.clock(),
        )
    )
    reason = ""
    try:
        with ChunkPrefetcher(
            lambda chunk: translate_chunk(chunk, catalog, channel), while_waiting=run.renewer.renew_if_due
        ) as prefetcher:
            timing = Timing(lease.pacer, run.clock, renew_if_due=run.renewer.before_request)
            transmitter = Transmitter(channel, renew_if_due=run.renewer.renew_if_due, timing=timing)
            marked = {*sync_plan.released, *(item.content_key for item in sync_plan.moved)}  # Changed above.
            rows = {key: row for key, row in known_rows.items() if key not in marked}
            _send_chunks(run, waiting, _Sender(prefetcher, channel, transmitter), size=size, known_rows=rows)
    except StopSyncError as error:
        is_continued = isinstance(error, (ThrottledError, StopRequestedError, RunDeadlineError))
        reason = "" if is_continued else f"Not sent: {error.message}"
        raise
    except CONNECTION_ERRORS:
        reset_connection()
        raise
    finally:
        # Also after an error, such as an unreachable catalog service: the results of the last chunk are known. If no
        # item is left, the run's last transaction writes them.
        if run.has_items_left:
            run.write_unsaved_results()
        left = [item for chunk in waiting for item in chunk.items]
        plan_marks.note_left_over(configuration, left, reason=reason, lease=lease, now=run.clock())


def _release(run: Run, sync_plan: SyncPlan) -> SyncPlan:
    """Queue held deletes that no longer exceed the limit; drop deletes that an operator has decided against."""
    released = plan_marks.release(run.configuration, sync_plan.released, lease=run.lease, now=run.clock())
    kept = set(sync_plan.released) - released
    if not kept:
        return sync_plan
    left = replace(sync_plan, deletes=[item for item in sync_plan.deletes if item.content_key not in kept])
    run.record_kept(left, kept=len(kept))
    return left


@dataclass(frozen=True, slots=True)
class _Sender:
    """The objects that process each chunk."""

    prefetcher: ChunkPrefetcher[Translations]
    channel: Channel
    transmitter: Transmitter


def _send_chunks(run: Run, waiting: deque[Chunk], sender: _Sender, *, size: int, known_rows: attempts.Rows) -> None:
    """Send as many waiting chunks as one run may, and remove them from ``waiting``.

    Raises:
        StopSyncError: nothing else in this run will work.
    """
    to_send = list(islice(waiting, run.configuration.max_chunks_per_run))
    following = iter([*to_send[1:], None])
    rows_of_chunks = attempts.read_rows(run.configuration, iter(to_send), size=size, known=known_rows)
    for chunk, rows in rows_of_chunks:
        if not run.begin_chunk():
            return
        next_chunk = next(following)
        run.renewer.check_time()
        run.lease.budget.check(run.clock())
        translations = sender.prefetcher.result(chunk)
        run.record_versions(translations.versions)
        waiting.popleft()
        left: Chunk | None = chunk
        while left is not None:
            calls_left, per_call = run.lease.budget.left(run.clock()), sender.transmitter.items_per_call(left.items)
            is_next_sure = calls_left is None or calls_left * per_call > len(left.items)
            part, left = _divided(left, calls_left=calls_left, per_call=per_call)
            if left is not None:  # Put back first, in case this part raises. Taken out again below.
                waiting.appendleft(left)
            export = export_chunk(part, rows, translations)
            _send_chunk(run, part, rows, export, sender, next_chunk=next_chunk if is_next_sure else None)
            if left is not None:
                run.lease.budget.check(run.clock())
                waiting.popleft()


def _divided(chunk: Chunk, *, calls_left: int | None, per_call: int) -> tuple[Chunk, Chunk | None]:
    """Return the part of ``chunk`` for which the remaining calls suffice, at one call per batch, and the rest."""
    if calls_left is None or calls_left * per_call >= len(chunk.items):
        return chunk, None
    most = calls_left * per_call
    return replace(chunk, items=chunk.items[:most]), replace(chunk, items=chunk.items[most:])


def _send_chunk(
    run: Run, chunk: Chunk, rows: attempts.Rows, export: Export, sender: _Sender, *, next_chunk: Chunk | None
) -> None:
    """Send one chunk; leave its results in ``run.unsaved_results``, to be written when the next chunk is sent.

    They are written together with the next chunk's attempts, which takes one transaction instead of two; or while
    threads make the next chunk's calls, so that the LMS does not wait for them. A worker that dies before leaves
    attempts without an outcome, like a worker that dies during a call.

    Raises:
        StopSyncError: nothing else in this run will work.
    """
    due = [(item.action, rows[item.content_key]) for item in export.outgoing]
    now, is_parallel = run.clock(), sender.transmitter.is_parallel(export.outgoing)
    previous = None if is_parallel else run.unsaved_results
    opened = attempts.open_attempts(run.row, due, export.exported, previous=previous, lease=run.lease, now=now)
    run.renewer.renewed_at = now
    if not is_parallel:
        run.unsaved_results = None
    if next_chunk is not None:  # Not earlier: it would compete for the CPU with the current chunk.
        sender.prefetcher.start(next_chunk)
    feed: list[FeedItem] = []
    if isinstance(sender.channel, PullChannel):
        feed = feed_entries.make_entries(run.configuration, rows, export.outgoing, sender.channel, now=now)
        transmission = staged(export.outgoing, in_feed={entry.transmission.content_key for entry in feed})
    else:
        transmission = sender.transmitter.transmit(export.outgoing, meanwhile=run.write_unsaved_results)
    results = {result.content_key: result for result in export.settled} | transmission.results
    run.record_freshness(chunk, rows, results, export)
    run.unsaved_results = attempts.apply_results(
        chunk, rows, opened, results, export.exported, feed=feed, now=run.clock()
    )
    for item in chunk.items:
        run.record_outcome(item.action, results[item.content_key].outcome)
    for action in Action:
        of_action = [results[item.content_key] for item in chunk.items if item.action is action]
        figures.measure_attempts(run.configuration.channel_code, action, of_action)
    if transmission.stopped_by is not None:
        raise transmission.stopped_by
