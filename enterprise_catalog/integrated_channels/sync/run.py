"""The state of a run in progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.domain import RunCounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from enterprise_catalog.integrated_channels.audit import attempts
    from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.lms.deadlines import CallClock
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan


@dataclass(slots=True)
class Run:
    """One run of one configuration, while it is in progress."""

    configuration: ChannelConfiguration
    lease: Lease
    row: SyncRun
    clock: Callable[[], datetime]
    keeper: LeaseRenewer
    call_clock: CallClock
    saved: SavedPlan | None  #: The saved plan to carry out, if any.
    counts: RunCounts = field(default_factory=RunCounts)
    etag: str = ""  #: Of the catalogs, read before their differences; empty if they have none.
    items: int = 0  #: Number of items in the catalogs.
    answered: attempts.Answered | None = None  #: Results of the last chunk, until they are written.
    pause: timedelta | None = None  #: Pause before the next run; ``None`` if the LMS accepts more calls.
    is_overrun: bool = False  #: A call or the run exceeded its time limit.
