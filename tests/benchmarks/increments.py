"""Runs after a few changes in catalogs of different sizes: time, CPU time and statements must not follow the size.

The rows of all items but a few are written directly, as a first sync leaves them. The few items are sent by a real
first sync; then each measured run sends changes of them. The transmission of one item is also measured alone.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import CatalogQuery
from enterprise_catalog.catalog.versions.versioned import versioned
from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert
from enterprise_catalog.integrated_channels.catalog_api.changes import read_moment
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Action, Chunk, Outcome, PlannedItem, Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.sync.export import export_chunk, translate_chunk
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
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
OTHER_VERSION: Final = "no change, other version"
NO_CHANGE: Final = "no change"
#: One changed item, fetched, translated and sent with the functions of a run, but without a run and its statements.
ALONE: Final = "1 change, sent without a run"
#: Way -> number of items that change before each of its runs.
_CHANGES: Final = {TEN_CHANGES: 10, ONE_CHANGE: 1, OTHER_VERSION: 0, NO_CHANGE: 0}
CPU_TIME: Final = "CPU time of a run"
STATEMENT_TIME: Final = "time of the statements of a run"
_MOST_CHANGES: Final = max(_CHANGES.values())


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    cpu_seconds: float
    lms_seconds: float
    statements: int
    statement_seconds: float  #: Time in the database and on the way to it.


@dataclass(slots=True)
class _Stopwatch:
    """Adds up the time of statements."""

    seconds: float = 0.0

    def __call__(self, execute: Callable[..., object], *arguments: object) -> object:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - started


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

    def send_alone(self) -> float:
        """Change an item, send it without a run, and return the seconds; the next run that sends it is measured too."""
        self._change(1)
        configuration = ChannelConfiguration.objects.get(pk=self.configuration_id)
        [key] = self.catalog.keys[:1]
        chunk = Chunk((PlannedItem(key, Action.UPDATE, "", self.catalog.uuid),))
        rows = {key: ContentMetadataItemTransmission.objects.get(configuration=configuration, content_key=key)}
        started = time.perf_counter()
        with open_channel(configuration) as channel, CatalogClient() as catalog:
            export = export_chunk(chunk, rows, translate_chunk(chunk, catalog, channel))
            results = Transmitter(channel).transmit(export.outgoing).results
        seconds = time.perf_counter() - started
        if [result.outcome for result in results.values()] != [Outcome.DONE]:
            raise WrongAnswerError(f"an item sent without a run gave {results}")
        checked(sync(configuration, clock=timezone.now), {"update": 1})  # The rows do not have this change yet.
        return seconds

    def _run(self, how: str, changes: int) -> float:
        self._change(changes)
        if how == OTHER_VERSION:
            self._move_version()
        self.lms.take_seconds()
        configuration = ChannelConfiguration.objects.get(pk=self.configuration_id)
        stopwatch = _Stopwatch()
        before, started, cpu_started = statements_so_far(), time.perf_counter(), time.process_time()
        with connection.execute_wrapper(stopwatch):
            ended = sync(configuration, clock=timezone.now)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        statements = statements_so_far() - before - 1  # Without the statement that counts.
        row = checked(ended, {"update": changes} if changes else {})
        expected = Comparison.UNCHANGED if how == NO_CHANGE else Comparison.CHANGES
        if row.comparison != expected or row.matched != self.catalog.items - changes:
            raise WrongAnswerError(f"a sync ({how}) compared {row.comparison}, and {row.matched} items matched")
        self.runs[how].append(_Run(seconds, cpu_seconds, self.lms.take_seconds(), statements, stopwatch.seconds))
        return seconds

    def _move_version(self) -> None:
        """Give the catalog a new version without a change of an item."""
        with versioned(timezone.now()) as changes:
            changes.queries.add(self.catalog.query_id)

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
    """Add runs after ten changes, after one and after none, and one item sent without a run; all in turn.

    Args:
        port: of a catalog service.
    """
    url = f"http://127.0.0.1:{port}"
    with override_settings(CATALOG_API_URL=url, OAUTH2_PROVIDER_URL=f"{url}/oauth2"), served_lms() as lms:
        every = [_Settled.make(size, lms) for size in sizes]
        groups = [
            Group({**{how: settled.run_after(how) for how in _CHANGES}, ALONE: settled.send_alone}) for settled in every
        ]
        for settled, samples in zip(every, sampling.by_turns(groups), strict=True):
            results.add_timings({ALONE: samples[ALONE]}, what="sync", items=settled.catalog.items)
            for how, number in _CHANGES.items():
                _add(settled, how, number, sampling, results)


def _add(settled: _Settled, how: str, number: int, sampling: Sampling, results: Results) -> None:
    runs, items = settled.runs[how][-sampling.runs :], settled.catalog.items  # The runs before were warm-up runs.
    cpu, in_database = (
        statistics.median(seconds)
        for seconds in ([run.cpu_seconds for run in runs], [run.statement_seconds for run in runs])
    )
    results.figures.append(Figure(CPU_TIME, how, items, cpu * 1e3, "ms"))
    results.figures.append(Figure(STATEMENT_TIME, how, items, in_database * 1e3, "ms"))
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
