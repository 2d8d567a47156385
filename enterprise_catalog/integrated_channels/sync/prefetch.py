"""Prefetches and translates the next chunk while the LMS processes the current one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.domain import Chunk

T = TypeVar("T")

_HEARTBEAT_SECONDS: Final = 1.0


class ChunkPrefetcher(Generic[T]):
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
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch")
        self._started: tuple[Chunk, Future[T]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for work in progress: the objects that it uses are closed next."""
        self._pool.shutdown()

    def start(self, chunk: Chunk) -> None:
        """Start to prepare the chunk whose :meth:`result` is requested next."""
        self._started = chunk, self._submit(chunk)

    def result(self, chunk: Chunk) -> T:
        """Return the prepared ``chunk``. Discards work that was started for another chunk.

        Raises:
            Exception: the error that ``prepare`` raised for ``chunk``.
        """
        started, self._started = self._started, None
        prepared = started[1] if started is not None and started[0] is chunk else self._submit(chunk)
        while not wait([prepared], timeout=_HEARTBEAT_SECONDS).done:
            self._while_waiting()
        return prepared.result()

    def _submit(self, chunk: Chunk) -> Future[T]:
        return self._pool.submit(self._prepare, chunk)
