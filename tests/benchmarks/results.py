"""The measured values, in the structure that is printed and saved."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.benchmarks.open_edx import FIXED, OpenEdXRuns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.growth import Growth


class WrongAnswerError(Exception):
    """The service returned a wrong response."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Several runs of one measurement."""

    what: str  #: Such as ``diff``.
    how: str  #: Such as ``floor`` or ``cold``.
    case: str  #: The kind of request; empty if there is only one.
    items: int  #: Items in the catalog, or documents.
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """Shortest run in seconds."""
        return min(self.seconds)

    @property
    def most(self) -> float:
        """Longest run in seconds."""
        return max(self.seconds)


@dataclass(frozen=True, slots=True)
class SyncTiming:
    """Several runs of one kind of sync."""

    how: str  #: Such as ``first``.
    items: int  #: Items in the catalog.
    sent: int  #: Items that each run sends.
    chunks: int  #: Calls that each run needs.
    statements: int  #: Statements in the channels' database; the maximum of all runs.
    seconds: Sequence[float]
    lms_seconds: Sequence[float]  #: Time in the LMS, one value for each run.

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)

    @property
    def median_without_lms(self) -> float:
        """Median in seconds of each run's time minus its time in the LMS."""
        return statistics.median(a - b for a, b in zip(self.seconds, self.lms_seconds, strict=True))

    @property
    def lms_median(self) -> float:
        """Median time in the LMS, in seconds."""
        return statistics.median(self.lms_seconds)

    @property
    def counted(self) -> int:
        """Divisor of a time per item: the items sent, or all items if the run sends nothing."""
        return self.sent or self.items


@dataclass(frozen=True, slots=True)
class Figure:
    """A single value."""

    what: str
    how: str
    items: int
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A measured value and its target."""

    what: str
    value: float
    bound: Literal["at most", "at least"]
    target: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """True if the value meets the target."""
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target


@dataclass(slots=True)
class Results:
    """All values that one benchmark run has measured."""

    machine: Mapping[str, str | int]
    timings: list[Timing] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    syncs: list[SyncTiming] = field(default_factory=list)
    open_edx: OpenEdXRuns = FIXED
    verdicts: list[Verdict] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  #: Errors that did not end the run.

    def add_timings(self, samples: Mapping[str, Sequence[float]], *, what: str, items: int, case: str = "") -> None:
        """Add the samples of one loop; the keys of ``samples`` become ``how``."""
        self.timings += [Timing(what, how, case, items, seconds) for how, seconds in samples.items()]

    def median(self, what: str, how: str, *, items: int, case: str = "") -> float:
        """Return the median in seconds of the one matching timing.

        Raises:
            ValueError: no timing matches, or several do.
        """
        [timing] = (
            each for each in self.timings if (each.what, each.how, each.case, each.items) == (what, how, case, items)
        )
        return timing.median

    def figure(self, what: str, how: str, *, items: int) -> float:
        """Return the value of the one matching figure.

        Raises:
            ValueError: no figure matches, or several do.
        """
        [figure] = (each for each in self.figures if (each.what, each.how, each.items) == (what, how, items))
        return figure.value

    def sync(self, how: str, *, items: int) -> SyncTiming:
        """Return the one matching kind of sync.

        Raises:
            ValueError: no sync matches, or several do.
        """
        [timing] = (each for each in self.syncs if (each.how, each.items) == (how, items))
        return timing
