"""Syncs of small and large catalogs: time, statements, time in the LMS, and memory."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import orjson
from django.test import override_settings

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from tests.benchmarks.cases import Case
from tests.benchmarks.lms import served_lms
from tests.benchmarks.open_edx_runs import measure_open_edx
from tests.benchmarks.over_http import SocketCaller, request_for_diff, warm_up
from tests.benchmarks.results import Figure, SyncTiming, WrongAnswerError
from tests.benchmarks.sampling import Group
from tests.benchmarks.seeding import seed_alone
from tests.benchmarks.sync_memory import peak_of_first_sync
from tests.benchmarks.synced import (
    ALL_COMPARED,
    CHANGED,
    CHUNK_SIZE,
    FIRST,
    SAME_ITEMS,
    UNCHANGED,
    Synced,
    configured,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.lms import LMS
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

#: The diff that a run without changes needs to compare all items, requested on its own.
KNOWN_DIFF: Final = "diff, all keys known"
#: The same diff, requested by the engine's client, which parses and checks the response.
ENGINE_DIFF: Final = "diff, all keys known, by the engine's client"

#: A run that sends a whole catalog takes many seconds; for a large catalog, minutes.
_MOST_FIRST: Final = 5
_MOST_LARGE: Final = 2
#: Items in the catalog whose sync loads all code before memory is measured.
_FEW_ITEMS: Final = 10


def measure_syncs(
    sizes: Sequence[int], port: int, *, token: str, sampling: Sampling, with_open_edx: bool, results: Results
) -> None:
    """Add every kind of sync for catalogs of each size, and the memory of a first sync of the largest catalog.

    Args:
        port: of a catalog service without snapshots, because a run rarely finds one from another run.
        token: for requests to the service that bypass the engine.
        with_open_edx: also run Open edX's channels, on the smallest catalog.
    """
    url = f"http://127.0.0.1:{port}"
    with override_settings(CATALOG_API_URL=url, OAUTH2_PROVIDER_URL=f"{url}/oauth2"), served_lms() as lms:
        for size in sizes:
            synced = Synced.once(seed_alone(size), lms)
            _measure_idle(synced, port, token, sampling, results)
            _measure_busy(synced, sampling, results, is_large=size > min(sizes))
            if with_open_edx and size == min(sizes):
                results.open_edx = measure_open_edx(synced, port, token=token)
        _measure_memory(synced.catalog, lms, results)


def _measure_idle(synced: Synced, port: int, token: str, sampling: Sampling, results: Results) -> None:
    """Add the runs without changes, alternating with the diff that one of them requests."""
    ways = {SAME_ITEMS: synced.same_items, ALL_COMPARED: synced.all_compared, UNCHANGED: synced.unchanged}
    diffs = {KNOWN_DIFF: _diff(synced, port, token), ENGINE_DIFF: _engine_diff(synced)}
    [samples] = sampling.by_turns([Group({**ways, **diffs})])
    results.add_timings({how: samples[how] for how in diffs}, what="sync", items=synced.catalog.items)
    results.syncs += [_timing(synced, how, sampling) for how in ways]


def _measure_busy(synced: Synced, sampling: Sampling, results: Results, *, is_large: bool) -> None:
    """Add the runs that send items; for a large catalog, only the first sync."""
    few = replace(sampling, runs=min(sampling.runs, _MOST_LARGE if is_large else _MOST_FIRST), warm_ups=0)
    ways = {FIRST: synced.first} if is_large else {FIRST: synced.first, CHANGED: synced.changed}
    few.by_turns([Group(ways)])
    results.syncs += [_timing(synced, how, few) for how in ways]


def _diff(synced: Synced, port: int, token: str) -> Callable[[], float]:
    """Return a function that requests the diff for all of the catalog's keys, over HTTP and without the engine."""
    case = Case(KNOWN_DIFF, orjson.dumps({"content_keys": sorted(synced.keys)}))
    request = request_for_diff(synced.catalog, case, token=token)
    warm_up(port, request)
    caller = SocketCaller(port)
    answer = orjson.loads(caller.exchange(request))
    if len(answer["existing"]) != len(synced.keys) or answer["to_create"] or answer["to_delete"]:
        raise WrongAnswerError("a diff of a catalog with all of its keys finds a difference")
    return lambda: caller.timed(request)


def _engine_diff(synced: Synced) -> Callable[[], float]:
    """Return a function that requests the same diff with the engine's client."""

    def ask() -> float:
        started = time.perf_counter()
        with CatalogClient() as client:
            answer = client.fetch_diff(synced.catalog.uuid, synced.keys)
        seconds = time.perf_counter() - started
        if len(answer.existing) != len(synced.keys) or answer.to_create:
            raise WrongAnswerError("a diff of a catalog with all of its keys finds a difference")
        return seconds

    return ask


def _timing(synced: Synced, how: str, sampling: Sampling) -> SyncTiming:
    runs = synced.runs[how][-sampling.runs :]  # The runs before these were warm-up runs.
    sent = runs[0].sent.values()
    return SyncTiming(
        how=how,
        items=synced.catalog.items,
        sent=sum(sent),
        chunks=sum(-(-number // CHUNK_SIZE) for number in sent),
        statements=max(run.statements for run in runs),
        seconds=[run.seconds for run in runs],
        lms_seconds=[run.lms_seconds for run in runs],
    )


def _measure_memory(large: SeededCatalog, lms: LMS, results: Results) -> None:
    small = seed_alone(_FEW_ITEMS)
    lms.reset()
    peak = peak_of_first_sync(
        configured(large, lms), items=large.items, loaded_by=configured(small, lms), small_items=small.items
    )
    results.figures.append(Figure("memory of a first sync", "peak over idle", large.items, peak / 1e6, "MB"))
