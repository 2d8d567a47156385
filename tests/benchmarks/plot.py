"""A chart of the diff's time against the catalog's size: both axes logarithmic, one panel for each case.

Written as SVG, like the other pictures in the docs. Three lines and a grid need no plotting library, and the file stays
small and readable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.cases import EMPTY, MOSTLY_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.results import Results, Timing

_WIDTH: Final = 960
_HEIGHT: Final = 480
_TOP: Final = 96
_BOTTOM: Final = 410
_PANEL_WIDTH: Final = 395
_LEGEND_Y: Final = 34

#: Case, title, left edge in pixels.
_PANELS: Final = (
    (MOSTLY_KNOWN, "Keys sent: 90 % of the catalog's, 10 % unknown", 78),
    (EMPTY, "Keys sent: none", 543),
)
#: Way -> its label in the legend, and the label's left edge in pixels.
_LINES: Final = {
    "floor": ("raw floor: bare driver", 90),
    "cold": ("cold: whole stack, nothing at hand", 320),
    "warm": ("warm: whole stack, snapshot at hand", 630),
}
_STYLE: Final = """
    .card { fill: #fbfcfe; stroke: #cbd5e1; }
    .grid { stroke: #e2e8f0; }
    .frame { fill: none; stroke: #94a3b8; }
    text { fill: #0f172a; font-size: 13px; }
    .head { font-weight: 700; font-size: 14px; }
    .tick { fill: #334155; font-size: 12px; }
    .mid { text-anchor: middle; }
    .end { text-anchor: end; }
    .line { fill: none; stroke-width: 2.2; }
    .spread { stroke-width: 1.2; }
    .floor { stroke: #475569; }
    .cold { stroke: #2563eb; }
    .warm { stroke: #c2410c; }
    .line.floor { stroke-dasharray: 7 4; }
    .dot { fill: #fbfcfe; stroke-width: 2; }
  """


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic axis: the values at its ends, and the positions of the ends in pixels."""

    least: float
    greatest: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.least) / math.log(self.greatest / self.least)
        return round(self.start + share * (self.end - self.start), 1)

    def decades(self) -> list[float]:
        """Return the powers of ten on the axis."""
        powers = range(math.ceil(math.log10(self.least)), math.floor(math.log10(self.greatest)) + 1)
        return [10.0**power for power in powers]


def draw(results: Results) -> str:
    """Return the chart as SVG: medians as lines, the range of all runs as bars."""
    timings = [each for each in results.timings if each.what == "diff" and each.how in _LINES and each.items]
    sizes = sorted({each.items for each in timings})
    y = _scale_of_times(timings)
    lines = [*_head(), *_legend()]
    for case, title, left in _PANELS:
        x = _Scale(sizes[0] / 1.4, sizes[-1] * 1.4, left, left + _PANEL_WIDTH)
        lines += _axes(title, x, y, sizes=sizes)
        for how in _LINES:
            lines += _curve([each for each in timings if (each.case, each.how) == (case, how)], x, y)
    return "\n".join([*lines, "</svg>", ""])


def _scale_of_times(timings: Sequence[Timing]) -> _Scale:
    """Return the axis of milliseconds. It includes all runs and ends at 1, 2 or 5 times a power of ten."""
    milliseconds = [1000 * seconds for each in timings for seconds in each.seconds]
    ends = [step * 10.0**power for power in range(-3, 7) for step in (1, 2, 5)]
    least = max(end for end in ends if end <= min(milliseconds))
    return _Scale(least, min(end for end in ends if end >= max(milliseconds)), _BOTTOM, _TOP)


def _head() -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        ' role="img"\n     aria-labelledby="title"'
        " font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">"
    )
    yield '  <title id="title">The time of a diff against the size of the catalog: raw floor, cold and warm</title>'
    yield f"  <style>{_STYLE}</style>"
    yield f'  <rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="14"/>'


def _legend() -> Iterator[str]:
    for how, (name, left) in _LINES.items():
        yield f'  <path class="line {how}" d="M{left} {_LEGEND_Y} h34"/>'
        yield f'  <circle class="dot {how}" cx="{left + 17}" cy="{_LEGEND_Y}" r="4"/>'
        yield f'  <text x="{left + 44}" y="{_LEGEND_Y + 4.5}">{name}</text>'


def _axes(title: str, x: _Scale, y: _Scale, *, sizes: Sequence[int]) -> Iterator[str]:
    middle = (x.start + x.end) / 2
    yield f'\n  <text class="head mid" x="{middle}" y="{_TOP - 16}">{title}</text>'
    for value in y.decades():
        yield f'  <path class="grid" d="M{x.start} {y.at(value)} H{x.end}"/>'
        yield f'  <text class="tick end" x="{x.start - 8}" y="{y.at(value) + 4}">{value:,g} ms</text>'
    for size in sizes:
        yield f'  <path class="grid" d="M{x.at(size)} {y.start} V{y.end}"/>'
        yield f'  <text class="tick mid" x="{x.at(size)}" y="{y.start + 20}">{size:,}</text>'
    yield f'  <rect class="frame" x="{x.start}" y="{y.end}" width="{x.end - x.start}" height="{y.start - y.end}"/>'
    yield f'  <text class="mid" x="{middle}" y="{y.start + 44}">items in the catalog</text>'


def _curve(timings: Sequence[Timing], x: _Scale, y: _Scale) -> Iterator[str]:
    points = [(x.at(each.items), y.at(1000 * each.median)) for each in timings]
    how = timings[0].how
    for (across, _), each in zip(points, timings, strict=True):
        slowest, quickest = y.at(1000 * max(each.seconds)), y.at(1000 * min(each.seconds))
        yield f'  <path class="spread {how}" d="M{across} {slowest} V{quickest}"/>'
    yield f'  <path class="line {how}" d="M{" L".join(f"{across} {up}" for across, up in points)}"/>'
    yield from (f'  <circle class="dot {how}" cx="{across}" cy="{up}" r="4"/>' for across, up in points)
