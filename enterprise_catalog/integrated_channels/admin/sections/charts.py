"""The geometry of the overview's charts. The template ``chart.html`` draws them as SVG, with a table of the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.formats import date_format
from django.utils.translation import gettext

from enterprise_catalog.admin_pages.rendering import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import Day

#: The drawing's size, and the rectangle of the values in it: room for labels on the left and at the bottom.
FRAME: Final = {"width": 360, "height": 130, "left": 44, "top": 8, "base": 110}
_STEEPNESS: Final = FRAME["base"] - FRAME["top"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a stacked bar."""

    x: float
    y: float
    width: float
    height: float
    series: int  #: Position of its series, from 1.


@dataclass(frozen=True, slots=True)
class Dot:
    """One value of a line."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart over the last days: bars, or one line per series."""

    slug: str
    title: str
    series: list[str]  #: Names, for the legend and the table's headings.
    days: Sequence[Day]
    values: Sequence[Sequence[float | None]]  #: Per day, one value per series.
    text: Callable[[float | None], str]  #: A value in words.
    is_stacked: bool = False

    @property
    def is_empty(self) -> bool:
        """True if no day has a value."""
        return not self._highest

    @property
    def summary(self) -> str:
        """The newest values in words."""
        newest = next((parts for parts in reversed(self.values) if any(parts)), self.values[-1])
        return "; ".join(f"{name}: {self.text(value)}" for name, value in zip(self.series, newest, strict=True))

    @property
    def top(self) -> str:
        """The highest value, for the axis."""
        return self.text(self._highest)

    @property
    def labels(self) -> list[str]:
        """The days, the oldest first."""
        return [date_format(day.day, "j M") for day in self.days]

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Day, and one value per series, the newest day first."""
        texts = ([self.text(value) for value in parts] for parts in self.values)
        return list(zip(self.labels, texts, strict=True))[::-1]

    @property
    def bars(self) -> list[Bar]:
        """The parts of all bars, if the values are stacked."""
        bars = []
        for number, parts in enumerate(self.values if self.is_stacked else ()):
            y = float(FRAME["base"])
            for series, value in enumerate(parts, start=1):
                height = self._scaled(value or 0)
                y -= height
                if height:
                    x = FRAME["left"] + number * self._step + 0.5
                    bars.append(Bar(round(x, 1), round(y, 1), round(self._step - 1, 1), height, series))
        return bars

    @property
    def lines(self) -> list[list[Dot]]:
        """The dots of each line, if the values are not stacked. Days without a value have no dot."""
        return [] if self.is_stacked else [list(self._line(number)) for number in range(len(self.series))]

    def _line(self, series: int) -> list[Dot]:
        return [
            Dot(round(FRAME["left"] + (number + 0.5) * self._step, 1), round(FRAME["base"] - self._scaled(value), 1))
            for number, parts in enumerate(self.values)
            if (value := parts[series]) is not None
        ]

    @property
    def _highest(self) -> float:
        present = [[value for value in parts if value is not None] for parts in self.values]
        return max((sum(parts) if self.is_stacked else max(parts, default=0) for parts in present), default=0)

    @property
    def _step(self) -> float:
        return (FRAME["width"] - FRAME["left"]) / len(self.days)

    def _scaled(self, value: float) -> float:
        return round(value / self._highest * _STEEPNESS, 1) if self._highest else 0


def charts(days: Sequence[Day]) -> list[Chart]:
    """Return the overview's charts."""
    outcomes = [gettext("accepted"), gettext("rejected"), gettext("failed"), gettext("not sent")]
    percentiles = [gettext("half of the changes (p50)"), gettext("95% of the changes (p95)")]
    return [
        Chart(
            "outcomes",
            gettext("Transmissions per day"),
            outcomes,
            days,
            [(day.accepted, day.rejected, day.failed, day.not_sent) for day in days],
            _number,
            is_stacked=True,
        ),
        Chart(
            "freshness",
            gettext("Time from change to LMS"),
            percentiles,
            days,
            [(day.p50_seconds, day.p95_seconds) for day in days],
            duration,
        ),
        Chart(
            "backlog",
            gettext("Backlog at the end of the day"),
            [gettext("items")],
            days,
            [(day.backlog,) for day in days],
            _number,
        ),
    ]


def _number(value: float | None) -> str:
    return EMPTY if value is None else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """Return a duration as ``45 s``, ``12 min``, ``3.5 h`` or ``2.1 d``; a dash for ``None``."""
    if seconds is None:
        return EMPTY
    for limit, divisor, unit in ((60, 1, "s"), (3_600, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / divisor:.3g} {unit}"
    return f"{seconds / 86_400:.3g} d"
