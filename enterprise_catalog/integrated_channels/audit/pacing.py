"""Batch sizes that adapt to the speed of an LMS. Pure: no Django, no clock.

A Moodle's time to create a course grows with the size of the course's category. So no fixed batch size suits both a new
category and a category of 5,000 courses; see ADR 0020. Sizes are kept per kind of call in the configuration's lease,
and are written with the run's other writes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.integrated_channels.domain import RateLimit

T = TypeVar("T")

#: Target duration of a call; a sixth of the time after which a call times out.
AIM_SECONDS: Final = 10.0
#: Target duration where a rate limit makes calls scarce; half of the time after which a call times out.
SCARCE_AIM_SECONDS: Final = 30.0
#: Batch size of the first call of a kind.
FIRST_ITEMS: Final = 5


def next_size(
    size: int, *, items: int, seconds: float, most: int, has_response: bool = True, aim_seconds: float = AIM_SECONDS
) -> int:
    """Return the batch size for the next call: at most twice the last one, from 1 to ``most``.

    Args:
        size: the current batch size.
        items: number of items of the last call, 1 or more; may be less than ``size``.
        seconds: duration of the last call; after a timeout, how long the engine waited.
        most: the channel's ``items_per_call``.
        has_response: false after a timeout, which counts as twice its duration and at least twice the target.
        aim_seconds: target duration of a call.
    """
    if not has_response:
        seconds = 2 * max(seconds, aim_seconds)
    largest = min(most, max(size, 2 * items))
    if seconds * largest <= items * aim_seconds:
        return max(1, largest)
    return max(1, int(items * aim_seconds / seconds))


@dataclass(slots=True)
class Pacer:
    """The batch sizes of one configuration, by kind of call. Thread-safe."""

    sizes: dict[str, int] = field(default_factory=dict)  #: Kind of call -> items; empty before the first call.
    most: int = 1  #: The channel's ``items_per_call``.
    first: int = FIRST_ITEMS  #: Batch size of kinds that have not been called yet.
    aim_seconds: float = AIM_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def fit(self, *, most: int, limit: RateLimit | None) -> None:
        """Adapt to a channel.

        A rate limit of at most one call per :data:`AIM_SECONDS` makes calls more precious than time. Such a channel
        starts with full batches and takes longer calls.

        Args:
            most: the channel's ``items_per_call``.
            limit: the channel's rate limit.
        """
        is_scarce = limit is not None and limit.seconds >= limit.calls * AIM_SECONDS
        self.most = most
        self.first = most if is_scarce else FIRST_ITEMS
        self.aim_seconds = SCARCE_AIM_SECONDS if is_scarce else AIM_SECONDS

    def size(self, kind: str) -> int:
        """Return the number of items for the next call of a kind, from 1 to ``most``."""
        return max(1, min(self.sizes.get(kind, self.first), self.most))

    def parts(self, kind: str, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield ``items`` in batches. Each batch has the size that is current when it is requested."""
        start = 0
        while start < len(items):
            end = start + self.size(kind)
            yield items[start:end]
            start = end

    def learn(self, kind: str, *, items: int, seconds: float, has_response: bool = True) -> None:
        """Adapt the size of a kind to the duration of a call; see :func:`next_size`."""
        if self.most == 1:
            return
        with self._lock:
            self.sizes[kind] = next_size(
                self.size(kind),
                items=items,
                seconds=max(seconds, 0.0),  # The clock may have been set back.
                most=self.most,
                has_response=has_response,
                aim_seconds=self.aim_seconds,
            )
