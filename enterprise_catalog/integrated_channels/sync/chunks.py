"""Pure: cuts a plan into chunks, in the order of sending."""

from __future__ import annotations

from itertools import groupby, islice, zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from enterprise_catalog.integrated_channels.domain import (
    Chunk,
    PlannedItem,
    SyncPlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime


T = TypeVar("T")


def chunks(sync_plan: SyncPlan, *, chunk_size: int, call_size: int, mixed: bool = False, now: datetime) -> list[Chunk]:
    """Cut the plan into chunks in the order of sending: longest waiting first.

    Chunks that have waited equally long take turns: deletes, creates, updates, and so on. A run that is cut short thus
    divides its work among the three actions. The rest comes before everything that later runs find.

    Items that failed before, or were in a rejected call, are kept apart from the others. The size of their chunks is
    halved each time. So an item that makes its whole call fail is soon alone.

    Args:
        chunk_size: maximum number of items per chunk.
        call_size: maximum number of items per call; if it is 1, items never share a call.
        mixed: True if a chunk may contain several actions.
        now: due time of items that no earlier run has found due.
    """
    by_action = (sync_plan.deletes, sync_plan.creates, sync_plan.updates)
    queues = [list(_in_turn(by_action))] if mixed else by_action
    cut = [_cut(items, chunk_size, call_size) for items in queues]
    return sorted(_in_turn(cut), key=lambda chunk: chunk.items[0].since or now)


def _in_turn(queues: Iterable[Iterable[T]]) -> Iterator[T]:
    """Yield the first element of each of ``queues``, then the second of each, and so on."""
    return (each for turn in zip_longest(*queues) for each in turn if each is not None)


def _cut(items: Sequence[PlannedItem], chunk_size: int, call_size: int) -> Iterator[Chunk]:
    """Yield ``items`` in chunks of items with equally many splits, longest waiting first."""
    ordered = sorted(items, key=lambda item: (item.split_level, item.since is None, item.since))
    for split_level, group in groupby(ordered, key=attrgetter("split_level")):
        size = chunk_size if call_size == 1 or not split_level else max(1, min(chunk_size, call_size) >> split_level)
        while some := tuple(islice(group, size)):
            yield Chunk(some)
