"""Draws packages as boxes in layers, with an arrow for each import, as SVG."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH: Final = 960
_BOX_WIDTH, _BOX_HEIGHT, _GAP, _ROW = 200, 66, 16, 96
_BEND_WIDTH: Final = 20  #: Of the place where an arrow passes a row.
_LEFT: Final = (20, 250)  #: First and last column of the catalog service's panel.
_RIGHT: Final = (280, 940)  #: The same, of the channels' panel.
_TOP, _HEADING, _MARGIN = 20, 52, 20
_TEXT_COLUMNS: Final = 34
_SWEEPS: Final = 8

_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"
     aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
  <title id="title">The packages of both programs and their imports</title>
  <style>
    .card {{ fill: #fbfcfe; stroke: #cbd5e1; }}
    .zone {{ fill: #eef2f7; stroke: #cbd5e1; }}
    .service {{ fill: #dbeafe; stroke: #2563eb; }}
    .channels {{ fill: #ede9fe; stroke: #7c3aed; }}
    .shared {{ fill: #e2e8f0; stroke: #64748b; }}
    text {{ fill: #0f172a; font-size: 12px; }}
    .head {{ font-weight: 700; font-size: 15px; }}
    .name {{ font-weight: 600; font-family: ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', monospace; }}
    .small {{ font-size: 10.5px; fill: #334155; }}
    .mid {{ text-anchor: middle; }}
    .arrow {{ fill: none; stroke: #475569; stroke-width: 1.5; marker-end: url(#tip); }}
    .http {{ stroke: #b45309; stroke-width: 2; stroke-dasharray: 6 4; }}
  </style>
  <defs>
    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
      <path d="M0 0 L10 5 L0 10 z" fill="#475569"/>
    </marker>
  </defs>
"""


@dataclass(frozen=True)
class Box:
    """A file or a folder, and its description."""

    name: str
    text: str


#: A child, or the bend of an arrow that passes a row: importer, imported, level.
Node = str | tuple[str, str, int]


@dataclass
class _Layers:
    """The rows of boxes and bends, ordered so that few arrows cross."""

    rows: list[list[Node]]
    paths: list[list[Node]]  #: One per arrow, from row to row.

    def order(self) -> None:
        """Sort each row by the mean position of its neighbors in the row above, then below; several times."""
        above, below = defaultdict[Node, list[Node]](list), defaultdict[Node, list[Node]](list)
        for upper, lower in (link for path in self.paths for link in pairwise(path)):
            above[lower].append(upper)
            below[upper].append(lower)
        for sweep in range(_SWEEPS):
            rows = self.rows if sweep % 2 == 0 else self.rows[::-1]
            for fixed, row in pairwise(rows):
                _sort(row, fixed, above if sweep % 2 == 0 else below)

    def centers(self) -> dict[Node, float]:
        """Return the horizontal center of each node; each row is centered in its panel."""
        centers: dict[Node, float] = {}
        for row in self.rows:
            widths = [_BOX_WIDTH if isinstance(node, str) else _BEND_WIDTH for node in row]
            x = (_RIGHT[0] + _RIGHT[1] - sum(widths) - _GAP * (len(row) - 1)) / 2
            for node, width in zip(row, widths, strict=True):
                centers[node] = x + width / 2
                x += width + _GAP
        return centers


def _sort(row: list[Node], fixed: Sequence[Node], neighbors: Mapping[Node, Sequence[Node]]) -> None:
    places = {node: place / max(1, len(fixed) - 1) for place, node in enumerate(fixed)}
    own = {node: place / max(1, len(row) - 1) for place, node in enumerate(row)}

    def mean(node: Node) -> float:
        near = neighbors.get(node, ())
        return sum(places[each] for each in near) / len(near) if near else own[node]

    row.sort(key=mean)


def _layers(levels: Mapping[str, int], arrows: Sequence[tuple[str, str]]) -> _Layers:
    rows: list[list[Node]] = [[] for _ in range(max(levels.values()) + 1)]
    for child, level in levels.items():
        rows[level].append(child)
    paths: list[list[Node]] = []
    for importer, imported in arrows:
        bends = [(importer, imported, level) for level in range(levels[importer] + 1, levels[imported])]
        for bend in bends:
            rows[bend[2]].append(bend)
        paths.append([importer, *bends, imported])
    layers = _Layers(rows, paths)
    layers.order()
    return layers


def draw(
    boxes: Mapping[str, Box],
    *,
    levels: Mapping[str, int],
    arrows: Sequence[tuple[str, str]],
    service: Sequence[Box],
    shared: Sequence[Box],
    meeting: str,
) -> str:
    """Return an SVG: the channels' packages in layers, the catalog service at their left, shared packages below.

    Args:
        boxes: child of the channels -> its box.
        levels: child -> its layer, 0 at the top.
        arrows: importer and imported.
        meeting: the child that calls the first box of ``service`` over HTTP.
    """
    layers = _layers(levels, arrows)
    centers = layers.centers()
    if centers[meeting] > sum(_RIGHT) / 2:  # The arrow to the catalog service must not cross the row.
        centers = {node: sum(_RIGHT) - center for node, center in centers.items()}
    y_of_meeting, y_of_shared = _row_y(levels[meeting]), _row_y(len(layers.rows))
    height = y_of_shared + _HEADING + _BOX_HEIGHT + 2 * _MARGIN
    middle = sum(_LEFT) / 2
    parts = [
        f'  <rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="14"/>',
        *_zone("Catalog service", _LEFT, _TOP, y_of_shared - _GAP),
        *_zone("Integrated channels", _RIGHT, _TOP, y_of_shared - _GAP),
        *_zone("Used by both programs", (_LEFT[0], _RIGHT[1]), y_of_shared, height - _MARGIN),
        *(_path(_points(path, centers, levels)) for path in layers.paths),
        _path([(middle, y_of_meeting + place * _ROW + end) for place, end in ((0, _BOX_HEIGHT), (1, 0))]),
        *_http(centers[meeting] - _BOX_WIDTH / 2, y_of_meeting + _BOX_HEIGHT / 2),
    ]
    for child, box in boxes.items():
        parts += _box(box, "channels", centers[child], _row_y(levels[child]))
    for place, box in enumerate(service):
        parts += _box(box, "service", middle, y_of_meeting + place * _ROW)
    for place, box in enumerate(shared, start=1):
        x = _LEFT[0] + (_RIGHT[1] - _LEFT[0]) * place / (len(shared) + 1)
        parts += _box(box, "shared", x, y_of_shared + _HEADING - _MARGIN / 2)
    return _HEAD.format(width=WIDTH, height=height) + "\n".join(parts) + "\n</svg>\n"


def _row_y(level: int) -> int:
    return _TOP + _HEADING + level * _ROW


def _points(
    path: Sequence[Node], centers: Mapping[Node, float], levels: Mapping[str, int]
) -> list[tuple[float, float]]:
    """Return the points of an arrow: it leaves a box at the bottom, passes rows vertically, and ends at a box's top."""
    points: list[tuple[float, float]] = []
    for place, node in enumerate(path):
        y = _row_y(levels[node] if isinstance(node, str) else node[2])
        if place > 0:
            points.append((centers[node], y))
        if place < len(path) - 1:
            points.append((centers[node], y + _BOX_HEIGHT))
    return points


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return a smooth arrow. Every second stretch is straight."""
    (x, y), *others = points
    drawn = [f"M{x:.0f} {y:.0f}"]
    for next_x, next_y in others:
        half = (next_y - y) / 2
        drawn.append(f"C{x:.0f} {y + half:.0f} {next_x:.0f} {next_y - half:.0f} {next_x:.0f} {next_y:.0f}")
        x, y = next_x, next_y
    return f'  <path class="arrow" d="{" ".join(drawn)}"/>'


def _http(x: float, y: float) -> Iterator[str]:
    end = sum(_LEFT) / 2 + _BOX_WIDTH / 2
    yield f'  <path class="arrow http" d="M{x:.0f} {y:.0f} H{end:.0f}"/>'
    yield f'  <text class="name" x="{(_RIGHT[0] + x) / 2:.0f}" y="{y - 8:.0f}" text-anchor="middle">HTTP</text>'


def _zone(title: str, columns: tuple[int, int], top: float, bottom: float) -> Iterator[str]:
    left, right = columns
    size = f'width="{right - left}" height="{bottom - top:.0f}"'
    yield f'  <rect class="zone" x="{left}" y="{top:.0f}" {size} rx="10"/>'
    yield f'  <text class="head" x="{left + 14}" y="{top + 26:.0f}">{title}</text>'


def _box(box: Box, kind: str, center: float, y: float) -> Iterator[str]:
    size = f'width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}"'
    yield f'  <rect class="{kind}" x="{center - _BOX_WIDTH / 2:.0f}" y="{y:.0f}" {size} rx="8"/>'
    yield f'  <text class="name mid" x="{center:.0f}" y="{y + 18:.0f}">{escape(box.name)}</text>'
    for place, line in enumerate(textwrap.wrap(box.text, _TEXT_COLUMNS)):
        yield f'  <text class="small mid" x="{center:.0f}" y="{y + 32 + 13 * place:.0f}">{escape(line)}</text>'
