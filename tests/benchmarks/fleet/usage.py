"""Requests, statements and CPU time of each kind of process, as counted by the web service, MariaDB and the kernel."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from django.db import connection

from tests.benchmarks.fleet.deployment import ACCOUNTS

if TYPE_CHECKING:
    from tests.benchmarks.fleet.deployment import Deployment

#: The kind of process of the database's own CPU time.
DATABASE: Final = "MariaDB"
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_STATEMENTS: Final = """
    SELECT user, SUM(select_commands + update_commands + other_commands)
    FROM information_schema.user_statistics GROUP BY user
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of all processes so far, or between two readings."""

    seconds: float
    requests: Counter[str]  #: Method and last part of the path -> requests to the web service.
    statements: Counter[str]  #: Account -> statements.
    cpu_seconds: dict[str, float]  #: Kind of process -> CPU time of all its processes, and of the database.

    @classmethod
    def read(cls, deployment: Deployment) -> Self:
        """Return the use so far."""
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENTS)
            statements = Counter({account: int(number) for account, number in cursor.fetchall()})
            cursor.execute("SELECT @@pid_file")
            [pid_file] = cursor.fetchone()
        cpu = {
            kind: _cpu_of_group(program.process.pid) for kind, program in deployment.programs.items() if program.process
        }
        cpu[DATABASE] = _cpu_of(int(Path(pid_file).read_text(encoding="ascii")))
        return cls(time.monotonic(), deployment.requests(), statements, cpu)

    def since(self, earlier: Self) -> Usage:
        """Return the use since an earlier reading of the same processes."""
        return Usage(
            self.seconds - earlier.seconds,
            self.requests - earlier.requests,
            self.statements - earlier.statements,
            {kind: seconds - earlier.cpu_seconds.get(kind, 0) for kind, seconds in self.cpu_seconds.items()},
        )

    def plus(self, other: Self) -> Usage:
        """Return the use of two periods together, of the same kinds of processes."""
        return Usage(
            self.seconds + other.seconds,
            self.requests + other.requests,
            self.statements + other.statements,
            {kind: seconds + other.cpu_seconds[kind] for kind, seconds in self.cpu_seconds.items()},
        )

    def statements_of(self, kind: str) -> int:
        """Return the number of statements of one kind of process."""
        return self.statements[ACCOUNTS[kind]]


def _cpu_of_group(leader: int) -> float:
    """Return the CPU seconds of all processes of a group, with those that have ended."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # The process has ended in the meantime.
            if os.getpgid(int(folder.name)) == leader:
                total += _cpu_of(int(folder.name))
    return total


def _cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, and of its children that have ended."""
    # proc(5): fields 14 to 17, counted after the name in parentheses, which may contain spaces.
    fields = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_SECOND
