"""Imports: new documents, the same documents again, a few changed documents, and one document in many catalogs."""

from __future__ import annotations

import copy
import gc
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import CatalogMembership, CatalogQuery
from tests.benchmarks.results import Figure, Timing
from tests.benchmarks.seeding import course_keys, course_line, timed_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.floor import Floor
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling

#: In the third import, one in this many documents has changed.
_CHANGED_OF: Final = 100
#: Items in each of the many catalogs that share one item: enough to keep their rows apart in the index.
_ITEMS_OF_A_SHARER: Final = 50
_DAY_ONE: Final = datetime(2026, 6, 1, 4, 30, 0, 654_321, tzinfo=UTC)
_LATER: Final = timedelta(hours=1, microseconds=1_001)


@dataclass(frozen=True, slots=True)
class _Import:
    seconds: float
    rows_written: int


def measure_imports(documents: int, floor: Floor, sampling: Sampling, results: Results) -> None:
    """Add timings and rows written of a first import, a repeated import, and an import with 1 % changed documents."""
    rounds = [_three_imports(number, documents, floor) for number in range(sampling.warm_ups + sampling.runs)]
    _add("import", documents, rounds[sampling.warm_ups :], results)


def _three_imports(number: int, documents: int, floor: Floor) -> dict[str, _Import]:
    """Run the three imports with documents that are new in each round, because a first import cannot be repeated."""
    keys = course_keys(0, documents, prefix=f"Round{number}Org")
    lines = [course_line(key) for key in keys]
    partly_changed = list(lines)
    partly_changed[::_CHANGED_OF] = [course_line(key, edition=2) for key in keys[::_CHANGED_OF]]
    changed = len(keys[::_CHANGED_OF])
    query = CatalogQuery.objects.create(title=f"Round {number}")
    first, unchanged = ImportReport(created=documents), ImportReport(unchanged=documents)
    partly = ImportReport(updated=changed, unchanged=documents - changed)
    return {
        "first": _counted(query, lines, floor, now=_DAY_ONE, expected=first),
        "unchanged": _counted(query, lines, floor, now=_DAY_ONE + _LATER, expected=unchanged),
        "1 % changed": _counted(query, partly_changed, floor, now=_DAY_ONE + 2 * _LATER, expected=partly),
    }


def measure_shared_change(catalogs: int, floor: Floor, sampling: Sampling, results: Results) -> None:
    """Add timings and rows written of an import of one changed document that is in ``catalogs`` catalog queries."""
    query, key = _shared(catalogs)
    rounds = []
    for number in range(1, sampling.warm_ups + sampling.runs + 1):
        lines, now = [course_line(key, edition=number + 1)], _DAY_ONE + number * _LATER
        rounds.append({"changed": _counted(query, lines, floor, now=now, expected=ImportReport(updated=1))})
    _add("change of a shared item", catalogs, rounds[sampling.warm_ups :], results)


def _shared(catalogs: int) -> tuple[CatalogQuery, str]:
    """Create ``catalogs`` catalog queries with the same items; return one query and the key of one item."""
    query = CatalogQuery.objects.create(title="Sharing")
    keys = course_keys(0, _ITEMS_OF_A_SHARER, prefix="Shared")
    lines = [course_line(key) for key in keys]
    timed_import(query, lines, now=_DAY_ONE, expected=ImportReport(created=len(lines)))
    members = list(query.memberships.all())
    others = CatalogQuery.objects.bulk_create(CatalogQuery(title=f"Sharing {number}") for number in range(1, catalogs))
    for other in others:
        CatalogMembership.objects.bulk_create(_copy(member, other) for member in members)
    return query, keys[len(keys) // 2]


def _copy(member: CatalogMembership, query: CatalogQuery) -> CatalogMembership:
    row = copy.copy(member)
    row.pk = None
    row.catalog_query = query
    return row


def _counted(
    query: CatalogQuery, lines: Sequence[bytes], floor: Floor, *, now: datetime, expected: ImportReport
) -> _Import:
    gc.collect()
    before = floor.rows_written()
    seconds = timed_import(query, lines, now=now, expected=expected)
    return _Import(seconds, floor.rows_written() - before)


def _add(what: str, items: int, rounds: Sequence[dict[str, _Import]], results: Results) -> None:
    for how in rounds[0]:
        results.timings.append(Timing(what, how, "", items, [each[how].seconds for each in rounds]))
        most = max(each[how].rows_written for each in rounds)
        results.figures.append(Figure(what, f"{how}, rows written", items, most, ""))
