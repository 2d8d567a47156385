"""The state of a run in progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.domain import Outcome, RunCounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from enterprise_catalog.integrated_channels.audit import attempts
    from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.domain import Action, SyncPlan
    from enterprise_catalog.integrated_channels.lms.deadlines import CallClock
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState, SyncRun
    from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan


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
    counts: RunCounts = field(default_factory=RunCounts)
    etag: str = ""  #: Of the catalogs, read before their differences; empty if they have none.
    items: int = 0  #: Number of items in the catalogs.
    unsaved_results: attempts.ChunkResults | None = None  #: Results of the last chunk, until they are written.
    pause: timedelta | None = None  #: Pause before the next run; ``None`` if the LMS accepts more calls.
    is_overrun: bool = False  #: A call or the run exceeded its time limit.

    def record_plan(self, sync_plan: SyncPlan) -> None:
        """Copy the plan's counts of items to the run's row."""
        self.items = sync_plan.desired
        self.row.matched, self.row.waiting, self.row.backlog = sync_plan.matched, sync_plan.waiting, sync_plan.size
        self.row.dead, self.row.held, self.row.kept = sync_plan.dead, len(sync_plan.held), sync_plan.kept
        self.row.staged = sync_plan.staged

    def record_kept(self, sync_plan: SyncPlan, *, kept: int) -> None:
        """Count ``kept`` deletes that an operator has decided against; ``sync_plan`` no longer has them."""
        self.row.kept += kept
        self.row.backlog = sync_plan.size

    def record_outcome(self, action: Action, outcome: Outcome) -> None:
        """Count the outcome of one item. An item that was not sent stays in the backlog."""
        self.counts.add(action, outcome)
        self.row.staged += outcome is Outcome.STAGED
        self.row.backlog -= outcome not in (Outcome.SKIPPED, Outcome.THROTTLED)

    def record_end(self, state: RunState, reason: str, *, now: datetime) -> None:
        """Set the final state of the run's row. The caller saves it."""
        self.row.state, self.row.reason, self.row.finished_at = state, reason, now
        self.row.counts = self.counts.as_json()

    @property
    def has_items_left(self) -> bool:
        """True if an item failed, or is still to be sent, fetched, approved or repaired."""
        row = self.row
        return any((self.counts.failures, row.waiting, row.backlog, row.dead, row.held, row.kept, row.staged))
