"""The measured values of a fleet, in the structure that is printed and saved."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.fleet.usage import Usage
    from tests.benchmarks.results import Verdict


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that is not less than ``percent`` % of the values."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


@dataclass(frozen=True, slots=True)
class Tick:
    """Ticks of the scheduler: the question for changes, and the queuing of due syncs."""

    configurations: int
    due: int  #: Configurations that were due before each tick.
    seconds: Sequence[float]
    requests: int  #: To the catalog service; the most of all ticks.
    statements: int  #: In the channels' database; the most of all ticks.
    catalog_statements: int  #: In the database of the catalog service; the most of all ticks.
    messages: int  #: That the tick queued; the most of all ticks.
    again: int  #: Messages that a second tick queued, while no worker took any; the most of all ticks.

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Idle:
    """All processes of a fleet in which nothing changes."""

    configurations: int
    ticks: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Spread:
    """The way of changes to the LMSs."""

    how: str  #: What else the workers do, or the name of the measurement.
    workers: int  #: Worker processes that sync changes.
    customers: int  #: That changed.
    items: int  #: That changed, of each of these customers.
    catalog: int  #: Items of each catalog.
    seconds: float  #: From the first commit until every LMS is right.
    freshness: Sequence[float]  #: Seconds from the commit to the confirmation by the LMS, for each item.
    usage: Usage
    calls: int  #: To all LMSs.

    @property
    def p50(self) -> float:
        """Median freshness in seconds."""
        return percentile(self.freshness, 50)

    @property
    def p95(self) -> float:
        """95th percentile of the freshness in seconds."""
        return percentile(self.freshness, 95)


@dataclass(frozen=True, slots=True)
class Night:
    """The cost of a customer's changes of one night, measured with some customers."""

    spread: Spread
    rows: Mapping[str, int]  #: Table of the channels -> rows that the night added.
    megabytes: float  #: That the tables of the channels, and their indexes, grew by.


@dataclass(slots=True)
class Results:
    """All values that one run has measured."""

    machine: Mapping[str, str | int]
    seeded: dict[str, float] = field(default_factory=dict)  #: Step -> seconds.
    ticks: list[Tick] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    changes: list[Spread] = field(default_factory=list)
    next_to: list[Spread] = field(default_factory=list)  #: Without and with another customer's first sync.
    first_sync_items: int = 0  #: Items that the first sync sent meanwhile.
    night: Night | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  #: Reasons why a figure means less than it should.
