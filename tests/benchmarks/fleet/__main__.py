"""``python -m tests.benchmarks.fleet``: measure, print and save. ``make benchmark-fleet`` runs the full form.

Exit codes: 0 every LMS was right at the end, whether or not the targets are met; 1 an LMS was wrong, or the benchmark
failed; 2 usage error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.benchmarks.fleet.deployment import prepared
from tests.benchmarks.options import positive, sizes
from tests.benchmarks.results import WrongAnswerError
from tests.processes import PROJECT
from tests.services import UnavailableError

_DOCS: Final = PROJECT / "docs" / "reference"
_OUTPUT: Final = PROJECT / "var" / "fleet.json"


def main() -> int:
    """Run the benchmark that the arguments describe and return the exit code."""
    options = _parser().parse_args()
    console = Console()
    try:
        with prepared(
            database_url=options.database_url, redis_url=options.redis_url, buffer_pool=options.buffer_pool
        ) as deployment:
            from tests.benchmarks.fleet.documentation import sheets, write_docs, write_results
            from tests.benchmarks.fleet.whole_run import Plan, measure
            from tests.benchmarks.report import print_sheets

            names = Plan.__dataclass_fields__
            plan = Plan(**{name: value for name, value in vars(options).items() if name in names})
            results = measure(plan, deployment, say=lambda text: console.print(f"{text} …"))
            print_sheets(sheets(results), console)
            for note in results.notes:
                console.print(note, style="yellow", markup=False)
            write_results(results, options.output)
            if options.docs:
                write_docs(results, options.docs)
            return 0
    except (UnavailableError, WrongAnswerError) as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fleet", description=__doc__)
    add = parser.add_argument
    add("--configurations", type=positive, default=10_000, help="how many are seeded, each of a customer of its own")
    add("--few", type=positive, default=100, help="with how many of them the idle fleet is measured first")
    add("--items", type=positive, default=50, help="items of each catalog")
    add("--lms-hosts", type=positive, default=64, help="hosts that the LMSs are spread over")
    add("--lms-seconds", type=float, default=0.1, help="time that each call to an LMS takes longer than the sandbox")
    add("--idle-seconds", type=float, default=120, help="how long an idle fleet is watched, twice")
    add("--ticks", type=positive, default=9, help="how often each kind of tick is measured")
    add("--workers", type=sizes, default=[1, 2, 4], help="worker processes for changes, separated by commas")
    add("--first-sync-items", type=positive, default=200_000, help="items of the first sync next to other changes")
    add("--others", type=positive, default=500, help="changes of others next to the first sync, and without it")
    add("--others-per-second", type=float, default=4, help="changes of others per second")
    add("--night-customers", type=positive, default=50, help="customers whose changes of a night are measured")
    add("--night-items", type=positive, default=5_000, help="items of each of their catalogs")
    add("--output", type=Path, default=_OUTPUT, help="where the JSON goes")
    add("--docs", type=Path, nargs="?", const=_DOCS, help="write JSON and tables into the docs, or into this folder")
    add("--database-url", help="an empty MariaDB database without passwords; without it a private server is started")
    add("--redis-url", help="a Redis whose databases 5 and 6 are used; without it a private server is started")
    add("--buffer-pool", default="2G", help="the private server's innodb_buffer_pool_size")
    return parser


if __name__ == "__main__":
    sys.exit(main())
