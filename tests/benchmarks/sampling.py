"""Runs by turns: what is to be compared is measured in one loop, so that noise of the machine hits all alike."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """Several ways to do one thing. Each returns the seconds that count, since preparing and checking do not."""

    ways: Mapping[str, Callable[[], float]]
    prepare: Callable[[], object] = lambda: None  #: Called before the ways, in every round.


@dataclass(frozen=True, slots=True)
class Sampling:
    """How often each thing is measured, after how many runs that do not count."""

    runs: int
    warm_ups: int

    def by_turns(self, groups: Sequence[Group]) -> list[dict[str, list[float]]]:
        """Return the seconds of each run, for each group by way.

        The order moves on by one from round to round, of the groups and of the ways in each: nobody always runs after
        the one who left the processor's caches warm.
        """
        # What the benchmark itself holds, no server does: to search it for garbage each time would push all that is
        # measured out of the processor's caches.
        gc.collect()
        gc.freeze()
        try:
            return self._by_turns(groups)
        finally:
            gc.unfreeze()

    def _by_turns(self, groups: Sequence[Group]) -> list[dict[str, list[float]]]:
        samples: list[dict[str, list[float]]] = [{way: [] for way in group.ways} for group in groups]
        for number in range(-self.warm_ups, self.runs):
            for index in _rotated(range(len(groups)), number):
                gc.collect()  # No group pays for what an earlier one left behind.
                groups[index].prepare()
                for way in _rotated(list(groups[index].ways), number):
                    seconds = groups[index].ways[way]()
                    if number >= 0:
                        samples[index][way].append(seconds)
        return samples


def _rotated(things: Sequence[T], by: int) -> list[T]:
    shift = by % len(things)
    return [*things[shift:], *things[:shift]]
