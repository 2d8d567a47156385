"""Ten changes in a small and a large catalog: by ``content-changes``, by a diff of all keys, and the raw floor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import orjson
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import CatalogQuery
from enterprise_catalog.catalog.versions.reads import read_changes
from enterprise_catalog.catalog.versions.state import Version, read_state
from tests.api.endpoints import address
from tests.benchmarks.cases import MOSTLY_KNOWN, Case
from tests.benchmarks.results import Figure, WrongAnswerError
from tests.benchmarks.sampling import Group
from tests.benchmarks.seeding import course_line, timed_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.catalog.versions.state import CatalogState
    from tests.benchmarks.floor import Floor
    from tests.benchmarks.in_process import Caller
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

CHANGES: Final = "changes since a version"
REQUEST: Final = "content-changes"
READ: Final = "page read"
DIFF: Final = "content-diff"
FLOOR: Final = "floor"

_COUNT: Final = 10
_PAGE_SIZE: Final = 1_000
_CHANGED_AT: Final = datetime(2026, 7, 1, 4, 30, 0, 123_456, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Changed:
    """A catalog with ten changes since a version."""

    catalog: SeededCatalog
    since: Version

    @classmethod
    def make(cls, catalog: SeededCatalog) -> _Changed:
        """Change ten items of the catalog."""
        since = read_state(catalog.uuid).version_parts
        lines = [course_line(key, edition=2) for key in catalog.keys[:_COUNT]]
        query = CatalogQuery.objects.get(pk=catalog.query_id)
        timed_import(query, lines, now=_CHANGED_AT, expected=ImportReport(updated=_COUNT))
        return cls(catalog, since)

    @property
    def url(self) -> str:
        return f"{address(self.catalog.uuid, 'content-changes/')}?since={self.since}"


def measure_changes(
    catalogs: Sequence[SeededCatalog], floor: Floor, caller: Caller, sampling: Sampling, results: Results
) -> None:
    """Add statements and timings of ten changes in each catalog; catalogs of different sizes alternate."""
    groups = []
    for catalog in catalogs:
        changed = _Changed.make(catalog)
        _check(changed, caller)
        with CaptureQueriesContext(connection) as statements:
            caller.get(changed.url)
        results.figures.append(Figure(CHANGES, "statements", catalog.items, len(statements), ""))
        groups.append(_ways(changed, floor, caller))
    for catalog, samples in zip(catalogs, sampling.by_turns(groups), strict=True):
        results.add_timings(samples, what=CHANGES, items=catalog.items)


def _ways(changed: _Changed, floor: Floor, caller: Caller) -> Group:
    catalog, since = changed.catalog, changed.since
    case = Case.make(MOSTLY_KNOWN, catalog.keys)
    state = read_state(catalog.uuid)
    return Group(
        {
            REQUEST: lambda: caller.get(changed.url).seconds,
            READ: lambda: _timed_read(state, since),
            DIFF: lambda: caller.diff(catalog, case).seconds,
            FLOOR: lambda: floor.timed_changes(catalog.query_id, since.query_version, _PAGE_SIZE),
        }
    )


def _timed_read(state: CatalogState, since: Version) -> float:
    """Return the duration in seconds of reading a page of changes, after the access check has read the state."""
    started = time.perf_counter()
    read_changes(state, since, after=None, size=_PAGE_SIZE)
    return time.perf_counter() - started


def _check(changed: _Changed, caller: Caller) -> None:
    body = orjson.loads(caller.get(changed.url).body)
    found = [item["content_key"] for item in body["changed"]]
    if found != sorted(changed.catalog.keys[:_COUNT]) or body["created"] or body["removed"]:
        raise WrongAnswerError(f"{changed.url} gives {len(found)} changes instead of {_COUNT}")
