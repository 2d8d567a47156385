"""WHERE THE DIFF IS COMPUTED: pure values in, pure values out. No database, no HTTP, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

V = TypeVar("V")

_ITEMS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class CatalogDiff(Generic[V]):
    """How a catalog differs from the keys that a caller knows. Every list ascends by key, in code-point order.

    ``existing`` and ``to_delete`` partition the distinct keys sent; ``existing`` and ``to_create`` partition the
    catalog.
    """

    existing: list[V]  #: The values of what is known to the caller and in the catalog.
    to_create: list[str]  #: In the catalog, not known to the caller.
    to_delete: list[str]  #: Known to the caller, not in the catalog.


def compute_diff(keys: Sequence[str], values: Sequence[V], known_keys: Iterable[str]) -> CatalogDiff[V]:
    """Compare a catalog with the keys that a caller knows.

    Each step is one call of a builtin for many items, which takes a fraction of the time of a loop; and for no more
    items than stay in the processor's cache, which takes two thirds of the time of one call for all of them.

    Args:
        keys: the catalog's, each once, ascending.
        values: what the caller is told of each of them if it exists, in the same order.
        known_keys: the caller's keys in any order; duplicates count once.
    """
    unmatched = set(known_keys)
    if not unmatched:  # As before each first sync.
        return CatalogDiff([], list(keys), [])
    existing: list[V] = []
    to_create: list[str] = []
    for start in range(0, len(keys), _ITEMS_AT_ONCE):
        some_keys = keys[start : start + _ITEMS_AT_ONCE]
        are_known = list(map(unmatched.__contains__, some_keys))
        unmatched.difference_update(some_keys)
        existing += compress(values[start : start + _ITEMS_AT_ONCE], are_known)
        to_create += compress(some_keys, map(not_, are_known))
    return CatalogDiff(existing, to_create, to_delete=sorted(unmatched))
