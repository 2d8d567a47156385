"""Output of the results: tables for the terminal, and JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import orjson
from rich.table import Table

from tests.benchmarks.sheets import sheets

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from tests.benchmarks.results import Results

#: Text columns; all other columns hold numbers.
_TEXTS: Final = frozenset({"what", "how", "met"})


def print_report(results: Results, console: Console) -> None:
    """Print all tables."""
    for sheet in sheets(results):
        table = Table(title=sheet.title)
        for name in sheet.columns:
            table.add_column(name, justify="left" if name in _TEXTS else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def write_json(results: Results, path: Path) -> None:
    """Write all results as JSON, including each single run; times are in seconds."""
    timings = [asdict(each) | {"min": each.least, "median": each.median, "max": each.most} for each in results.timings]
    verdicts = [asdict(each) | {"is_met": each.is_met} for each in results.verdicts]
    whole = asdict(results) | {"timings": timings, "verdicts": verdicts}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
