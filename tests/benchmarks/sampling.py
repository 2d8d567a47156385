"""Alternating runs: variants are measured in one loop, so noise on the machine affects all of them equally."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """Several ways to do one thing. Each returns its seconds, without preparation and checks."""

    ways: Mapping[str, Callable[[], float]]
    prepare: Callable[[], object] = lambda: None  #: Called before the ways, in every round.


@dataclass(frozen=True, slots=True)
class Sampling:
    """Number of runs, and of warm-up runs before them that do not count."""

    runs: int
    warm_ups: int

    def by_turns(self, groups: Sequence[Group]) -> list[dict[str, list[float]]]:
        """Return the seconds of each run, for each group by way.

        The order of the groups, and of the ways in each, rotates by one in each round. Otherwise one way would
        always profit from the CPU caches that another way has warmed.
        """
        # Freeze the benchmark's own objects, which no server has. Scanning them in each collection would evict the
        # measured code's data from the CPU caches.
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
                gc.collect()  # No group pays for an earlier group's garbage.
                groups[index].prepare()
                for way in _rotated(list(groups[index].ways), number):
                    seconds = groups[index].ways[way]()
                    if number >= 0:
                        samples[index][way].append(seconds)
        return samples


def _rotated(things: Sequence[T], by: int) -> list[T]:
    shift = by % len(things)
    return [*things[shift:], *things[:shift]]
