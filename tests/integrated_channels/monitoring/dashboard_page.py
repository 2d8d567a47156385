"""Draws the Grafana dashboard from its JSON, as an HTML page: the panels at their places, with their units and colors.

Knows the parts of Grafana's format that the dashboard uses.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from tests.integrated_channels.monitoring.prometheus import DASHBOARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: Of the dashboard's grid, in pixels; and the space below a panel's title and legend.
_ROW_HEIGHT, _COLUMN_WIDTH, _GAP = 26, 48, 8
_HEAD, _LEGEND = 26, 20
_WIDTH: Final = 24 * _COLUMN_WIDTH
_AXIS_WIDTH, _AXIS_HEIGHT = 54, 16
_LINES_ON_AXIS: Final = 3
#: Grafana's classic palette.
_COLORS: Final = (
    *("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"),
)
_THRESHOLDS: Final = {"green": "var(--green)", "red": "var(--red)"}
_STYLE: Final = """
  :root { --page: #f4f5f5; --card: #fff; --border: #dfe1e4; --text: #24292e; --weak: #5a6069; --green: #1a7f4b;
          --red: #c4162a; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #111217; --card: #181b1f; --border: #2c3035; --text: #ccccdc; --weak: #9a9dab; --green: #73bf69;
            --red: #f2495c; }
  }
  body { margin: 0; background: var(--page); color: var(--text); font: 11px "DejaVu Sans", sans-serif; }
  main { position: relative; }
  section { position: absolute; box-sizing: border-box; overflow: hidden; background: var(--card);
            border: 1px solid var(--border); border-radius: 2px; }
  section.row { overflow: visible; background: none; border: none; }
  h2 { margin: 0; padding: 6px 8px 0; font-size: 12px; font-weight: 600; white-space: nowrap; }
  p { margin: 0; padding: 0 8px; overflow: hidden; color: var(--weak); white-space: nowrap; text-overflow: ellipsis; }
  p i { display: inline-block; width: 10px; height: 3px; margin: 0 4px 3px 0; }
  p span { margin-right: 10px; }
  section.row h2 { padding: 2px 8px; }
  svg { display: block; } svg text { fill: var(--weak); font-size: 10px; }
  .grid { stroke: var(--border); }
  .value { padding: 6px 8px; font-size: 26px; font-weight: 600; } .none { padding: 20px; text-align: center; }
"""


@dataclass(frozen=True)
class Line:
    """One series of a panel."""

    label: str
    points: Mapping[float, float]  #: Seconds since 1970 -> value.


def page(query: Callable[[str, str], Sequence[Line]], *, start: float, end: float) -> str:
    """Return the dashboard as HTML.

    Args:
        query: returns the series of an expression, with labels according to a legend's format.
        start, end: the time that is shown, in seconds since 1970.
    """
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    height = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panels) * _ROW_HEIGHT
    sections = "\n".join(_section(panel, query, (start, end)) for panel in panels)
    return (
        f'<!doctype html><meta charset="utf-8"><title>Dashboard</title><style>{_STYLE}</style>'
        f'<main style="width: {_WIDTH}px; height: {height}px">{sections}</main>'
    )


def _section(panel: Mapping[str, Any], query: Callable[[str, str], Sequence[Line]], times: tuple[float, float]) -> str:
    at = panel["gridPos"]
    width, height = at["w"] * _COLUMN_WIDTH - _GAP, at["h"] * _ROW_HEIGHT - _GAP
    style = (
        f"left: {at['x'] * _COLUMN_WIDTH + _GAP // 2}px; top: {at['y'] * _ROW_HEIGHT + _GAP // 2}px;"
        f" width: {width}px; height: {height}px"
    )
    title = f"<h2>{escape(panel['title'])}</h2>"
    if panel["type"] == "row":
        return f'<section class="row" style="{style}">{title}</section>'
    lines = [line for target in panel["targets"] for line in query(target["expr"], target["legendFormat"])]
    lines = [line for line in lines if line.points]
    draw = {"stat": _stat, "timeseries": _chart}[panel["type"]]
    content = draw(panel, lines, times, (width - 2, height - _HEAD)) if lines else '<div class="none">No data</div>'
    return f'<section style="{style}">{title}{content}</section>'


def _stat(panel: Mapping[str, Any], lines: Sequence[Line], times: tuple[float, float], size: tuple[int, int]) -> str:
    """Draw the last value in the color of its threshold, above a small chart."""
    defaults, points = panel["fieldConfig"]["defaults"], lines[0].points
    value = points[max(points)]
    reached = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]]
    color = _THRESHOLDS[reached[-1]["color"]]
    plot = _Plot(times, max(points.values()), (0, 2, size[0], size[1] - 46))
    area = plot.area(points, dict.fromkeys(points, 0.0), color, opacity=0.2)
    return (
        f'<div class="value" style="color: {color}">{format_value(value, defaults["unit"])}</div>'
        f'<svg width="{size[0]}" height="{size[1] - 42}">{area}</svg>'
    )


def _chart(panel: Mapping[str, Any], lines: Sequence[Line], times: tuple[float, float], size: tuple[int, int]) -> str:
    """Draw lines or stacked areas, with axes and a legend."""
    defaults = panel["fieldConfig"]["defaults"]
    is_stacked = "stacking" in defaults["custom"]
    below: dict[float, float] = {}
    areas = []
    for line in lines:
        bottom = {moment: below.get(moment, 0.0) if is_stacked else 0.0 for moment in line.points}
        top = {moment: value + bottom[moment] for moment, value in line.points.items()}
        below |= top
        areas.append((top, bottom))
    greatest = max(value for top, _ in areas for value in top.values())
    plot = _Plot(times, greatest, (_AXIS_WIDTH, 8, size[0] - 10, size[1] - _LEGEND - _AXIS_HEIGHT))
    opacity = 0.35 if is_stacked else defaults["custom"]["fillOpacity"] / 100
    colors = [_COLORS[position % len(_COLORS)] for position in range(len(lines))]
    drawn = [plot.area(top, bottom, color, opacity=opacity) for (top, bottom), color in zip(areas, colors, strict=True)]
    legend = "".join(
        f'<span><i style="background: {color}"></i>{escape(line.label)}</span>'
        for line, color in zip(lines, colors, strict=True)
        if any(line.points.values()) or not greatest  # The others have no place.
    )
    axes = "".join(plot.axes(defaults["unit"]))
    return f'<svg width="{size[0]}" height="{size[1] - _LEGEND}">{axes}{"".join(drawn)}</svg><p>{legend}</p>'


@dataclass(frozen=True)
class _Plot:
    """The scales of a chart."""

    times: tuple[float, float]
    greatest: float
    edges: tuple[int, int, int, int]  #: Left, top, right and bottom, in pixels.

    def x(self, moment: float) -> float:
        left, _, right, _ = self.edges
        return left + (right - left) * (moment - self.times[0]) / (self.times[1] - self.times[0])

    def y(self, value: float) -> float:
        _, top, _, bottom = self.edges
        return bottom - (bottom - top) * value / (self.limit or 1)

    @property
    def limit(self) -> float:
        """The end of the axis: 1, 2 or 5 times a power of ten for each of its parts."""
        part = (self.greatest or 1) / _LINES_ON_AXIS
        power = 10.0 ** math.floor(math.log10(part))
        return float(_LINES_ON_AXIS * power * next(each for each in (1, 2, 5, 10) if each * power >= part * 0.999))

    def area(self, top: Mapping[float, float], bottom: Mapping[float, float], color: str, *, opacity: float) -> str:
        above = [f"{self.x(moment):.1f},{self.y(top[moment]):.1f}" for moment in sorted(top)]
        under = [f"{self.x(moment):.1f},{self.y(bottom[moment]):.1f}" for moment in sorted(top, reverse=True)]
        return (
            f'<polygon points="{" ".join(above + under)}" style="fill: {color}; opacity: {opacity}"/>'
            f'<polyline points="{" ".join(above)}" style="fill: none; stroke: {color}; stroke-width: 1.5"/>'
        )

    def axes(self, unit: str) -> Iterator[str]:
        left, _, right, bottom = self.edges
        for number in range(_LINES_ON_AXIS + 1):
            value = self.limit * number / _LINES_ON_AXIS
            y = self.y(value)
            yield f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{left - 4}" y="{y + 3:.1f}" text-anchor="end">{format_value(value, unit)}</text>'
        seconds = self.times[1] - self.times[0]
        for part in (0.25, 0.5, 0.75):
            text = f"{int(seconds * part) // 60}:{int(seconds * part) % 60:02}"
            x = left + (right - left) * part
            yield f'<text x="{x:.1f}" y="{bottom + 13}" text-anchor="middle">{text}</text>'


def format_value(value: float, unit: str) -> str:
    """Return a value with its unit, as Grafana does: ``1.5 min``, ``250 ms``, ``1.2 K``, ``97 %``, ``3 req/s``."""
    match unit:
        case "s":
            steps = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))
            size, name = next((step for step in steps if value >= step[0]), (1, "s"))
            return f"{_short(value / size)} {name}"
        case "percentunit":
            return f"{_short(value * 100)} %"
        case "reqps":
            return f"{_short(value)} req/s"
    return f"{_short(value / 1_000)} K" if value >= 1_000 else _short(value)


def _short(number: float) -> str:
    return f"{number:.3g}" if number < 1_000 else f"{number:,.0f}"
