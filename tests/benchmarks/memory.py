"""The memory of one diff: a process that serves exactly one diff, after a small diff that loads all code.

It runs as a program (``python -m tests.benchmarks.memory``), because an older process holds free memory that the next
request can reuse. Linux only: reads and resets the peak in ``/proc``.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import django

from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.cases import Case
    from tests.benchmarks.seeding import SeededCatalog

_STATUS: Final = Path("/proc/self/status")
_SMALL_BODY: Final = b'{"content_keys":[]}'
_FORGET_PEAK: Final = "5"  # proc(5): "reset the peak resident set size"


def peak_of_one_diff(catalog: SeededCatalog, case: Case, *, loaded_by: SeededCatalog) -> int:
    """Return the bytes by which a diff raises the peak memory of a new process above its memory when idle.

    Args:
        loaded_by: a small catalog; its diff is served first.
    """
    with tempfile.NamedTemporaryFile() as body:
        body.write(case.body)
        body.flush()
        command = [sys.executable, "-m", __name__, str(loaded_by.uuid), str(catalog.uuid), body.name]
        done = subprocess.run(command, cwd=PROJECT, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def main() -> None:
    """Serve the two diffs, the second with the body from the file; print the bytes."""
    parser = argparse.ArgumentParser(description="measures the memory of one diff")
    parser.add_argument("loaded_by", help="UUID of a small catalog")
    parser.add_argument("catalog", help="UUID of the catalog")
    parser.add_argument("body", type=Path, help="file that holds the request's body")
    arguments = parser.parse_args()
    django.setup()
    from enterprise_catalog.wsgi import application
    from tests.api.endpoints import address
    from tests.benchmarks.in_process import Caller

    caller = Caller(application)
    caller.call(
        "POST", address(arguments.loaded_by, "content-diff/"), stream=io.BytesIO(_SMALL_BODY), length=len(_SMALL_BODY)
    )

    def ask() -> None:
        with arguments.body.open("rb") as stream:
            length = arguments.body.stat().st_size
            caller.call("POST", address(arguments.catalog, "content-diff/"), stream=stream, length=length)

    print(peak_over_idle(ask))


def peak_over_idle(work: Callable[[], object]) -> int:
    """Return the bytes by which ``work`` raises the peak memory of this process above its current memory."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
    idle = _kilobytes("VmRSS")
    work()
    return (_kilobytes("VmHWM") - idle) * 1024


def _kilobytes(name: str) -> int:
    [value] = (
        line.split()[1] for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{name}:")
    )
    return int(value)


if __name__ == "__main__":
    main()
