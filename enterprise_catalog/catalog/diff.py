"""WHERE THE DIFF IS COMPUTED: pure values in, pure values out. No database, no HTTP, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CatalogDiff(Generic[V]):
    """How a catalog differs from the keys that a caller knows. Every list ascends by key, in code-point order.

    ``existing`` and ``to_delete`` partition the distinct keys sent; ``existing`` and ``to_create`` partition the
    catalog.
    """

    existing: list[tuple[str, V]]  #: Known to the caller and in the catalog, with the catalog's value of each.
    to_create: list[str]  #: In the catalog, not known to the caller.
    to_delete: list[str]  #: Known to the caller, not in the catalog.


def compute_diff(members: Iterable[tuple[str, V]], known_keys: Iterable[str]) -> CatalogDiff[V]:
    """Compare a catalog with the keys that a caller knows, in one pass over the catalog.

    Args:
        members: key and value (such as the time of change) of each item, each key once, ascending by key.
        known_keys: the caller's keys in any order; duplicates count once.
    """
    unmatched = set(known_keys)
    existing: list[tuple[str, V]] = []
    to_create: list[str] = []
    for member in members:
        key = member[0]
        if key in unmatched:
            unmatched.remove(key)
            existing.append(member)
        else:
            to_create.append(key)
    return CatalogDiff(existing=existing, to_create=to_create, to_delete=sorted(unmatched))
