"""Growth of the diff's time with the catalog: time per item at each size, relative to one typical size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.results import Results


@dataclass(frozen=True, slots=True)
class Growth:
    """Time per item of one way at one size."""

    how: str
    case: str
    items: int
    seconds_per_item: float  #: From the median.
    to_typical: float  #: Ratio to the time per item at the typical size.


def growth_of_diffs(results: Results, sizes: Sequence[int], *, typical: int) -> Iterator[Growth]:
    """Yield the growth of every in-process way, by case, way and size."""
    for case in CASES:
        for how in ("floor", "cold", "warm"):
            per_item = {items: results.median("diff", how, case=case, items=items) / items for items in sizes}
            for items, seconds in per_item.items():
                yield Growth(how, case, items, seconds, seconds / per_item[typical])
