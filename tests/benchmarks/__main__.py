"""``python -m tests.benchmarks``: measure, print and save. ``make benchmark`` runs the full form.

Exit codes: 0 all responses were correct, whether or not the targets are met; 1 a response was wrong, or the benchmark
failed; 2 usage error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.benchmarks.environment import prepared
from tests.benchmarks.options import positive, sizes
from tests.benchmarks.results import WrongAnswerError
from tests.benchmarks.sampling import Sampling
from tests.processes import PROJECT
from tests.services import UnavailableError

_DOCS: Final = PROJECT / "docs"
_OUTPUT: Final = PROJECT / "var" / "benchmark.json"


def main() -> int:
    """Run the benchmark that the arguments describe and return the exit code."""
    options = _parser().parse_args()
    console = Console()
    try:
        with prepared(database_url=options.database_url, buffer_pool=options.buffer_pool):
            return _measure(options, console)
    except (UnavailableError, WrongAnswerError) as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        return 1


def _measure(options: argparse.Namespace, console: Console) -> int:
    from tests.benchmarks.documentation import write_figures
    from tests.benchmarks.report import print_sheets, write_json
    from tests.benchmarks.sheets import sheets
    from tests.benchmarks.whole_run import Plan, measure

    plan = Plan(
        sizes=options.sizes,
        sampling=Sampling(options.runs, options.warm_ups),
        load_seconds=options.load_seconds,
        documents=options.documents,
        sharers=options.sharers,
        sync_sizes=options.sync_sizes,
        change_sizes=options.change_sizes,
        slow_lms_items=options.slow_lms_items,
        with_open_edx=options.open_edx,
    )
    results = measure(plan, say=lambda text: console.print(f"{text} …"))
    print_sheets(sheets(results), console)
    write_json(results, options.output)
    if options.docs:
        write_figures(results, options.docs)
    for fault in results.faults:
        console.print(fault, style="red", markup=False)
    return 1 if results.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--sizes", type=sizes, default=[1_000, 10_000], help="items of the catalogs, separated by commas")
    add("--runs", type=positive, default=9, help="how often each thing is measured")
    add("--warm-ups", type=int, default=2, help="runs before that do not count")
    add("--load-seconds", type=float, default=5, help="how long many callers ask at once, twice")
    add("--documents", type=positive, default=1_000, help="how many are imported")
    add("--sharers", type=positive, default=200, help="how many catalogs hold the one item that changes")
    add(
        "--sync-sizes",
        type=sizes,
        default=[1_000],
        help="items of the catalogs that are synced; the first in more ways",
    )
    add("--change-sizes", type=sizes, default=[5_000, 50_000], help="items of the catalogs in which few items change")
    add("--slow-lms-items", type=positive, default=500, help="items of a first sync to an LMS of 20 ms per item")
    add("--open-edx", action="store_true", help="also run Open edX's channels; installs them below var/ the first time")
    add("--output", type=Path, default=_OUTPUT, help="where the JSON goes")
    add("--docs", type=Path, nargs="?", const=_DOCS, help="write tables and picture into the docs, or into this folder")
    add("--database-url", help="an empty MariaDB database; without it a private server is started")
    add("--buffer-pool", default="2G", help="the private server's innodb_buffer_pool_size")
    return parser


if __name__ == "__main__":
    sys.exit(main())
