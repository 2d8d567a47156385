"""Files that ``docs/reference/benchmarks.rst`` includes: tables, the machine, the JSON and the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.plot import draw
from tests.benchmarks.report import write_json, write_tables
from tests.benchmarks.sheets import sheets
from tests.docs.list_tables import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.benchmarks.open_edx import OpenEdXRuns
    from tests.benchmarks.results import Results


def write_figures(results: Results, docs: Path) -> None:
    """Write all files below ``docs``. Overwrites the files of an earlier run."""
    write_json(results, docs / "reference" / "benchmarks.json")
    included = docs / "reference" / "benchmarks"
    write_tables(sheets(results), included)
    (included / "machine.inc").write_text(_machine(results.machine), encoding="utf-8")
    (included / "open_edx_source.inc").write_text(describe_source(results.open_edx), encoding="utf-8")
    picture = docs / "images" / "benchmarks.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(draw(results), encoding="utf-8")


def _machine(machine: Mapping[str, str | int]) -> str:
    text = (
        f"Measured with {machine['runs']} runs of each, after {machine['warm_ups']} that do not count, on"
        f" {machine['cpus']} processors, with MariaDB {machine['mariadb']} and Python {machine['python']}. The load"
        f" average at the start, which tells whether others were at work, was {machine['load_average']}."
    )
    return "\n".join(wrapped(text)) + "\n"


def describe_source(open_edx: OpenEdXRuns) -> str:
    """Return where the times of Open edX's channels come from, in lines."""
    if open_edx.is_measured:
        text = "Their times in the table were measured in the same run as ours, one run of each kind."
    else:
        text = (
            "Their times in the table are fixed: they were measured on a similar machine, against an LMS that responds"
            " to each call in one millisecond. These ratios therefore depend on the machine. On the machine of their"
            " times, the raw floor of 10,000 items (``90/10``) was 14 ms."
        )
    return "\n".join(wrapped(text)) + "\n"
