"""The way of changes to the LMSs: freshness, use of all processes, and a check of the content of all changed LMSs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, TransmissionAttempt
from tests.benchmarks.fleet.results import Spread
from tests.benchmarks.fleet.seeding import code_of
from tests.benchmarks.fleet.ticks import settle
from tests.benchmarks.fleet.usage import Usage
from tests.benchmarks.results import WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from tests.benchmarks.fleet.deployment import Deployment
    from tests.benchmarks.fleet.lms import LMSs
    from tests.benchmarks.fleet.seeding import Group

#: If no further change is confirmed for so long, the benchmark fails.
_PATIENCE_SECONDS: Final = 180
_POLL_SECONDS: Final = 0.5


@dataclass
class Changes:
    """Changes of customers of one group, at most once each, and their confirmations."""

    group: Group
    items: int  #: That change, of each customer.
    committed_at: dict[str, datetime] = field(default_factory=dict)  #: Code of a changed customer -> time.

    def make(self, numbers: Sequence[int], *, per_second: float | None = None) -> None:
        """Change items of these customers, one customer after another.

        Args:
            per_second: customers; ``None`` for as many as possible.
        """
        started = time.monotonic()
        for position, number in enumerate(numbers):
            if per_second:
                time.sleep(max(started + position / per_second - time.monotonic(), 0))
            self.committed_at[code_of(number)] = self.group.change(number, self.items)

    def wait(self) -> dict[str, list[datetime]]:
        """Wait until the LMSs have confirmed all changes; return code -> times of confirmation.

        Raises:
            WrongAnswerError: nothing was confirmed for a long time.
        """
        expected, confirmed, moved_at = len(self.committed_at) * self.items, 0, time.monotonic()
        while confirmed < expected:
            time.sleep(_POLL_SECONDS)
            if (now := self._confirmations().count()) > confirmed:
                confirmed, moved_at = now, time.monotonic()
            if time.monotonic() - moved_at > _PATIENCE_SECONDS:
                raise WrongAnswerError(f"only {confirmed:,} of {expected:,} changes reached an LMS")
        times: dict[str, list[datetime]] = {code: [] for code in self.committed_at}
        for code, finished_at in self._confirmations().values_list("run__configuration__display_name", "finished_at"):
            assert finished_at is not None
            times[code].append(finished_at)
        return times

    def check(self, lmss: LMSs) -> None:
        """Compare the changed customers' LMSs with their catalogs.

        Raises:
            WrongAnswerError: an LMS differs.
        """
        for code, offered in lmss.offered(self.committed_at).items():
            titles = self.group.titles(code)
            if offered.keys() != titles.keys() or any(
                not name.startswith(f"{titles[key]} - ") for key, name in offered.items()
            ):
                raise WrongAnswerError(f"the LMS of {code} does not offer the content of its catalog")

    def freshness(self, times: dict[str, list[datetime]]) -> list[float]:
        """Return the seconds from commit to confirmation, of each item."""
        return [
            (moment - self.committed_at[code]).total_seconds() for code, moments in times.items() for moment in moments
        ]

    def _confirmations(self) -> QuerySet[TransmissionAttempt]:
        configurations = ChannelConfiguration.objects.filter(display_name__in=self.committed_at)
        since = min(self.committed_at.values()) - timedelta(seconds=1)
        return TransmissionAttempt.objects.filter(
            run__configuration__in=configurations, run__started_at__gte=since, outcome=Outcome.DONE
        )


def measure_changes(
    deployment: Deployment, group: Group, lmss: LMSs, *, customers: Sequence[int], items: int, workers: int
) -> Spread:
    """Change items of some customers, one customer after another, and measure until every LMS is right.

    Args:
        items: that change, of each customer.
        workers: worker processes.

    Raises:
        WrongAnswerError: an LMS is wrong at the end, or another customer's LMS was called.
    """
    settle()
    changes = Changes(group, items)
    with deployment.running(workers=workers):
        lmss.take_calls()
        before = Usage.read(deployment)
        changes.make(customers)
        times = changes.wait()
        usage = Usage.read(deployment).since(before)
    calls = lmss.take_calls()
    changes.check(lmss)
    if calls.keys() != changes.committed_at.keys():
        raise WrongAnswerError("the LMSs that were called are not those of the changed customers")
    ended_at = max(moment for moments in times.values() for moment in moments)
    return Spread(
        how="",
        workers=workers,
        customers=len(customers),
        items=items,
        catalog=group.items,
        seconds=(ended_at - min(changes.committed_at.values())).total_seconds(),
        freshness=changes.freshness(times),
        usage=usage,
        calls=sum(calls.values()),
    )
