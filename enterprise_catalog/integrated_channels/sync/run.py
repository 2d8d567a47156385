"""The state of a run in progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.audit import attempts
from enterprise_catalog.integrated_channels.audit.figures import FRESHNESS, changed_at, freshness_name
from enterprise_catalog.integrated_channels.domain import Action, Exported, Outcome, RunCounts
from enterprise_catalog.integrated_channels.models import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

    from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.audit.status import ItemCounts
    from enterprise_catalog.integrated_channels.domain import Chunk, ItemResult, SyncPlan
    from enterprise_catalog.integrated_channels.lms.deadlines import CallClock
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState, SyncRun
    from enterprise_catalog.integrated_channels.sync.export import Export
    from enterprise_catalog.integrated_channels.sync.plan_inputs import Synced
    from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan

#: Another chunk begins if the run has this many times the duration of the last one left.
CHUNKS_LEFT: Final = 2


@dataclass(slots=True)
class Run:
    """One run of one configuration, while it is in progress."""

    configuration: ChannelConfiguration
    lease: Lease
    row: SyncRun
    clock: Callable[[], datetime]
    renewer: LeaseRenewer
    call_clock: CallClock
    saved: SavedPlan | None  #: The saved plan to carry out, if any.
    compare_all: bool  #: Compare all items, also if the changes since the last run suffice.
    counts: RunCounts = field(default_factory=RunCounts)
    etag: str = ""  #: Of the catalogs, read before their differences; empty if they have none.
    items: int = 0  #: Number of items in the catalogs, without those found rejected.
    unsaved_results: attempts.ChunkResults | None = None  #: Results of the last chunk, until they are written.
    yields_at: datetime | None = None  #: End of the run's time slice; ``None`` for no limit.
    has_yielded: bool = False  #: The run ended before a chunk, and has items left.
    chunk_began_at: datetime | None = None  #: When the last chunk began; ``None`` before the first.
    pause: timedelta | None = None  #: Pause before the next run; ``None`` if the LMS accepts more calls.
    is_overrun: bool = False  #: A call or the run exceeded its time limit.
    is_throttled: bool = False  #: The run ended because of a rate limit.
    has_compared: bool = False  #: The run compared the LMS with the catalogs.
    #: The state of the catalogs that the rows record at the end of the run; ``None`` before the plan is made.
    synced: Synced | None = None
    has_compared_all: bool = False  #: The run compared all items, and not only changed ones.
    has_later_content: bool = False  #: Content to send was of a later version of a catalog than the plan.
    customer_name: str = ""  #: From the catalog service; empty if unknown.
    left: ItemCounts | None = None  #: Items that are not settled, once they are counted.
    #: Numbers of items by their time from change to LMS; see ``audit/figures.py``.
    fresh: Counter[str] = field(default_factory=Counter)

    def record_plan(self, sync_plan: SyncPlan) -> None:
        """Copy the plan's counts of items to the run's row."""
        self.items, self.has_compared = sync_plan.desired, True
        self.row.matched, self.row.waiting, self.row.backlog = sync_plan.matched, sync_plan.waiting, sync_plan.size
        self.row.dead, self.row.held, self.row.kept = sync_plan.dead, len(sync_plan.held), sync_plan.kept
        self.row.staged = sync_plan.staged

    def record_kept(self, sync_plan: SyncPlan, *, kept: int) -> None:
        """Count ``kept`` deletes that an operator has decided against; ``sync_plan`` no longer has them."""
        self.row.kept += kept
        self.row.backlog = sync_plan.size

    def record_unchanged(self, items: ItemCounts) -> None:
        """Copy the counts to the run's row after a run that needed no diff.

        Items that a user has queued during the run are its backlog. ``items`` is empty if nothing was rejected or kept.
        """
        self.has_compared, self.row.comparison = True, Comparison.UNCHANGED
        self.row.matched, self.row.waiting, self.row.kept = self.items, items.rejected, items.kept
        self.row.backlog = items.behind

    def record_versions(self, versions: Mapping[UUID, str]) -> None:
        """Note if content that is about to be sent belongs to other versions of the catalogs than the plan.

        Args:
            versions: catalog -> its version, when the content was read.
        """
        assert self.synced is not None  # set before anything is sent
        self.has_later_content |= not versions.items() <= self.synced.versions.items()

    def record_outcome(self, action: Action, outcome: Outcome) -> None:
        """Count the outcome of one item. An item that was not sent stays in the backlog."""
        self.counts.add(action, outcome)
        self.items -= outcome is Outcome.REJECTED and action is not Action.DELETE
        self.row.staged += outcome is Outcome.STAGED
        self.row.backlog -= outcome not in (Outcome.SKIPPED, Outcome.THROTTLED)

    def record_freshness(
        self, chunk: Chunk, rows: attempts.Rows, results: Mapping[str, ItemResult], export: Export
    ) -> None:
        """Count the time from change to LMS of each item that was sent. Call it before the results change the rows."""
        now, run_since = self.clock(), self.row.started_at
        measured = FRESHNESS.labels(self.configuration.channel_code)
        earlier = self.lease.left_behind.compared_at or self.configuration.created_at
        for item in chunk.items:
            key = item.content_key
            if results[key].outcome is Outcome.DONE:
                exported = export.exported.get(key, Exported())
                changed = changed_at(rows[key], item.action, exported, run_since=run_since, earlier=earlier)
                if changed is not None:
                    seconds = max((now - changed).total_seconds(), 0)
                    self.fresh[freshness_name(seconds)] += 1
                    measured.observe(seconds)

    def write_unsaved_results(self) -> None:
        """Write the results of the last chunk, unless they have been written.

        Raises:
            LeaseLostError: another worker has the lease.
        """
        if self.unsaved_results is not None:
            attempts.close_chunk(self.unsaved_results, lease=self.lease, now=self.clock())
            self.unsaved_results = None

    def begin_chunk(self) -> bool:
        """Return False if the run must end before the next chunk. The first one is always sent: each customer moves on.

        The run's time slice has ended, so that other configurations get the worker. Or the run has too little time left
        for another chunk: the time limit would cut off a call, and its items would be in doubt.
        """
        now, began_at = self.clock(), self.chunk_began_at
        self.chunk_began_at = now
        if began_at is None:
            return True
        is_over = self.yields_at is not None and now >= self.yields_at
        needed = CHUNKS_LEFT * (now - began_at).total_seconds()
        # A run without any time left has exceeded its limit: the next check of the time ends it.
        self.has_yielded = is_over or 0 < self.renewer.seconds_left() < needed
        return not self.has_yielded

    def record_end(self, state: RunState, reason: str, *, now: datetime) -> None:
        """Set the final state of the run's row. The caller saves it."""
        self.row.state, self.row.reason, self.row.finished_at = state, reason, now
        self.row.counts = self.counts.as_json()

    @property
    def has_items_left(self) -> bool:
        """True if an item failed, or is still to be sent, fetched, approved or repaired."""
        row = self.row
        return any((self.counts.failures, row.waiting, row.backlog, row.dead, row.held, row.kept, row.staged))
