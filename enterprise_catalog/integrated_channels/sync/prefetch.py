"""Prefetches and translates the next chunk while the LMS processes the current one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.domain import Chunk

T = TypeVar("T")

_HEARTBEAT_SECONDS: Final = 1.0


class Ahead(Generic[T]):
    """Prepares chunks one at a time in a thread of its own. Use it in a ``with`` block.

    During the block, no other thread may use the objects that ``prepare`` uses. ``prepare`` must not use the database:
    the connection belongs to the thread of the block.
    """

    def __init__(self, prepare: Callable[[Chunk], T], *, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Start nothing yet.

        Args:
            while_waiting: called once a second in the thread that waits for a chunk; an exception ends the wait.
        """
        self._prepare = prepare
        self._while_waiting = while_waiting
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._begun: tuple[Chunk, Future[T]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for work in progress: the objects that it uses are closed next."""
        self._pool.shutdown()

    def begin(self, chunk: Chunk) -> None:
        """Start to prepare the chunk that :meth:`take` requests next."""
        self._begun = chunk, self._prepared(chunk)

    def take(self, chunk: Chunk) -> T:
        """Return the prepared ``chunk``. Discards work that was started for another chunk.

        Raises:
            Exception: the error that ``prepare`` raised for ``chunk``.
        """
        begun, self._begun = self._begun, None
        prepared = begun[1] if begun is not None and begun[0] is chunk else self._prepared(chunk)
        while not wait([prepared], timeout=_HEARTBEAT_SECONDS).done:
            self._while_waiting()
        return prepared.result()

    def _prepared(self, chunk: Chunk) -> Future[T]:
        return self._pool.submit(self._prepare, chunk)
