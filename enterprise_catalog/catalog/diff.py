"""Computes the diff: pure values in, pure values out. No database, no HTTP, no clock."""

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
    """The difference between a catalog and a caller's keys. Every list ascends by key, in code-point order.

    ``existing`` and ``to_delete`` partition the distinct keys sent; ``existing`` and ``to_create`` partition the
    catalog.
    """

    existing: list[V]  #: The values of the keys that are both sent and in the catalog.
    to_create: Sequence[str]  #: Keys in the catalog that were not sent; may be the catalog's own list.
    to_delete: list[str]  #: Keys that were sent and are not in the catalog.


def compute_diff(keys: Sequence[str], values: Sequence[V], known_keys: Iterable[str]) -> CatalogDiff[V]:
    """Compare a catalog with the keys that a caller has.

    Each step calls a builtin for many items, which takes a fraction of the time of a loop. Each batch fits in the
    processor's cache, which takes two thirds of the time of one call for all items.

    Args:
        keys: the catalog's keys, each once, ascending.
        values: the value to return for each existing key, in the same order.
        known_keys: the caller's keys in any order; duplicates count once.
    """
    unmatched = set(known_keys)
    if not unmatched:  # Before a first sync.
        return CatalogDiff([], keys, [])
    existing: list[V] = []
    to_create: list[str] = []
    for start in range(0, len(keys), _ITEMS_AT_ONCE):
        some_keys = keys[start : start + _ITEMS_AT_ONCE]
        are_known = list(map(unmatched.__contains__, some_keys))
        unmatched.difference_update(some_keys)
        existing += compress(values[start : start + _ITEMS_AT_ONCE], are_known)
        to_create += compress(some_keys, map(not_, are_known))
    return CatalogDiff(existing, to_create, to_delete=sorted(unmatched))
