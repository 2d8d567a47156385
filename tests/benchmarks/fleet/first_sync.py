"""Changes of other customers next to one customer's first sync of a large catalog.

Periods without and with the first sync alternate, so other load on the machine affects both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
)
from tests.benchmarks.fleet.results import Spread
from tests.benchmarks.fleet.spread import Changes
from tests.benchmarks.fleet.ticks import settle
from tests.benchmarks.fleet.usage import Usage
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet
    from tests.benchmarks.fleet.deployment import Deployment
    from tests.benchmarks.fleet.lms import LMSs
    from tests.benchmarks.fleet.seeding import Group

ALONE: Final = "alone"
NEXT_TO_FIRST_SYNC: Final = "next to a first sync"
#: The order of the periods: each kind is first once and last once.
_PERIODS: Final = (ALONE, NEXT_TO_FIRST_SYNC, NEXT_TO_FIRST_SYNC, ALONE)
_START_SECONDS: Final = 120
_STOP_SECONDS: Final = 180


@dataclass
class FirstSync:
    """One customer's first sync, which can be interrupted."""

    configuration_id: int
    items: int  #: In the catalog.
    was_over: bool = False  #: The sync ended before the changes that were made meanwhile.

    @property
    def is_over(self) -> bool:
        """True if the LMS has confirmed all items."""
        return self.sent() == self.items

    def start(self) -> None:
        """Make the sync due; returns when it has sent items, or further items."""
        before = self.sent()
        self._configuration.update(active=True, next_sync_at=timezone.now())
        wait_until(lambda: self.is_over or self.sent() > before, seconds=_START_SECONDS)

    def stop(self) -> None:
        """Deactivate the configuration; returns when its run has ended, after its time slice at the latest."""
        self.was_over = self.is_over
        self._configuration.update(active=False)
        lease = SyncLease.objects.filter(configuration=self.configuration_id, expires_at__gt=timezone.now())
        wait_until(lambda: not lease.exists(), seconds=_STOP_SECONDS)

    def sent(self) -> int:
        """Return the number of items that the LMS has confirmed."""
        rows = ContentMetadataItemTransmission.objects.filter(configuration=self.configuration_id)
        return rows.filter(state=State.TRANSMITTED).count()

    @property
    def _configuration(self) -> ConfigurationQuerySet:
        return ChannelConfiguration.objects.filter(pk=self.configuration_id)


def measure_first_sync(
    deployment: Deployment,
    group: Group,
    lmss: LMSs,
    first: FirstSync,
    *,
    customers: Sequence[int],
    per_second: float,
    workers: int,
) -> list[Spread]:
    """Measure changes of single items, without and with a first sync; return both in this order.

    Args:
        customers: each changes once.
        per_second: changes.
        workers: processes for changes; one more process also runs all other syncs.

    Raises:
        WrongAnswerError: an LMS is wrong at the end.
    """
    settle()
    ChannelConfiguration.objects.filter(pk=first.configuration_id).update(active=False)
    share = len(customers) // len(_PERIODS)
    measured: dict[str, list[_Period]] = {ALONE: [], NEXT_TO_FIRST_SYNC: []}
    with deployment.running(workers=1, prompt=workers):
        for position, kind in enumerate(_PERIODS):
            changes = Changes(group, items=1)
            if kind == NEXT_TO_FIRST_SYNC:
                first.start()
            lmss.take_calls()
            before, started = Usage.read(deployment), time.monotonic()
            changes.make(customers[position * share : (position + 1) * share], per_second=per_second)
            times = changes.wait()
            usage, seconds = Usage.read(deployment).since(before), time.monotonic() - started
            calls = sum(lmss.take_calls().values())
            if kind == NEXT_TO_FIRST_SYNC:
                first.stop()
            changes.check(lmss)
            measured[kind].append(_Period(changes.freshness(times), seconds, usage, calls))
    return [_joined(kind, periods, workers=workers, catalog=group.items) for kind, periods in measured.items()]


@dataclass(frozen=True, slots=True)
class _Period:
    freshness: list[float]
    seconds: float
    usage: Usage
    calls: int


def _joined(kind: str, periods: Sequence[_Period], *, workers: int, catalog: int) -> Spread:
    freshness = [seconds for period in periods for seconds in period.freshness]
    usage = periods[0].usage
    for period in periods[1:]:
        usage = usage.plus(period.usage)
    return Spread(
        how=kind,
        workers=workers,
        customers=len(freshness),
        items=1,
        catalog=catalog,
        seconds=sum(period.seconds for period in periods),
        freshness=freshness,
        usage=usage,
        calls=sum(period.calls for period in periods),
    )
