"""The documents of chunks: those of the next one are fetched while the learning system is at work with this one."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from enterprise_catalog.integrated_channels.types import Action

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_client import CatalogClient, MetadataAnswer
    from enterprise_catalog.integrated_channels.types import Chunk

    #: Catalog -> what it answered about the items that a chunk takes from it.
    Documents = Mapping[UUID, MetadataAnswer]


class DocumentFetcher:
    """Fetches documents in a thread of its own, of one chunk at a time; to be used in a ``with`` block.

    As long as the block lasts, nobody else may use the client.
    """

    def __init__(self, catalog: CatalogClient) -> None:
        self._catalog = catalog
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")
        self._begun: tuple[Chunk, Future[Documents]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is under way: the client is closed next."""
        self._pool.shutdown()

    def fetch(self, chunk: Chunk, *, next_chunk: Chunk | None) -> Documents:
        """Return the documents of the chunk's creates and updates, and begin to fetch those of the next one.

        Args:
            next_chunk: what is asked for next; ``None`` if that is not sure.

        Raises:
            CatalogUnavailableError: the documents of ``chunk`` could not be fetched.
        """
        begun, self._begun = self._begun, None
        documents = begun[1] if begun is not None and begun[0] is chunk else self._begin(chunk)
        answered = documents.result()
        if next_chunk is not None:
            self._begun = next_chunk, self._begin(next_chunk)
        return answered

    def _begin(self, chunk: Chunk) -> Future[Documents]:
        return self._pool.submit(documents_of, chunk, self._catalog)


def documents_of(chunk: Chunk, catalog: CatalogClient) -> Documents:
    """Return the documents of the chunk's creates and updates.

    Raises:
        CatalogUnavailableError: they could not be fetched.
    """
    keys: dict[UUID, list[str]] = defaultdict(list)
    for item in chunk.items:
        if item.action is not Action.DELETE:
            assert item.catalog_uuid is not None  # only deletes have none
            keys[item.catalog_uuid].append(item.content_key)
    return {catalog_uuid: catalog.metadata(catalog_uuid, of_catalog) for catalog_uuid, of_catalog in keys.items()}
