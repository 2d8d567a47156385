"""``python -m tests.benchmarks.growing_data``: seed a private MariaDB, explain the statements of runs, remove old rows.

With the default numbers it needs 40 GB of disk and an hour. Exit codes: 0 all limits are kept; 1 one is exceeded; 2
usage error.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from tests.benchmarks.environment import prepared
from tests.processes import PROJECT
from tests.services import UnavailableError, start_mariadb

if TYPE_CHECKING:
    from collections.abc import Callable

_OUTPUT: Final = PROJECT / "var" / "growing_data.json"
#: Average number of items of a seeded configuration.
_ITEMS_PER_CONFIGURATION: Final = 2_000


def main() -> int:
    """Run the benchmark that the arguments describe and return the exit code."""
    options = _parser().parse_args()
    console = Console()
    # Seeded rows need not survive a power failure. Commits are flushed from the first measurement on.
    seeding = ("--innodb-log-file-size=2G", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0")
    try:
        url = options.database_url or start_mariadb(f"--innodb-buffer-pool-size={options.buffer_pool}", *seeding)
        with prepared(database_url=url, buffer_pool=options.buffer_pool):
            return _measure(options, console)
    except UnavailableError as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _measure(options: argparse.Namespace, console: Console) -> int:
    def say(text: str) -> None:
        console.print(f"{text} …")

    _seed(options, say)
    from tests.benchmarks.growing_data.partitions import measure_layouts
    from tests.benchmarks.growing_data.removing import measure_removal, removal_problems
    from tests.benchmarks.growing_data.run_statements import measure_work

    say("Explaining the statements of runs")
    works = list(measure_work(options.items))
    say("Removing old attempts next to runs")
    removal = measure_removal(items=options.items, phases=options.phases, seconds=options.seconds)
    say("Comparing with partitions")
    layouts = measure_layouts(options.partitioned)
    results: dict[str, Any] = {
        "statements": [
            {"work": work.name, "statements": len(work.statements), "needed": work.needed, "rows read": work.rows_read}
            for work in works
        ],
        "removal": removal.figures(),
        "layouts": [asdict(layout) for layout in layouts],
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1))
    console.print_json(data=results)
    problems = [*(problem for work in works for problem in work.problems()), *removal_problems(removal)]
    for problem in problems:
        console.print(problem, style="red", markup=False)
    return 1 if problems else 0


def _seed(options: argparse.Namespace, say: Callable[[str], object]) -> None:
    from django.db import connection

    from tests.benchmarks.audit_view.seeding import Size, seed, update_statistics
    from tests.benchmarks.growing_data.seeding import History, seed_history

    configurations = max(options.transmissions // _ITEMS_PER_CONFIGURATION, 50)
    seed(Size(configurations, options.transmissions, runs_each=1), say=say)
    seed_history(History(options.attempts), say=say)
    update_statistics()
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growing_data", description=__doc__)
    add = parser.add_argument
    add("--transmissions", type=int, default=10_000_000, help="how many are seeded")
    add("--attempts", type=int, default=100_000_000, help="how many are seeded; a run has twenty")
    add("--items", type=int, default=2_000, help="items of the configuration that is synced")
    add("--phases", type=int, default=4, help="how often runs are timed without and with the removal")
    add("--seconds", type=float, default=60, help="duration of each of them")
    add("--partitioned", type=int, default=12_000_000, help="attempts in the tables that compare partitions")
    add("--buffer-pool", default="4G", help="the private server's innodb_buffer_pool_size")
    add("--database-url", help="an empty MariaDB database; by default, a private server is started")
    add("--output", type=Path, default=_OUTPUT, help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
