"""What was measured, in the shape in which it is printed and written."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.growth import Growth


class WrongAnswerError(Exception):
    """The service answered, but not what it should have."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Several runs of one thing."""

    what: str  #: Such as ``diff``.
    how: str  #: Such as ``floor`` or ``cold``.
    case: str  #: What was asked for; empty where there is one way only.
    items: int  #: The size of the catalog, or the number of documents.
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """Seconds."""
        return min(self.seconds)

    @property
    def most(self) -> float:
        """Seconds."""
        return max(self.seconds)


@dataclass(frozen=True, slots=True)
class SyncTiming:
    """Several runs of one kind of sync."""

    how: str  #: Such as ``first``.
    items: int  #: The size of the catalog.
    sent: int  #: How many of them each run sends.
    chunks: int  #: In how many calls.
    statements: int  #: Those in the channels' database, of the run that took most.
    seconds: Sequence[float]
    lms_seconds: Sequence[float]  #: Of each run, what the learning system took to answer.

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def median_without_lms(self) -> float:
        """Seconds."""
        return statistics.median(a - b for a, b in zip(self.seconds, self.lms_seconds, strict=True))

    @property
    def lms_median(self) -> float:
        """Seconds."""
        return statistics.median(self.lms_seconds)

    @property
    def counted(self) -> int:
        """By what a time per item is meant: the items sent, or all where none is."""
        return self.sent or self.items


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    what: str
    how: str
    items: int
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A measured value beside its target."""

    what: str
    value: float
    bound: Literal["at most", "at least"]
    target: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the value keeps to the target."""
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target


@dataclass(slots=True)
class Results:
    """Everything that a run of the benchmark has measured."""

    machine: Mapping[str, str | int]
    timings: list[Timing] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    syncs: list[SyncTiming] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  #: What went wrong without ending the run.

    def add_timings(self, samples: Mapping[str, Sequence[float]], *, what: str, items: int, case: str = "") -> None:
        """Add the samples of one loop, given by ``how``."""
        self.timings += [Timing(what, how, case, items, seconds) for how, seconds in samples.items()]

    def median(self, what: str, how: str, *, items: int, case: str = "") -> float:
        """Return the median in seconds of the one timing that fits.

        Raises:
            ValueError: none or several fit.
        """
        [timing] = (
            each for each in self.timings if (each.what, each.how, each.case, each.items) == (what, how, case, items)
        )
        return timing.median

    def figure(self, what: str, how: str, *, items: int) -> float:
        """Return the one number that fits.

        Raises:
            ValueError: none or several fit.
        """
        [figure] = (each for each in self.figures if (each.what, each.how, each.items) == (what, how, items))
        return figure.value

    def sync(self, how: str, *, items: int) -> SyncTiming:
        """Return the one kind of sync that fits.

        Raises:
            ValueError: none or several fit.
        """
        [timing] = (each for each in self.syncs if (each.how, each.items) == (how, items))
        return timing
