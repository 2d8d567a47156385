"""Renewal of a lease during a run, and the checks before each call."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError, RunDeadlineError
from enterprise_catalog.integrated_channels.lms.stopping import check_stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from enterprise_catalog.integrated_channels.audit.leases import Lease


@dataclass(slots=True)
class LeaseRenewer:
    """Renews a lease while calls are made, and counts the calls."""

    lease: Lease
    clock: Callable[[], datetime]
    renewed_at: datetime | None = None  #: When the lease was last taken or renewed; ``None`` if unknown.
    ends_at: datetime | None = None  #: Time limit of the run; ``None`` for no limit.
    thread: int = field(default_factory=threading.get_ident)  #: The thread that uses the database.

    def before_call(self, *, is_counted: bool) -> None:
        """Check that a call to the LMS is allowed now, and count it.

        Args:
            is_counted: True if the call counts against the channel's rate limit.

        Raises:
            LeaseLostError: another worker has the lease, or this worker did not renew it in time.
            BudgetSpentError: the channel's rate limit is reached.
            RunDeadlineError: the run has no time left.
            StopRequestedError: a stop was requested.
        """
        self.check_time()
        if threading.get_ident() == self.thread:
            self.renew_if_due()
        elif self.renewed_at is None or self.clock() - self.renewed_at >= leases.MAX_LEASE_AGE:
            raise LeaseLostError(f"the lease of configuration {self.lease.configuration_id} was not renewed in time")
        if is_counted:
            self.lease.budget.spend(self.clock())

    def before_request(self) -> None:
        """Check that a request to the catalog service, or a pause, is allowed now.

        Raises:
            LeaseLostError: another worker has the lease.
            RunDeadlineError: the run has no time left.
            StopRequestedError: a stop was requested.
        """
        self.check_time()
        if threading.get_ident() == self.thread:
            self.renew_if_due()

    def seconds_left(self) -> float:
        """Return the number of seconds that the run has left; infinity without a time limit."""
        return float("inf") if self.ends_at is None else (self.ends_at - self.clock()).total_seconds()

    def check_time(self) -> None:
        """Check that the run may continue.

        Raises:
            RunDeadlineError: the run has no time left.
            StopRequestedError: a stop was requested.
        """
        check_stop()
        if self.seconds_left() <= 0:
            raise RunDeadlineError

    def renew_if_due(self) -> None:
        """Renew the lease if it is due: a chunk may take many calls, and an LMS may be slow.

        Raises:
            LeaseLostError: another worker has the lease; nothing more may be sent.
        """
        now = self.clock()
        if self.renewed_at is None or now - self.renewed_at >= leases.RENEWAL_INTERVAL:
            leases.renew(self.lease, now=now)
            self.renewed_at = now
