"""All measurements of the benchmark, in order."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from enterprise_catalog.wsgi import application
from tests.benchmarks.cases import MOSTLY_KNOWN, Case
from tests.benchmarks.changes import measure_changes
from tests.benchmarks.conditional import measure_not_modified
from tests.benchmarks.diffs import Stacks, measure_diffs, measure_load
from tests.benchmarks.environment import describe_machine
from tests.benchmarks.floor import Floor
from tests.benchmarks.growth import growth_of_diffs
from tests.benchmarks.imports import measure_imports, measure_shared_change
from tests.benchmarks.in_process import Caller
from tests.benchmarks.increments import measure_increments
from tests.benchmarks.lookups import measure_lookups
from tests.benchmarks.memory import peak_of_one_diff
from tests.benchmarks.over_http import served
from tests.benchmarks.pages import measure_pages
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.seeding import seed, seed_empty
from tests.benchmarks.slow_lms import measure_slow_lms
from tests.benchmarks.syncs import measure_syncs
from tests.benchmarks.targets import (
    large_size,
    typical_size,
    verdicts,
    verdicts_of_increments,
    verdicts_of_slow_lms,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

#: A snapshot cache of 0 MB holds no snapshot.
_WITHOUT_SNAPSHOTS: Final = {"SNAPSHOT_CACHE_MB": "0"}
#: A run of the imports takes many seconds, and its rows stay in the database.
_MOST_IMPORTS: Final = 9


@dataclass(frozen=True, slots=True)
class Plan:
    """The amount of work."""

    sizes: Sequence[int]  #: Of the catalogs, in items.
    sampling: Sampling
    load_seconds: float
    documents: int  #: Documents in each import.
    sharers: int  #: Catalogs that share the item that changes.
    sync_sizes: Sequence[int]  #: Of the synced catalogs, in items.
    change_sizes: Sequence[int]  #: Of the catalogs in which few items change, in items.
    slow_lms_items: int  #: Items of a first sync to a slow LMS.
    with_open_edx: bool  #: Also run Open edX's channels.


def measure(plan: Plan, *, say: Callable[[str], None]) -> Results:
    """Run all measurements and return the results.

    Args:
        say: called with the name of each step before it starts.

    Raises:
        WrongAnswerError: a response was wrong.
    """
    results = Results(describe_machine() | {"runs": plan.sampling.runs, "warm_ups": plan.sampling.warm_ups})
    catalogs = _seeded(plan, results, say)
    floor, caller = Floor.connect(os.environ["DATABASE_URL"]), Caller(application)
    with ExitStack() as servers:
        ports = {
            "cold": servers.enter_context(served(**_WITHOUT_SNAPSHOTS)),
            "warm": servers.enter_context(served()),
        }
        stacks = Stacks(floor, caller, ports)
        say("Diffs")
        measure_diffs([seed_empty(), *catalogs.values()], stacks, plan.sampling, results)
        say("Many callers at once")
        measure_load(catalogs[typical_size(plan.sizes)], stacks, seconds=plan.load_seconds, results=results)
    say("What has not changed, lookups, changes, pages, memory")
    smallest, largest = catalogs[min(catalogs)], catalogs[max(catalogs)]
    extremes = [smallest, largest] if largest is not smallest else [largest]
    measure_not_modified(extremes, caller, plan.sampling, results)
    measure_lookups(extremes, floor, caller, plan.sampling, results)
    compared = [catalogs[items] for items in sorted({typical_size(plan.sizes), max(catalogs)})]
    measure_changes(compared, floor, caller, plan.sampling, results)
    measure_pages(catalogs[large_size(plan.sizes)], floor, caller, plan.sampling, results)
    peak = peak_of_one_diff(largest, Case.make(MOSTLY_KNOWN, largest.keys), loaded_by=smallest)
    results.figures.append(Figure("memory of one diff", "peak over idle", largest.items, peak / 1e6, "MB"))
    say(f"Imports of {plan.documents:,} documents")
    few = replace(plan.sampling, runs=min(plan.sampling.runs, _MOST_IMPORTS))
    measure_imports(plan.documents, floor, few, results)
    measure_shared_change(plan.sharers, floor, few, results)
    say(f"Syncs of {_listed(plan.sync_sizes)} items")
    with served(**_WITHOUT_SNAPSHOTS) as port:
        measure_syncs(
            plan.sync_sizes,
            port,
            token=caller.token,
            sampling=plan.sampling,
            with_open_edx=plan.with_open_edx,
            results=results,
        )
    say(f"Syncs of few changes in {_listed(plan.change_sizes)} items")
    with served() as port:
        measure_increments(plan.change_sizes, port, sampling=plan.sampling, results=results)
    say(f"First syncs of {plan.slow_lms_items:,} items to slow LMSs")
    with served(**_WITHOUT_SNAPSHOTS) as port:
        measure_slow_lms(plan.slow_lms_items, port, results)
    results.growth += growth_of_diffs(results, plan.sizes, typical=typical_size(plan.sizes))
    results.verdicts += verdicts(results, sizes=plan.sizes, documents=plan.documents, sync_sizes=plan.sync_sizes)
    results.verdicts += verdicts_of_increments(results, plan.change_sizes)
    results.verdicts += verdicts_of_slow_lms(results, plan.slow_lms_items)
    return results


def _seeded(plan: Plan, results: Results, say: Callable[[str], None]) -> dict[int, SeededCatalog]:
    catalogs: dict[int, SeededCatalog] = {}
    say(f"Seeding catalogs of {_listed(plan.sizes)} items")
    for catalog, seconds in seed(plan.sizes):
        results.figures.append(Figure("seeding", "documents per second", catalog.items, catalog.items / seconds, "/s"))
        catalogs[catalog.items] = catalog
    return catalogs


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes)
