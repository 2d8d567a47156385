"""The target values. A missed target is only reported: no test fails because a machine is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.fleet.results import Results

_REQUESTS_OF_A_TICK: Final = 1
_STATEMENTS_OF_A_TICK: Final = 5
_SECONDS_OF_A_TICK: Final = 2
_FRESHNESS_SECONDS: Final = 60
#: Worker processes with a target.
_WORKERS: Final = 2
_NEXT_TO_FIRST_SYNC: Final = 1.5


def verdicts(results: Results) -> Iterator[Verdict]:
    """Yield every target with its measured value."""
    for tick in results.ticks:
        if tick.due:
            what = f"tick, {tick.due:,} due configurations"
            yield Verdict(f"{what}: seconds", tick.median, "at most", _SECONDS_OF_A_TICK, "s")
            yield Verdict(f"{what}: messages of a second tick", tick.again, "at most", 0)
        else:
            what = f"tick, {tick.configurations:,} idle configurations"
            yield Verdict(f"{what}: requests", tick.requests, "at most", _REQUESTS_OF_A_TICK)
            yield Verdict(f"{what}: statements", tick.statements, "at most", _STATEMENTS_OF_A_TICK)
    for spread in results.changes:
        if spread.workers == _WORKERS:
            what = f"changes of {spread.customers:,} customers, {spread.workers} workers: freshness, p95"
            yield Verdict(what, spread.p95, "at most", _FRESHNESS_SECONDS, "s")
    alone, next_to = results.next_to
    what = "changes next to a first sync: freshness, p95, to that without it"
    yield Verdict(what, next_to.p95 / alone.p95, "at most", _NEXT_TO_FIRST_SYNC)
