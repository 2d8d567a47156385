"""The removal of old attempts in a process of its own, next to real runs whose statements are timed."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from enterprise_catalog.db.batched_deletes import BatchedDeletes
from enterprise_catalog.integrated_channels.audit import runs
from enterprise_catalog.integrated_channels.models import Comparison
from tests.benchmarks.growing_data.run_statements import synced_configuration
from tests.processes import Dialogue, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models import QuerySet

    from tests.benchmarks.growing_data.run_statements import Synced

#: The longest transaction of a removal. A run may wait for its locks.
MAX_TRANSACTION_SECONDS: Final = 5.0


@dataclass
class _TimedDeletes(BatchedDeletes):
    """Deletes that measure each transaction."""

    transactions: list[float] = field(default_factory=list)  #: Seconds of each.

    def delete_batch(self, rows: QuerySet[Any]) -> bool:
        began = time.monotonic()
        if not super().delete_batch(rows):
            return False
        self.transactions.append((time.monotonic() - began) / 2)  # It has paused as long as the transaction took.
        return True


def serve() -> None:
    """Remove old rows for as many seconds as each line of standard input names; print the results as JSON."""
    for line in sys.stdin:
        deletes = _TimedDeletes(seconds=json.loads(line)["seconds"])
        began = time.monotonic()
        runs.remove_old(deletes, before=timezone.now() - timedelta(days=settings.ATTEMPT_RETENTION_DAYS))
        seconds = time.monotonic() - began
        result = {"rows": deletes.removed, "seconds": seconds, "transactions": deletes.transactions}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


@dataclass(slots=True)
class Removal:
    """Figures of a removal, and of runs without and with it."""

    rows: int = 0
    seconds: float = 0  #: With the pauses between transactions.
    transactions: list[float] = field(default_factory=list)  #: Seconds of each.
    alone: list[float] = field(default_factory=list)  #: Seconds of each statement of the runs.
    during: list[float] = field(default_factory=list)  #: The same, next to the removal.
    runs_alone: list[float] = field(default_factory=list)  #: Seconds of each run.
    runs_during: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return name -> value; times in milliseconds."""
        return {
            "rows removed": self.rows,
            "rows removed per second": self.rows / self.seconds,
            "transactions": len(self.transactions),
            "transaction, p50": 1e3 * quantile(self.transactions, 0.5),
            "transaction, p95": 1e3 * quantile(self.transactions, 0.95),
            "transaction, longest": 1e3 * max(self.transactions),
            "statement of a run, p50, alone": 1e3 * quantile(self.alone, 0.5),
            "statement of a run, p50, next to the removal": 1e3 * quantile(self.during, 0.5),
            "statement of a run, p95, alone": 1e3 * quantile(self.alone, 0.95),
            "statement of a run, p95, next to the removal": 1e3 * quantile(self.during, 0.95),
            "statement of a run, longest, alone": 1e3 * max(self.alone),
            "statement of a run, longest, next to the removal": 1e3 * max(self.during),
            "run, p50, alone": 1e3 * quantile(self.runs_alone, 0.5),
            "run, p50, next to the removal": 1e3 * quantile(self.runs_during, 0.5),
        }


def removal_problems(removal: Removal) -> Iterator[str]:
    """Yield a sentence for each limit that the removal exceeds."""
    if removal.transactions and max(removal.transactions) > MAX_TRANSACTION_SECONDS:
        yield f"A transaction of the removal took {max(removal.transactions):.1f} s."
    if not removal.rows:
        yield "The removal removed nothing."


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the values are."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure_removal(*, items: int, phases: int, seconds: float) -> Removal:
    """Sync ten changes again and again, alternately without and with a removal, and return the figures.

    Args:
        items: number of items of the configuration.
        phases: number of turns.
        seconds: duration of a phase.
    """
    removal = Removal()
    with synced_configuration(items) as (synced, _), _remover() as remover:
        synced.run(expected=Comparison.FIRST)
        for _ in range(phases):
            _sync_for(seconds, synced, removal.alone, removal.runs_alone)
            remover.say(seconds=seconds)
            _sync_for(seconds, synced, removal.during, removal.runs_during)
            result = remover.hear()
            removal.rows += result["rows"]
            removal.seconds += result["seconds"]
            removal.transactions += result["transactions"]
    return removal


def _sync_for(seconds: float, synced: Synced, statements: list[float], whole: list[float]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        synced.change()
        began = time.perf_counter()
        with connection.execute_wrapper(_timer(statements)):
            synced.run(expected=Comparison.CHANGES)
        whole.append(time.perf_counter() - began)


def _timer(seconds: list[float]) -> Callable[..., Any]:
    def execute(run: Callable[..., Any], *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return run(*args)
        finally:
            seconds.append(time.perf_counter() - began)

    return execute


@contextmanager
def _remover() -> Iterator[Dialogue]:
    site = Site.make(
        Path(os.environ["LOCAL_STATE_DIR"]),
        DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"],
        DATABASE_URL=_database_url(),
    )
    with replace(site, cold=True).dialogue("from tests.benchmarks.growing_data.removing import serve; serve()") as it:
        yield it


def _database_url() -> str:
    database = connection.settings_dict
    return f"mysql://root@127.0.0.1:{database['PORT']}/{database['NAME']}"
