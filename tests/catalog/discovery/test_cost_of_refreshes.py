"""The cost of refreshing a query whose courses have not changed: rows, statements and memory.

``REFRESH_COURSES`` sets the number of courses, by default 1,000.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.models import RefreshState
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed
from tests.open_edx import course

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import CatalogQuery
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)

COURSES: Final = int(os.environ.get("REFRESH_COURSES", "1000"))
PAGE: Final = 100  #: Results of a page of course-discovery's search.
DOCUMENT_BYTES: Final = 10_000
#: Memory that a refresh keeps of an unchanged course: its key and identity.
KEPT_BYTES: Final = 1_000


@pytest.fixture
def query(open_edx: OpenEdxSandbox) -> CatalogQuery:
    """A query that was refreshed with all courses, which course-discovery saved a year ago."""
    open_edx.documents.now = lambda: datetime.now(UTC) - timedelta(days=365)
    text = "x" * DOCUMENT_BYTES
    open_edx.documents.put([course(f"edX+C{number:05}", full_description=text) for number in range(COURSES)])
    query = discovery_query()
    assert refreshed(query).state == RefreshState.COMPLETE
    query.refresh_from_db()
    return query


def rows_written() -> dict[str, int]:
    """Return the rows that this connection has written since its start, without those of temporary tables."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_%%'")
        counters = {name: int(value) for name, value in cursor.fetchall()}
    return {name: counters[f"Handler_{name}"] for name in ("write", "update", "delete")}


@pytest.mark.only_on("mariadb")
def test_it_writes_only_its_own_row_and_the_lease(query: CatalogQuery) -> None:
    pages = COURSES // PAGE
    before = rows_written()

    with CaptureQueriesContext(connection) as executed:
        row = refreshed(query)

    written = {name: count - before[name] for name, count in rows_written().items()}
    assert (row.state, row.found, row.changed) == (RefreshState.COMPLETE, COURSES, 0)
    assert written["write"] == 1  # The row of the refresh.
    assert written["update"] <= pages + 10  # The lease with each page; the refresh and when the query was refreshed.
    assert written["delete"] == 0
    assert len(executed) <= 30 + 2 * pages


@pytest.mark.only_on("sqlite")
def test_it_keeps_no_document_in_memory(query: CatalogQuery) -> None:
    kept, peaks = list[int](), list[int]()

    def measure(_: int) -> None:
        gc.collect()
        now, peak = tracemalloc.get_traced_memory()
        kept.append(now)
        peaks.append(peak - kept[-2] if len(kept) > 1 else 0)
        tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        refreshed(query, on_page=measure)
    finally:
        tracemalloc.stop()

    assert len(kept) >= COURSES // PAGE
    assert kept[-1] - kept[1] <= KEPT_BYTES * COURSES
    middle = len(peaks) // 2
    assert median(peaks[middle:]) <= 1.2 * median(peaks[1:middle])  # Each page needs as much as the ones before.
    assert len(members(query)) == COURSES
