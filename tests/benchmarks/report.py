"""Output of the results: tables for the terminal and the docs, and JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import orjson
from rich.table import Table

from tests.docs.list_tables import list_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rich.console import Console

    from tests.benchmarks.results import Results, Verdict
    from tests.benchmarks.sheets import Sheet

#: Text columns; all other columns hold numbers.
_TEXTS: Final = frozenset({"what", "how", "met"})


def print_sheets(tables: Iterable[Sheet], console: Console) -> None:
    """Print tables."""
    for sheet in tables:
        table = Table(title=sheet.title)
        for name in sheet.columns:
            table.add_column(name, justify="left" if name in _TEXTS else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def write_tables(tables: Iterable[Sheet], folder: Path) -> None:
    """Write tables into files that the docs include. Overwrites the files of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in tables:
        table = "\n".join(list_table((sheet.columns, *sheet.rows)))
        (folder / f"{sheet.name}.inc").write_text(f"{table}\n", encoding="utf-8")


def write_json(results: Results, path: Path) -> None:
    """Write all results as JSON, including each single run; times are in seconds."""
    timings = [asdict(each) | {"min": each.least, "median": each.median, "max": each.most} for each in results.timings]
    write_values(asdict(results) | {"timings": timings, "verdicts": verdict_values(results.verdicts)}, path)


def verdict_values(verdicts: Iterable[Verdict]) -> list[dict[str, object]]:
    """Return the targets as values for JSON."""
    return [asdict(each) | {"is_met": each.is_met} for each in verdicts]


def write_values(values: Mapping[str, object], path: Path) -> None:
    """Write a JSON object. Its values may be dataclasses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
