"""Prefetching chunks while the previous chunk is sent."""

from __future__ import annotations

import threading

import pytest

from enterprise_catalog.integrated_channels.domain import Action, Chunk, PlannedItem
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.sync.prefetch import ChunkPrefetcher

A, B, C = (Chunk((PlannedItem(key, Action.CREATE, "new"),)) for key in "ABC")


class Kitchen:
    """Prepares chunks, and records the prepared chunks and the threads. The result is the keys and a running number."""

    def __init__(self) -> None:
        self.prepared: list[Chunk] = []
        self.threads: set[int] = set()
        self.fails = False
        self.begun = threading.Event()

    def prepare(self, chunk: Chunk) -> tuple[str, int]:
        self.prepared.append(chunk)
        self.threads.add(threading.get_ident())
        self.begun.set()
        if self.fails:
            raise CatalogUnavailableError("The catalog service returned 503.")
        return "".join(item.content_key for item in chunk.items), len(self.prepared)


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


def test_each_chunk_gets_its_own_which_is_prepared_once(kitchen: Kitchen) -> None:
    with ChunkPrefetcher(kitchen.prepare) as prefetcher:
        first = prefetcher.result(A)
        prefetcher.start(B)

        assert (first, prefetcher.result(B)) == (("A", 1), ("B", 2))

    assert kitchen.prepared == [A, B]


def test_a_started_chunk_is_prepared_in_another_thread_before_it_is_requested(kitchen: Kitchen) -> None:
    with ChunkPrefetcher(kitchen.prepare) as prefetcher:
        prefetcher.start(A)
        assert kitchen.begun.wait(5)
        prefetcher.result(A)
        prefetcher.result(B)

    assert kitchen.prepared == [A, B]
    assert len(kitchen.threads) == 1
    assert threading.get_ident() not in kitchen.threads


def test_a_chunk_that_was_not_the_expected_one_gets_its_own(kitchen: Kitchen) -> None:
    with ChunkPrefetcher(kitchen.prepare) as prefetcher:
        prefetcher.start(B)

        assert prefetcher.result(C) == ("C", 2)


def test_a_failure_is_raised_at_its_chunk_and_affects_no_other_chunk(kitchen: Kitchen) -> None:
    with ChunkPrefetcher(kitchen.prepare) as prefetcher:
        kitchen.fails = True
        prefetcher.start(A)
        with pytest.raises(CatalogUnavailableError, match="503"):
            prefetcher.result(A)
        kitchen.fails = False

        assert prefetcher.result(A) == ("A", 2)
