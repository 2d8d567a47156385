"""Conditional requests for unchanged catalogs: statements and time of a 304."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.endpoints import address
from tests.benchmarks.results import Figure
from tests.benchmarks.sampling import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.benchmarks.in_process import Caller
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

#: Name of the measurement -> path below the catalog.
ASKED_AGAIN: Final[Mapping[str, str]] = {"304 of the catalog": "", "304 of its content": "content-metadata/"}


def measure_not_modified(
    catalogs: Sequence[SeededCatalog], caller: Caller, sampling: Sampling, results: Results
) -> None:
    """Add statements and timings of each conditional GET; catalogs of different sizes alternate."""
    for what, end in ASKED_AGAIN.items():
        groups = []
        for catalog in catalogs:
            ask = _ask_again(caller, address(catalog.uuid, end))
            ask()  # Creates the caller's user before statements are counted.
            with CaptureQueriesContext(connection) as statements:
                ask()
            results.figures.append(Figure(what, "statements", catalog.items, len(statements), ""))
            groups.append(Group({"304": ask}))
        for catalog, samples in zip(catalogs, sampling.by_turns(groups), strict=True):
            results.add_timings(samples, what=what, items=catalog.items)


def _ask_again(caller: Caller, location: str) -> Callable[[], float]:
    etag = caller.get(location).headers["ETag"]
    return lambda: caller.get(location, etag=etag, expected_status=304).seconds
