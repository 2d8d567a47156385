"""``python -m tests.benchmarks.audit_view``: seed a private MariaDB, open each page of the admin, report the limits.

The benchmark first measures the pages with 10,000 transmissions, and then with the given number. It needs about 1 GB of
disk per million transmissions. Exit codes: 0 all pages keep the limits; 1 a page does not; 2 usage error.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.environment import prepared
from tests.processes import PROJECT
from tests.services import UnavailableError, create_database, start_mariadb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.audit_view.measuring import Page

_OUTPUT: Final = PROJECT / "var" / "audit_view.json"
_SHOWN_PAGES: Final = 15


def main() -> int:
    """Run the benchmark that the arguments describe and return the exit code."""
    options = _parser().parse_args()
    console = Console()
    # The redo log holds a statement's half a million rows. Seeded rows need not survive a power failure.
    speed = ("--innodb-log-file-size=2G", "--innodb-flush-log-at-trx-commit=0")
    try:
        server = start_mariadb(f"--innodb-buffer-pool-size={options.buffer_pool}", *speed)
        with prepared(database_url=server, buffer_pool=options.buffer_pool):
            return _measure(options, server, console)
    except UnavailableError as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _measure(options: argparse.Namespace, server: str, console: Console) -> int:
    from django.core.management import call_command

    from tests.benchmarks.audit_view.measuring import SMALL, growth_problems, measure
    from tests.benchmarks.audit_view.seeding import Size, use_database

    def say(text: str) -> None:
        console.print(f"{text} …")

    small = {page.address: page.seconds for page in measure(Size(50, SMALL), repeats=options.repeats, say=say)}
    use_database(create_database(server, "large"))
    call_command("migrate", verbosity=0)
    size = Size(options.configurations, options.transmissions)
    pages = list(measure(size, repeats=options.repeats, say=say))
    problems = [*(problem for page in pages for problem in page.problems()), *growth_problems(pages, small)]
    console.print(_table(pages, small))
    for problem in problems:
        console.print(problem, style="red", markup=False)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(
        json.dumps([asdict(page) | {"small": small.get(page.address)} for page in pages], indent=1)
    )
    return 1 if problems else 0


def _table(pages: Sequence[Page], small: dict[str, float]) -> Table:
    """Return the pages that take the longest."""
    table = Table("page", "statements", "most rows read", "ms", "ms at 10,000", title=f"{len(pages)} pages")
    for page in sorted(pages, key=lambda page: page.seconds, reverse=True)[:_SHOWN_PAGES]:
        before = small.get(page.address)
        numbers = (f"{len(page.statements)}", f"{page.rows_read:,}", f"{page.seconds * 1_000:.0f}")
        table.add_row(page.address, *numbers, f"{before * 1_000:.0f}" if before else "")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.audit_view", description=__doc__)
    add = parser.add_argument
    add("--configurations", type=int, default=5_000, help="how many are seeded")
    add("--transmissions", type=int, default=10_000_000, help="how many are seeded")
    add("--repeats", type=int, default=5, help="how often each page is opened to measure its time")
    add("--buffer-pool", default="4G", help="the private server's innodb_buffer_pool_size")
    add("--output", type=Path, default=_OUTPUT, help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
