"""The results as text tables, for the terminal and the docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.changes import CHANGES
from tests.benchmarks.lookups import DOCUMENT, DOCUMENT_FLOOR, FLOOR, LOOKUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.growth import Growth
    from tests.benchmarks.results import Figure, Results, SyncTiming, Timing, Verdict


#: Of a table of targets.
TARGET_COLUMNS: Final = ("what", "value", "target", "met")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; every row has one cell per column."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sheets(results: Results) -> list[Sheet]:
    """Return all tables; the targets come last."""
    timings = ("what", "how", "items", "min", "median", "max", "to floor")
    growth = ("what", "how", "items", "µs per item", "to typical size")
    syncs = ("how", "items", "sent", "min", "median", "max", "µs per item", "statements", "per chunk", "LMS", "to LMS")
    compared = (
        *("how", "ms", "without LMS", "statements"),
        *("Open edX, ms", "Open edX, without LMS", "Open edX, statements", "times as long"),
    )
    return [
        Sheet("timings", "Times in milliseconds", timings, [_timing(each, results) for each in results.timings]),
        Sheet("growth", "Time per item, median", growth, [_growth(each) for each in results.growth]),
        Sheet("syncs", "Syncs, times in milliseconds", syncs, [_sync(each) for each in results.syncs]),
        Sheet(
            "open_edx",
            f"Syncs of {results.open_edx.items:,} items, compared with Open edX's",
            compared,
            list(_compared(results)),
        ),
        Sheet("figures", "Other figures", ("what", "items", "value"), [_figure(each) for each in results.figures]),
        Sheet(
            "targets", "Targets", ("what", "value", "target", "met"), [verdict_cells(each) for each in results.verdicts]
        ),
    ]


def _timing(timing: Timing, results: Results) -> Sequence[str]:
    what = f"{timing.what}, {timing.case}" if timing.case else timing.what
    floor = _floor_of(timing, results)
    ratio = f"{timing.median / floor:.2f}" if floor else ""
    milliseconds = (format_number(1000 * seconds) for seconds in (timing.least, timing.median, timing.most))
    return what, timing.how, f"{timing.items:,}", *milliseconds, ratio


def _floor_of(timing: Timing, results: Results) -> float | None:
    """Return the median of the floor for the same work; None without a floor, and for a floor itself."""
    of_lookup = DOCUMENT_FLOOR if timing.how == DOCUMENT else FLOOR
    hows = {"diff": FLOOR, "page of documents": f"{timing.how}, floor", LOOKUP: of_lookup, CHANGES: FLOOR}
    how = hows.get(timing.what)
    if how is None or timing.how.endswith("floor"):
        return None
    return results.median(timing.what, how, case=timing.case, items=timing.items)


def _growth(growth: Growth) -> Sequence[str]:
    microseconds = format_number(1e6 * growth.seconds_per_item)
    return f"diff, {growth.case}", growth.how, f"{growth.items:,}", microseconds, f"{growth.to_typical:.2f}"


def _sync(sync: SyncTiming) -> Sequence[str]:
    milliseconds = (format_number(1000 * seconds) for seconds in (min(sync.seconds), sync.median, max(sync.seconds)))
    per_item = format_number(1e6 * sync.median / sync.counted)
    per_chunk = format_number(sync.statements / sync.chunks) if sync.chunks else ""
    lms = (
        (format_number(1000 * sync.lms_median), format_number(sync.median / sync.lms_median)) if sync.sent else ("", "")
    )
    return (
        *(sync.how, f"{sync.items:,}", f"{sync.sent:,}"),
        *(*milliseconds, per_item, f"{sync.statements:,}", per_chunk, *lms),
    )


def _compared(results: Results) -> Iterator[Sequence[str]]:
    """Yield each of our syncs of a catalog of the same size as Open edX's, with Open edX's values if known."""
    for sync in results.syncs:
        theirs = results.open_edx.runs.get(sync.how)
        if sync.items == results.open_edx.items and theirs is not None:
            milliseconds = (format_number(1000 * seconds) for seconds in (sync.median, sync.median_without_lms))
            without_lms = theirs.seconds - theirs.lms_seconds
            known = (
                format_number(1000 * theirs.seconds),
                format_number(1000 * without_lms) if results.open_edx.is_measured else "",
                f"{theirs.statements:,}",
            )
            yield sync.how, *milliseconds, f"{sync.statements:,}", *known, format_number(theirs.seconds / sync.median)


def _figure(figure: Figure) -> Sequence[str]:
    return f"{figure.what}: {figure.how}", f"{figure.items:,}", format_number(figure.value, figure.unit)


def verdict_cells(verdict: Verdict) -> Sequence[str]:
    """Return the cells of a target: name, value, target, and whether it is met."""
    target = f"{verdict.bound} {format_number(verdict.target, verdict.unit)}"
    return verdict.what, format_number(verdict.value, verdict.unit), target, "yes" if verdict.is_met else "no"


def format_number(value: float, unit: str = "") -> str:
    """Return a number with three significant digits, or as an integer if it is large."""
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".strip()
