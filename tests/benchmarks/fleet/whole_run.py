"""All measurements of the fleet, in order."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.environment import describe_machine
from tests.benchmarks.fleet.first_sync import FirstSync, measure_first_sync
from tests.benchmarks.fleet.lms import served_lmss
from tests.benchmarks.fleet.night import measure_night
from tests.benchmarks.fleet.results import Results
from tests.benchmarks.fleet.seeding import make_customer, seed
from tests.benchmarks.fleet.spread import measure_changes
from tests.benchmarks.fleet.targets import verdicts
from tests.benchmarks.fleet.ticks import measure_idle, measure_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.fleet.deployment import Deployment
    from tests.benchmarks.fleet.lms import LMSs
    from tests.benchmarks.fleet.seeding import Group

#: Share of customers that change, and share of their items, in percent.
PERCENT: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """The amount of work."""

    configurations: int
    few: int  #: Configurations with which the idle fleet and the ticks are measured first.
    items: int  #: In each catalog.
    lms_hosts: int
    lms_seconds: float  #: That each call to an LMS takes longer than in the sandbox.
    idle_seconds: float
    ticks: int  #: Number of measured ticks of each kind.
    workers: Sequence[int]  #: Worker processes, for each measurement of changes.
    first_sync_items: int
    others: int  #: Changes of other customers next to the first sync, and as many without it.
    others_per_second: float
    night_customers: int
    night_items: int  #: In the catalog of each customer of the night.


def measure(plan: Plan, deployment: Deployment, *, say: Callable[[str], None]) -> Results:
    """Run all measurements and return the results.

    Args:
        say: called with the name of each step before it starts.

    Raises:
        WrongAnswerError: an LMS was wrong at the end, or a configuration was queued twice.
    """
    size = {
        "configurations": plan.configurations,
        "items": plan.items,
        "first_sync_items": plan.first_sync_items,
    }
    results = Results(describe_machine() | size | {"lms_milliseconds": round(1_000 * plan.lms_seconds)})
    lmss = served_lmss(deployment.site, hosts=plan.lms_hosts, seconds_per_call=plan.lms_seconds)
    with lmss as clients, deployment.serving():
        run = _Run(plan, deployment, clients, results, say)
        run.seed(range(1, plan.few + 1))
        run.measure_idle_fleet()
        group = run.seed(range(plan.few + 1, plan.configurations + 1))
        run.measure_idle_fleet()
        run.measure_changes(group)
        run.measure_first_sync(group)
        run.measure_night()
    results.verdicts += verdicts(results)
    return results


@dataclass(frozen=True, slots=True)
class _Run:
    plan: Plan
    deployment: Deployment
    lmss: LMSs
    results: Results
    say: Callable[[str], None]

    def seed(self, numbers: range) -> Group:
        """Create settled customers."""
        with self._seeding(f"{len(numbers):,} customers with {self.plan.items:,} items each"):
            return seed(numbers, self.plan.items, self.lmss)

    def measure_idle_fleet(self) -> None:
        """Measure all customers so far: single ticks, and all processes for some time."""
        self.say("Ticks")
        for due in (False, True):
            self.results.ticks.append(measure_ticks(self.deployment, due=due, runs=self.plan.ticks))
        self.say("All processes of an idle fleet")
        most = max(self.plan.workers)
        self.results.idle.append(measure_idle(self.deployment, seconds=self.plan.idle_seconds, workers=most))

    def measure_changes(self, group: Group) -> None:
        """Let a share of the customers change, for each number of workers."""
        number = max(self.plan.configurations * PERCENT // 100, 1)
        items = max(self.plan.items * PERCENT // 100, 1)
        for position, workers in enumerate(self.plan.workers):
            self.say(f"Changes of {number:,} customers, {workers} worker processes")
            customers = _spread(group, number, offset=position)
            measured = measure_changes(
                self.deployment, group, self.lmss, customers=customers, items=items, workers=workers
            )
            self.results.changes.append(measured)

    def measure_first_sync(self, group: Group) -> None:
        """Measure changes of some customers without and with another customer's first sync."""
        with self._seeding(f"a customer with {self.plan.first_sync_items:,} items"):
            items = self.plan.first_sync_items
            first = FirstSync(make_customer(self.plan.configurations + 1, items, self.lmss), items)
        self.say(f"{2 * self.plan.others:,} changes, without and with a first sync")
        self.results.next_to += measure_first_sync(
            self.deployment,
            group,
            self.lmss,
            first,
            customers=_spread(group, 2 * self.plan.others, offset=len(self.plan.workers)),
            per_second=self.plan.others_per_second,
            workers=2,
        )
        self.results.first_sync_items = first.sent()
        if first.was_over:
            self.results.notes.append("The first sync ended before the changes of others; it needs more items.")

    def measure_night(self) -> None:
        """Measure the changes of a night of some customers with larger catalogs."""
        start, items = self.plan.configurations + 2, self.plan.night_items
        with self._seeding(f"{self.plan.night_customers:,} customers with {items:,} items each"):
            group = seed(range(start, start + self.plan.night_customers), items, self.lmss)
        self.say("Changes of a night")
        changes = max(items * PERCENT // 100, 1)
        self.results.night = measure_night(self.deployment, group, self.lmss, items=changes, workers=2)

    @contextmanager
    def _seeding(self, what: str) -> Iterator[None]:
        self.say(f"Seeding {what}")
        started = time.monotonic()
        yield
        self.results.seeded[what] = time.monotonic() - started


def _spread(group: Group, number: int, *, offset: int) -> Sequence[int]:
    """Return customers at equal distances; another ``offset`` gives others, if the group is large enough."""
    step = max(len(group.numbers) // number, 1)
    return group.numbers[offset % step :: step][:number]
