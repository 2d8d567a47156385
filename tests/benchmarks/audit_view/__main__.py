"""``python -m tests.benchmarks.audit_view``: seed a private MariaDB, open each page, report the limits.

The benchmark first measures the pages with 10,000 transmissions, and then with the given number, and exports a million
of them. It needs about 1.5 GB of disk per million transmissions. Exit codes: 0 all limits are kept; 1 one is exceeded;
2 usage error.
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
from tests.services import UNSYNCED, UnavailableError, create_database, start_mariadb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.audit_view.measuring import Page

_DOCS: Final = PROJECT / "docs" / "reference" / "benchmarks" / "audit_view.inc"
_OUTPUT: Final = PROJECT / "var" / "audit_view.json"
_SHOWN_PAGES: Final = 15


def main() -> int:
    """Run the benchmark that the arguments describe and return the exit code."""
    options = _parser().parse_args()
    console = Console()
    # Seeded rows need not survive a power failure.
    speed = (
        *("--innodb-log-file-size=2G", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"),
        *("--innodb-sort-buffer-size=64M", "--innodb-io-capacity=5000", *UNSYNCED),
    )
    try:
        server = start_mariadb(f"--innodb-buffer-pool-size={options.buffer_pool}", *speed)
        with prepared(database_url=server, buffer_pool=options.buffer_pool):
            return _measure(options, server, console)
    except UnavailableError as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _measure(options: argparse.Namespace, server: str, console: Console) -> int:
    from django.core.management import call_command

    from tests.benchmarks.audit_view.documentation import write_docs
    from tests.benchmarks.audit_view.exports import export_problems, measure_export
    from tests.benchmarks.audit_view.measuring import SMALL, growth_problems, measure
    from tests.benchmarks.audit_view.seeding import Size, use_database

    def say(text: str) -> None:
        console.print(f"{text} …")

    few = Size(options.configurations, SMALL)
    small = {page.address: page.seconds for page in measure(few, repeats=options.repeats, say=say)}
    large = create_database(server, "large")
    use_database(large)
    call_command("migrate", verbosity=0)
    size = Size(options.configurations, options.transmissions)
    pages = list(measure(size, repeats=options.repeats, say=say))
    export = measure_export(large)
    problems = [*(problem for page in pages for problem in page.problems()), *growth_problems(pages, small)]
    problems += export_problems(export)
    console.print(_table(pages, small))
    console.print(str(export))
    for problem in problems:
        console.print(problem, style="red", markup=False)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(
        json.dumps(
            {
                "pages": [asdict(page) | {"small": small.get(page.address)} for page in pages],
                "export": asdict(export),
            },
            indent=1,
        )
    )
    write_docs(pages, small, export, options.docs)
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
    add("--docs", type=Path, default=_DOCS, help="where the table for the documentation goes")
    add("--output", type=Path, default=_OUTPUT, help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
