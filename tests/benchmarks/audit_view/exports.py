"""Time and memory of an export of a million transmissions.

It runs as a program (``python -m tests.benchmarks.audit_view.exports ROWS``), because an older process holds free
memory that the export can reuse. Linux only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import django

from tests.benchmarks.memory import peak_over_idle
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

#: Number of rows that are exported, if there are as many.
ROWS: Final = 1_000_000
#: Maximum increase of the process's memory, in bytes.
MAX_BYTES: Final = 20_000_000
_LIST: Final = "/admin/integrated_channels/contentmetadataitemtransmission/"


@dataclass(frozen=True, slots=True)
class Export:
    """An export of transmissions."""

    rows: int
    seconds: float
    peak_bytes: int  #: Increase of a new process's peak memory.

    def __str__(self) -> str:
        return f"Exported {self.rows:,} rows in {self.seconds:.0f} s, with {self.peak_bytes / 1e6:.1f} MB of memory."


def measure_export(database_url: str) -> Export:
    """Export transmissions of the database in a new process."""
    command = [sys.executable, "-m", __name__, str(ROWS)]
    environment = os.environ | {"DATABASE_URL": database_url}
    done = subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Export(**json.loads(done.stdout))


def export_problems(export: Export) -> Iterator[str]:
    """Yield a sentence if the export takes too much memory."""
    if export.peak_bytes > MAX_BYTES:
        yield f"The export takes more than {MAX_BYTES / 1e6:.0f} MB of memory."


def main() -> None:
    """Export the rows and print the result as JSON."""
    django.setup()
    from django.contrib.auth import get_user_model

    from tests.benchmarks.audit_view.measuring import client_of

    user, _ = get_user_model().objects.get_or_create(username="admin", is_staff=True, is_superuser=True)
    client = client_of(user)
    _export(client, 1)  # Loads all code.
    wanted, exported = int(sys.argv[1]), 0
    start = time.perf_counter()

    def work() -> None:
        nonlocal exported
        exported = _export(client, wanted)

    peak = peak_over_idle(work)
    print(json.dumps(asdict(Export(exported, time.perf_counter() - start, peak))))


def _export(client: Client, rows: int) -> int:
    """Export at least this number of rows, if there are as many, and return their number."""
    response = client.get(f"{_LIST}export.csv", {"state__exact": "transmitted"})
    lines = (part.count(b"\n") for part in response)
    exported = 0
    for number in lines:
        exported += number
        if exported > rows:
            break
    response.close()
    return exported - 1  # Without the header.


if __name__ == "__main__":
    main()
