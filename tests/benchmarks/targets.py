"""The target values. A missed target is only reported: no test fails because a machine is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks import changes, open_edx
from tests.benchmarks.cases import EMPTY, MOSTLY_KNOWN
from tests.benchmarks.increments import ALONE, ONE_CHANGE, OTHER_VERSION, STATEMENT_TIME, TEN_CHANGES
from tests.benchmarks.lookups import LOOKUP, LOOKUPS
from tests.benchmarks.results import Verdict
from tests.benchmarks.slow_lms import KINDS
from tests.benchmarks.synced import ALL_COMPARED, FIRST, SAME_ITEMS, UNCHANGED
from tests.benchmarks.syncs import KNOWN_DIFF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.results import Results, SyncTiming

#: Sizes with targets. A run without these sizes is judged by its smallest or largest size.
_TYPICAL: Final = 10_000
_LARGE: Final = 50_000

#: Workers of each gunicorn: its number of concurrent requests.
WORKERS: Final = 2

#: Case -> maximum time of a diff, relative to the floor.
_COLD: Final[Mapping[str, float]] = {MOSTLY_KNOWN: 1.6}
_WARM: Final[Mapping[str, float]] = {MOSTLY_KNOWN: 0.6, EMPTY: 0.7}
_PER_ITEM: Final = 1.5
_MEGABYTES_OF_A_DIFF: Final = 200
_STATEMENTS_OF_A_304: Final = 3
_LARGEST_304: Final = 1.2
_STATEMENTS_OF_A_LOOKUP: Final = 3
_LARGEST_LOOKUP: Final = 1.3
_LARGEST_CHANGES: Final = 1.3
_CHANGES_TO_FLOOR: Final = 3
_LAST_PAGE: Final = 1.3
_PAGE_TO_FLOOR: Final = 3
_UNCHANGED_IMPORT: Final = 0.35
_THROUGHPUT: Final = 0.8
_STATEMENTS_OF_A_CHUNK: Final = 8
#: Of a whole run without changes.
_STATEMENTS: Final[Mapping[str, int]] = {SAME_ITEMS: 20, ALL_COMPARED: 20, UNCHANGED: 8}  #: With BEGIN and COMMIT.
_COMPARED_TO_DIFF: Final = 3
_STATEMENTS_OF_FEW_CHANGES: Final = 12
#: Statements of the two transactions of a run with few changes.
_BEGIN_AND_COMMIT: Final = 4
_ONE_CHANGE: Final = 1.05
_LARGEST_FEW_CHANGES: Final = 1.5
_TO_SLOW_LMS: Final = 1.05
_OPEN_EDX_CREATES: Final = 20
_MEGABYTES_OF_A_SYNC: Final = 150


def typical_size(sizes: Sequence[int]) -> int:
    """Return the size that the other sizes are compared with."""
    return _TYPICAL if _TYPICAL in sizes else min(sizes)


def large_size(sizes: Sequence[int]) -> int:
    """Return the catalog size for the page measurements."""
    return _LARGE if _LARGE in sizes else max(sizes)


def verdicts(results: Results, *, sizes: Sequence[int], documents: int, sync_sizes: Sequence[int]) -> Iterator[Verdict]:
    """Yield every target with its measured value.

    Args:
        sizes: of the catalogs, in items.
        documents: number of imported documents.
        sync_sizes: of the synced catalogs, in items.
    """
    for items in sorted({typical_size(sizes), large_size(sizes)}):
        yield from _diff_to_floor(results, items)
    yield from _growth(results, sizes)
    yield from _not_modified(results, sizes)
    yield from _lookups(results, sizes)
    yield from _changes(results, sizes)
    yield from _pages(results, large_size(sizes))
    yield from _load(results, typical_size(sizes))
    yield from _imports(results, documents)
    yield from verdicts_of_syncs(results, sync_sizes)


def verdicts_of_increments(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    """Yield the targets of runs after few changes.

    Args:
        sizes: of the catalogs, in items.
    """
    smallest, largest = (results.sync(TEN_CHANGES, items=items) for items in (min(sizes), max(sizes)))
    what = f"sync, {TEN_CHANGES}, {largest.items:,} items"
    statements = largest.statements - _BEGIN_AND_COMMIT
    yield Verdict(f"{what}: statements without BEGIN and COMMIT", statements, "at most", _STATEMENTS_OF_FEW_CHANGES)
    ratio = largest.median / smallest.median
    yield Verdict(f"{what}: time to that at {smallest.items:,}", ratio, "at most", _LARGEST_FEW_CHANGES)
    for items in sizes:
        yield _one_change(results, items)


def _one_change(results: Results, items: int) -> Verdict:
    """Return the verdict on a run with one change: a run without changes, and the transmission of the item alone."""
    one, none = (results.sync(how, items=items).median for how in (ONE_CHANGE, OTHER_VERSION))
    in_database = (results.figure(STATEMENT_TIME, how, items=items) / 1e3 for how in (ONE_CHANGE, OTHER_VERSION))
    statements_of_one, statements_of_none = in_database
    alone = results.median("sync", ALONE, items=items) + statements_of_one - statements_of_none
    what = f"sync, {ONE_CHANGE}, {items:,} items: time to that of {OTHER_VERSION!r} and of its own transmission"
    return Verdict(what, one / (none + alone), "at most", _ONE_CHANGE)


def verdicts_of_slow_lms(results: Results, items: int) -> Iterator[Verdict]:
    """Yield the targets of first syncs to slow LMSs.

    Args:
        items: of the catalog.
    """
    for how in KINDS:
        sync = results.sync(how, items=items)
        what = f"sync, {how}, {items:,} items: time to that of the LMS"
        yield Verdict(what, sync.median / sync.lms_median, "at most", _TO_SLOW_LMS)


def _diff_to_floor(results: Results, items: int) -> Iterator[Verdict]:
    for how, limits in (("cold", _COLD), ("warm", _WARM)):
        for case, limit in limits.items():
            ratio = _diff(results, how, case, items) / _diff(results, "floor", case, items)
            yield Verdict(f"diff, {case}, {items:,} items: {how} to floor", ratio, "at most", limit)


def _growth(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    typical = typical_size(sizes)
    for each in results.growth:
        if each.how != "floor" and each.items != typical:
            what = f"diff, {each.case}, {each.how}: time per item at {each.items:,} to that at {typical:,}"
            yield Verdict(what, each.to_typical, "at most", _PER_ITEM)
    peak = results.figure("memory of one diff", "peak over idle", items=max(sizes))
    yield Verdict(f"diff, {max(sizes):,} items: peak of memory over idle", peak, "at most", _MEGABYTES_OF_A_DIFF, "MB")


def _not_modified(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    smallest, largest = min(sizes), max(sizes)
    for what in ("304 of the catalog", "304 of its content"):
        statements = results.figure(what, "statements", items=largest)
        yield Verdict(f"{what}, {largest:,} items: statements", statements, "at most", _STATEMENTS_OF_A_304)
        ratio = results.median(what, "304", items=largest) / results.median(what, "304", items=smallest)
        yield Verdict(f"{what}: time at {largest:,} to that at {smallest:,}", ratio, "at most", _LARGEST_304)


def _changes(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    typical, largest = typical_size(sizes), max(sizes)
    for how in (changes.REQUEST, changes.READ):
        what = f"{changes.CHANGES}, {how}"
        ratio = results.median(changes.CHANGES, how, items=largest) / results.median(
            changes.CHANGES, how, items=typical
        )
        yield Verdict(f"{what}: time at {largest:,} to that at {typical:,}", ratio, "at most", _LARGEST_CHANGES)
    ratio = results.median(changes.CHANGES, changes.READ, items=largest) / results.median(
        changes.CHANGES, changes.FLOOR, items=largest
    )
    what = f"{changes.CHANGES}, {changes.READ}"
    yield Verdict(f"{what}, {largest:,} items: to floor", ratio, "at most", _CHANGES_TO_FLOOR)


def _lookups(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    smallest, largest = min(sizes), max(sizes)
    for lookup in LOOKUPS:
        what = f"{LOOKUP}, {lookup}"
        statements = results.figure(LOOKUP, f"{lookup}, statements", items=largest)
        yield Verdict(f"{what}, {largest:,} items: statements", statements, "at most", _STATEMENTS_OF_A_LOOKUP)
        ratio = results.median(LOOKUP, lookup, items=largest) / results.median(LOOKUP, lookup, items=smallest)
        yield Verdict(f"{what}: time at {largest:,} to that at {smallest:,}", ratio, "at most", _LARGEST_LOOKUP)


def _pages(results: Results, items: int) -> Iterator[Verdict]:
    first, last, floor = (
        results.median("page of documents", how, items=items) for how in ("first", "last", "last, floor")
    )
    yield Verdict(f"page of documents, {items:,} items: last to first", last / first, "at most", _LAST_PAGE)
    yield Verdict(f"page of documents, {items:,} items: last to floor", last / floor, "at most", _PAGE_TO_FLOOR)


def _load(results: Results, items: int) -> Iterator[Verdict]:
    for how in ("cold", "warm"):
        errors = results.figure("load", f"{how}, errors", items=items)
        yield Verdict(f"load, {how}: errors", errors, "at most", 0)
        throughput = results.figure("load", f"{how}, answers per second", items=items)
        for way, name in ((how, "in process"), (f"{how}, HTTP", "over HTTP")):
            predicted = WORKERS / _diff(results, way, MOSTLY_KNOWN, items)
            what = f"load, {how}: throughput to what the median {name} predicts"
            yield Verdict(what, throughput / predicted, "at least", _THROUGHPUT)


def _imports(results: Results, documents: int) -> Iterator[Verdict]:
    rows = results.figure("import", "unchanged, rows written", items=documents)
    yield Verdict("import of unchanged documents: rows written", rows, "at most", 0)
    ratio = results.median("import", "unchanged", items=documents) / results.median("import", "first", items=documents)
    yield Verdict("import of unchanged documents: time to that of the first", ratio, "at most", _UNCHANGED_IMPORT)


def verdicts_of_syncs(results: Results, sizes: Sequence[int]) -> Iterator[Verdict]:
    """Yield the targets of syncs.

    Args:
        sizes: of the synced catalogs, in items.
    """
    for items in sizes:
        first = results.sync(FIRST, items=items)
        what = f"first sync, {items:,} items"
        yield Verdict(
            f"{what}: statements per chunk", first.statements / first.chunks, "at most", _STATEMENTS_OF_A_CHUNK
        )
        yield from _compared_with_open_edx(results, first, what)
        for how, limit in _STATEMENTS.items():
            statements = results.sync(how, items=items).statements
            yield Verdict(f"sync, {how}, {items:,} items: statements", statements, "at most", limit)
        for how in (SAME_ITEMS, ALL_COMPARED):
            ratio = results.sync(how, items=items).median / results.median("sync", KNOWN_DIFF, items=items)
            what = f"sync, {how}, {items:,} items: time to that of a cold diff over HTTP"
            yield Verdict(what, ratio, "at most", _COMPARED_TO_DIFF)
    peak = results.figure("memory of a first sync", "peak over idle", items=max(sizes))
    what = f"first sync, {max(sizes):,} items: peak of memory over idle"
    yield Verdict(what, peak, "at most", _MEGABYTES_OF_A_SYNC, "MB")


def _compared_with_open_edx(results: Results, first: SyncTiming, what: str) -> Iterator[Verdict]:
    """Yield Open edX's time per item divided by ours: as measured, and adjusted for the speed of the machines."""
    theirs = results.open_edx.runs[FIRST]
    per_item = (theirs.seconds - theirs.lms_seconds) / results.open_edx.items
    ratio = per_item / (first.median_without_lms / first.items)
    if results.open_edx.is_measured:
        what = f"{what}: Open edX's time per item to ours, both without the LMS's"
        yield Verdict(what, ratio, "at least", _OPEN_EDX_CREATES)
        return
    what = f"{what}: Open edX's time per item to ours without the LMS's"
    yield Verdict(what, ratio, "at least", _OPEN_EDX_CREATES)
    if any(each.what == "diff" and each.items == open_edx.FLOOR_ITEMS for each in results.timings):
        speed = _diff(results, "floor", MOSTLY_KNOWN, open_edx.FLOOR_ITEMS) / open_edx.FLOOR_SECONDS
        yield Verdict(f"{what}, each by the raw floor of its machine", ratio * speed, "at least", _OPEN_EDX_CREATES)


def _diff(results: Results, how: str, case: str, items: int) -> float:
    return results.median("diff", how, case=case, items=items)
