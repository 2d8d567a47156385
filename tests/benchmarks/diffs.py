"""The diff at each size: raw floor, in process and over HTTP, alternating in one loop; and under load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from tests.benchmarks.cases import CASES, EMPTY, MOSTLY_KNOWN, Case, check_diff
from tests.benchmarks.load import under_load
from tests.benchmarks.over_http import SocketCaller, request_for_diff, warm_up
from tests.benchmarks.results import Figure
from tests.benchmarks.sampling import Group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.floor import Floor
    from tests.benchmarks.in_process import Answer, Caller
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog


@dataclass(frozen=True, slots=True)
class Stacks:
    """The ways to compute a diff."""

    floor: Floor
    caller: Caller
    ports: Mapping[str, int]  #: ``cold``: servers without snapshots; ``warm``: servers with snapshots.

    def cold_diff(self, catalog: SeededCatalog, case: Case) -> Answer:
        """Request a diff in process, without a snapshot."""
        SNAPSHOTS.clear()
        return self.caller.diff(catalog, case)


def measure_diffs(catalogs: Sequence[SeededCatalog], stacks: Stacks, sampling: Sampling, results: Results) -> None:
    """Check that all ways give the same diff, then add the timings of every case, way and size."""
    for name in CASES:
        # An empty catalog has no keys to send: only the empty case applies.
        chosen = [catalog for catalog in catalogs if catalog.items or name == EMPTY]
        groups = [_ways(catalog, Case.make(name, catalog.keys), stacks) for catalog in chosen]
        for catalog, samples in zip(chosen, sampling.by_turns(groups), strict=True):
            results.add_timings(samples, what="diff", case=name, items=catalog.items)


def _ways(catalog: SeededCatalog, case: Case, stacks: Stacks) -> Group:
    request = request_for_diff(catalog, case, token=stacks.caller.token)
    cold, warm = SocketCaller(stacks.ports["cold"]), SocketCaller(stacks.ports["warm"])
    expected = stacks.floor.diff(catalog.query_id, case.fresh_keys())
    check_diff(stacks.cold_diff(catalog, case).body, expected)
    check_diff(stacks.caller.diff(catalog, case).body, expected)
    check_diff(bytes(cold.exchange(request)), expected)
    warm_up(warm.port, request)
    check_diff(bytes(warm.exchange(request)), expected)
    return Group(
        {
            "floor": lambda: stacks.floor.timed_diff(catalog.query_id, case),
            "cold": lambda: stacks.cold_diff(catalog, case).seconds,
            "warm": lambda: stacks.caller.diff(catalog, case).seconds,
            "cold, HTTP": lambda: cold.timed(request),
            "warm, HTTP": lambda: warm.timed(request),
        },
        # The cold request for another catalog has cleared all snapshots.
        prepare=lambda: stacks.caller.diff(catalog, case),
    )


def measure_load(catalog: SeededCatalog, stacks: Stacks, *, seconds: float, results: Results) -> None:
    """Add throughput and errors with many concurrent callers, for servers with and without snapshots."""
    case = Case.make(MOSTLY_KNOWN, catalog.keys)
    request = request_for_diff(catalog, case, token=stacks.caller.token)
    for how, port in stacks.ports.items():
        expected = bytes(SocketCaller(port).exchange(request))
        check_diff(expected, stacks.floor.diff(catalog.query_id, case.fresh_keys()))
        report = under_load(port, request, expected=expected, seconds=seconds)
        results.faults += report.errors
        results.figures += [
            Figure("load", f"{how}, answers", catalog.items, report.answers, ""),
            Figure("load", f"{how}, errors", catalog.items, len(report.errors), ""),
            Figure("load", f"{how}, answers per second", catalog.items, report.answers_per_second, "/s"),
        ]
