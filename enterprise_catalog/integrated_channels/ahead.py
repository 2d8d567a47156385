"""What a chunk needs is prepared while the learning system is at work with the chunk before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.types import Chunk

T = TypeVar("T")

_HEARTBEAT_SECONDS: Final = 1.0


class Ahead(Generic[T]):
    """Prepares chunks in a thread of its own, one at a time; to be used in a ``with`` block.

    As long as the block lasts, nobody else may use what ``prepare`` uses, and that may not be the database: the
    connection is that of the thread that the block is in.
    """

    def __init__(self, prepare: Callable[[Chunk], T], *, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Prepare nothing yet.

        Args:
            while_waiting: called once a second in the thread that waits for a chunk; what it raises ends the wait.
        """
        self._prepare = prepare
        self._while_waiting = while_waiting
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._begun: tuple[Chunk, Future[T]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is under way: what it uses is closed next."""
        self._pool.shutdown()

    def begin(self, chunk: Chunk) -> None:
        """Begin to prepare the chunk that is taken next."""
        self._begun = chunk, self._prepared(chunk)

    def take(self, chunk: Chunk) -> T:
        """Return what was prepared for ``chunk``; what was begun for another one is dropped.

        Raises:
            Exception: whatever ``prepare`` raised for ``chunk``.
        """
        begun, self._begun = self._begun, None
        prepared = begun[1] if begun is not None and begun[0] is chunk else self._prepared(chunk)
        while not wait([prepared], timeout=_HEARTBEAT_SECONDS).done:
            self._while_waiting()
        return prepared.result()

    def _prepared(self, chunk: Chunk) -> Future[T]:
        return self._pool.submit(self._prepare, chunk)
