"""What a run carries from step to step, and the lease that it keeps meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels import leases
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError, RunDeadlineError
from enterprise_catalog.integrated_channels.stopping import check_stop
from enterprise_catalog.integrated_channels.types import RunCounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from enterprise_catalog.integrated_channels import audit
    from enterprise_catalog.integrated_channels.deadlines import CallClock
    from enterprise_catalog.integrated_channels.leases import Lease
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from enterprise_catalog.integrated_channels.plans import SavedPlan


@dataclass(slots=True)
class LeaseKeeper:
    """Keeps a lease while calls are made, and counts these."""

    lease: Lease
    clock: Callable[[], datetime]
    renewed_at: datetime | None = None  #: When the lease was last taken or renewed, as far as the keeper has seen.
    ends_at: datetime | None = None  #: When the run must not make further calls; ``None`` for no limit.
    thread: int = field(default_factory=threading.get_ident)  #: The one that talks to the database.

    def before_call(self, *, is_counted: bool) -> None:
        """Make sure that a call to the LMS may be made now, and count it.

        Args:
            is_counted: whether it counts against the channel's rate limit.

        Raises:
            LeaseLostError: another worker has the lease, or this one did not renew it in time.
            BudgetSpentError: the LMS takes no more calls for now.
            RunDeadlineError: the run has no time left.
            StopRequestedError: the process was asked to stop.
        """
        self.check_time()
        if threading.get_ident() == self.thread:
            self.keep_lease()
        elif self.renewed_at is None or self.clock() - self.renewed_at >= leases.LONGEST_SILENCE:
            raise LeaseLostError(f"the lease of configuration {self.lease.configuration_id} was not renewed in time")
        if is_counted:
            self.lease.budget.spend(self.clock())

    def before_request(self) -> None:
        """Make sure that a request to the catalog service may be made, or the run may wait, now.

        Raises:
            LeaseLostError: another worker has the lease.
            RunDeadlineError: the run has no time left.
            StopRequestedError: the process was asked to stop.
        """
        self.check_time()
        if threading.get_ident() == self.thread:
            self.keep_lease()

    def seconds_left(self) -> float:
        """Return how many seconds the run may still take."""
        return float("inf") if self.ends_at is None else (self.ends_at - self.clock()).total_seconds()

    def check_time(self) -> None:
        """Make sure that the run may go on.

        Raises:
            RunDeadlineError: it has no time left.
            StopRequestedError: the process was asked to stop.
        """
        check_stop()
        if self.seconds_left() <= 0:
            raise RunDeadlineError

    def keep_lease(self) -> None:
        """Renew the lease if it has grown old: a chunk may take many calls, and an LMS may be slow.

        Raises:
            LeaseLostError: another worker has it; what was about to be sent must not be.
        """
        now = self.clock()
        if self.renewed_at is None or now - self.renewed_at >= leases.RENEWAL_INTERVAL:
            leases.renew(self.lease, now=now)
            self.renewed_at = now


@dataclass(slots=True)
class Run:
    """One run of one configuration, while it is under way."""

    configuration: ChannelConfiguration
    lease: Lease
    row: SyncRun
    clock: Callable[[], datetime]
    keeper: LeaseKeeper
    call_clock: CallClock
    saved: SavedPlan | None  #: The plan to carry out, if it was made before.
    counts: RunCounts = field(default_factory=RunCounts)
    etag: str = ""  #: Of the catalogs, before they were asked for their differences; empty if they have none.
    items: int = 0  #: How many the catalogs have.
    answered: audit.Answered | None = None  #: The last chunk, until what became of it is written.
    pause: timedelta | None = None  #: How long the LMS is to be left alone; ``None`` if it takes more calls.
    is_overrun: bool = False  #: A call, or the run, took longer than it may.
