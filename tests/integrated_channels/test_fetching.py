"""Documents that are fetched while the chunk before is sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.catalog_client import MetadataAnswer
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.fetching import DocumentFetcher
from enterprise_catalog.integrated_channels.types import Action, Chunk, PlannedItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.catalog_client import CatalogClient

CATALOG, OTHER = UUID(int=1), UUID(int=2)


class Catalog:
    """Answers that all that it is asked for is missing, each with the number of the question; says who asks."""

    def __init__(self) -> None:
        self.asked: list[tuple[UUID, list[str]]] = []
        self.threads: set[int] = set()
        self.fails_after: int | None = None  #: So many questions.
        self.begun = threading.Event()

    def metadata(self, catalog_uuid: UUID, keys: Sequence[str]) -> MetadataAnswer:
        self.asked.append((catalog_uuid, list(keys)))
        self.threads.add(threading.get_ident())
        self.begun.set()
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise CatalogUnavailableError("The catalog service answered 503.")
        return MetadataAnswer({}, {}, dict.fromkeys(keys, str(len(self.asked))))


def a_chunk(*keys: str, catalog: UUID = CATALOG) -> Chunk:
    return Chunk(tuple(PlannedItem(key, Action.CREATE, "new", catalog) for key in keys))


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


def fetcher_of(catalog: Catalog) -> DocumentFetcher:
    return DocumentFetcher(cast("CatalogClient", catalog))


def questions_of(documents: Any) -> dict[UUID, dict[str, str]]:
    return {catalog_uuid: dict(answer.missing) for catalog_uuid, answer in documents.items()}


def test_each_chunk_gets_its_documents_which_are_asked_for_once(catalog: Catalog) -> None:
    first, second = a_chunk("a", "b"), a_chunk("c")
    with fetcher_of(catalog) as fetcher:
        found = [fetcher.fetch(first, next_chunk=second), fetcher.fetch(second, next_chunk=None)]

    assert [questions_of(documents) for documents in found] == [{CATALOG: {"a": "1", "b": "1"}}, {CATALOG: {"c": "2"}}]
    assert catalog.asked == [(CATALOG, ["a", "b"]), (CATALOG, ["c"])]


def test_the_next_chunk_is_fetched_before_it_is_asked_for_by_a_thread_of_its_own(catalog: Catalog) -> None:
    with fetcher_of(catalog) as fetcher:
        fetcher.fetch(a_chunk("a"), next_chunk=None)
        catalog.begun.clear()
        fetcher.fetch(a_chunk("b"), next_chunk=a_chunk("c"))
        assert catalog.begun.wait(5)

    assert catalog.asked[-1] == (CATALOG, ["c"])
    assert len(catalog.threads) == 1
    assert threading.get_ident() not in catalog.threads


def test_a_chunk_that_was_not_the_expected_one_gets_its_own_documents(catalog: Catalog) -> None:
    with fetcher_of(catalog) as fetcher:
        fetcher.fetch(a_chunk("a"), next_chunk=a_chunk("b"))
        documents = fetcher.fetch(a_chunk("c"), next_chunk=None)

    assert questions_of(documents) == {CATALOG: {"c": "3"}}


def test_each_catalog_is_asked_for_its_items_and_none_for_deletes(catalog: Catalog) -> None:
    gone = PlannedItem("gone", Action.DELETE, "left the catalogs")
    chunk = Chunk((*a_chunk("a", "b").items, gone, *a_chunk("c", catalog=OTHER).items))
    with fetcher_of(catalog) as fetcher:
        fetcher.fetch(chunk, next_chunk=None)
        fetcher.fetch(Chunk((gone,)), next_chunk=None)

    assert catalog.asked == [(CATALOG, ["a", "b"]), (OTHER, ["c"])]


def test_a_failure_ahead_is_raised_when_it_is_the_chunks_turn(catalog: Catalog) -> None:
    first, second = a_chunk("a"), a_chunk("b")
    with fetcher_of(catalog) as fetcher:
        catalog.fails_after = 1
        assert fetcher.fetch(first, next_chunk=second)
        with pytest.raises(CatalogUnavailableError, match="503"):
            fetcher.fetch(second, next_chunk=None)
        catalog.fails_after = None
        assert fetcher.fetch(second, next_chunk=None)

    assert len(catalog.asked) == 3
