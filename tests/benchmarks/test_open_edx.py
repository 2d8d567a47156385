"""The comparison with Open edX's channels uses measured times if there are any, and fixed times otherwise."""

from __future__ import annotations

from tests.benchmarks.documentation import describe_source
from tests.benchmarks.open_edx import FIXED, OpenEdXRun, OpenEdXRuns
from tests.benchmarks.results import Figure, Results, SyncTiming, Timing
from tests.benchmarks.sheets import sheets
from tests.benchmarks.synced import ALL_COMPARED, CHANGED, FIRST, SAME_ITEMS, UNCHANGED
from tests.benchmarks.syncs import KNOWN_DIFF
from tests.benchmarks.targets import verdicts_of_syncs

MEASURED = OpenEdXRuns(40, {how: OpenEdXRun(8, 400, lms_seconds=2) for how in (FIRST, CHANGED, SAME_ITEMS, UNCHANGED)})


def results_with(items: int) -> Results:
    """Return results of our syncs: 2 s each, of which the LMS takes 1 s."""
    results = Results({"cpus": 2, "runs": 1, "warm_ups": 0, "mariadb": "", "python": "", "load_average": ""})
    hows = (FIRST, SAME_ITEMS, ALL_COMPARED, UNCHANGED)
    results.syncs += [SyncTiming(how, items, items, 1, 7, seconds=[2], lms_seconds=[1]) for how in hows]
    results.timings += [Timing("sync", KNOWN_DIFF, "", items, [1]), Timing("diff", "floor", "90/10", 10_000, [0.007])]
    results.figures.append(Figure("memory of a first sync", "peak over idle", items, 1, "MB"))
    return results


def compared(results: Results) -> list[list[str]]:
    """Return the rows of the comparison."""
    [sheet] = (sheet for sheet in sheets(results) if sheet.name == "open_edx")
    return [list(row) for row in sheet.rows]


def ratios(results: Results, items: int) -> list[tuple[str, float]]:
    """Return the targets that compare with Open edX, with their values."""
    return [
        (each.what, round(each.value, 6)) for each in verdicts_of_syncs(results, [items]) if "Open edX" in each.what
    ]


def test_measured_times_are_compared_without_the_lms_on_both_sides() -> None:
    results = results_with(40)
    results.open_edx = MEASURED

    assert compared(results)[0] == ["first", "2,000", "1,000", "7", "8,000", "6,000", "400", "4"]
    assert ratios(results, 40) == [
        ("first sync, 40 items: Open edX's time per item to ours, both without the LMS's", 6)
    ]


def test_fixed_times_are_compared_also_by_the_speed_of_the_machines() -> None:
    results = results_with(5_000)

    assert compared(results)[0] == ["first", "2,000", "1,000", "7", "49,000", "", "45,105", "24.5"]
    what = "first sync, 5,000 items: Open edX's time per item to ours without the LMS's"
    assert ratios(results, 5_000) == [
        (what, 49),
        (f"{what}, each by the raw floor of its machine", 24.5),
    ]


def test_the_docs_name_the_source_of_the_times() -> None:
    assert "are fixed" in describe_source(FIXED)
    assert "in the same run as ours" in describe_source(MEASURED)
