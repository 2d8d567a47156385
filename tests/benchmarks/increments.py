"""Runs after a few changes in catalogs of different sizes: time, CPU time and statements must not follow the size.

The rows of all items but a few are written directly, as a first sync leaves them. The few items are sent by a real
first sync; then each measured run sends changes of them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.test import override_settings
from django.utils import timezone

from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import CatalogQuery
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert
from enterprise_catalog.integrated_channels.catalog_api.changes import read_moment
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from tests.benchmarks.lms import served_lms
from tests.benchmarks.results import Figure, SyncTiming, WrongAnswerError
from tests.benchmarks.sampling import Group
from tests.benchmarks.seeding import course_line, seed_alone, timed_import
from tests.benchmarks.synced import checked, configured, statements_so_far

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.lms import LMS
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

TEN_CHANGES: Final = "10 changes"
ONE_CHANGE: Final = "1 change"
NO_CHANGE: Final = "no change"
#: Way -> number of items that change before each of its runs.
_CHANGES: Final = {TEN_CHANGES: 10, ONE_CHANGE: 1, NO_CHANGE: 0}
_MOST_CHANGES: Final = max(_CHANGES.values())


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    cpu_seconds: float
    lms_seconds: float
    statements: int


@dataclass(slots=True)
class _Settled:
    """A catalog whose items the LMS has, according to the rows."""

    catalog: SeededCatalog
    lms: LMS
    configuration_id: int = 0
    runs: dict[str, list[_Run]] = field(default_factory=lambda: defaultdict(list))
    _edition: int = 1

    @classmethod
    def make(cls, items: int, lms: LMS) -> _Settled:
        """Return a new catalog after a first sync of its first items."""
        settled = cls(seed_alone(items), lms)
        settled.configuration_id = configured(settled.catalog, lms)
        settled._write_rows()
        configuration = ChannelConfiguration.objects.get(pk=settled.configuration_id)
        first = checked(sync(configuration, clock=timezone.now), {"create": _MOST_CHANGES})
        if first.matched != items - _MOST_CHANGES:
            raise WrongAnswerError(f"after the rows were written, only {first.matched} of {items} items matched")
        return settled

    def run_after(self, how: str) -> Callable[[], float]:
        """Return a function that changes items, syncs, and returns the seconds of the sync."""
        return lambda: self._run(how, _CHANGES[how])

    def _run(self, how: str, changes: int) -> float:
        self._change(changes)
        self.lms.take_seconds()
        configuration = ChannelConfiguration.objects.get(pk=self.configuration_id)
        before, started, cpu_started = statements_so_far(), time.perf_counter(), time.process_time()
        ended = sync(configuration, clock=timezone.now)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        statements = statements_so_far() - before - 1  # Without the statement that counts.
        row = checked(ended, {"update": changes} if changes else {})
        expected = Comparison.CHANGES if changes else Comparison.UNCHANGED
        if row.comparison != expected or row.matched != self.catalog.items - changes:
            raise WrongAnswerError(f"a sync ({how}) compared {row.comparison}, and {row.matched} items matched")
        self.runs[how].append(_Run(seconds, cpu_seconds, self.lms.take_seconds(), statements))
        return seconds

    def _change(self, number: int) -> None:
        if number:
            self._edition += 1
            lines = [course_line(key, edition=self._edition) for key in self.catalog.keys[:number]]
            query = CatalogQuery.objects.get(pk=self.catalog.query_id)
            timed_import(query, lines, now=timezone.now(), expected=ImportReport(updated=number))

    def _write_rows(self) -> None:
        """Write the rows of all items but the first ones, as a first sync leaves them."""
        keys, now = self.catalog.keys[_MOST_CHANGES:], timezone.now()
        with CatalogClient() as client:
            versions = client.fetch_diff(self.catalog.uuid, keys).existing
        configuration = ChannelConfiguration(pk=self.configuration_id)
        for start in range(0, len(keys), ROWS_PER_STATEMENT):
            insert(
                [
                    ContentMetadataItemTransmission(
                        configuration=configuration,
                        content_key=key,
                        catalog_uuid=self.catalog.uuid,
                        state=State.TRANSMITTED,
                        presence=Presence.PRESENT,
                        content_updated_at=(version := read_moment(versions[key], of="existing")),
                        attempted_updated_at=version,
                        created_at=now,
                    )
                    for key in keys[start : start + ROWS_PER_STATEMENT]
                ]
            )


def measure_increments(sizes: Sequence[int], port: int, *, sampling: Sampling, results: Results) -> None:
    """Add runs after ten changes, after one and after none, for catalogs of each size, all in turn.

    Args:
        port: of a catalog service.
    """
    url = f"http://127.0.0.1:{port}"
    with override_settings(CATALOG_API_URL=url, OAUTH2_PROVIDER_URL=f"{url}/oauth2"), served_lms() as lms:
        every = [_Settled.make(size, lms) for size in sizes]
        sampling.by_turns([Group({how: settled.run_after(how) for how in _CHANGES}) for settled in every])
        for settled in every:
            for how, number in _CHANGES.items():
                _add(settled, how, number, sampling, results)


def _add(settled: _Settled, how: str, number: int, sampling: Sampling, results: Results) -> None:
    runs, items = settled.runs[how][-sampling.runs :], settled.catalog.items  # The runs before were warm-up runs.
    cpu = sorted(run.cpu_seconds for run in runs)[len(runs) // 2]
    results.figures.append(Figure("CPU time of a run", how, items, cpu * 1e3, "ms"))
    results.syncs.append(
        SyncTiming(
            how=how,
            items=items,
            sent=number,
            chunks=int(number > 0),
            statements=max(run.statements for run in runs),
            seconds=[run.seconds for run in runs],
            lms_seconds=[run.lms_seconds for run in runs],
        )
    )
