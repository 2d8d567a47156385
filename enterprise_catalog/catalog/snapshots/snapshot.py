"""A catalog's items for the diff: read in one index scan, and cached until the catalog's version changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Final

import msgspec

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.catalog.state import read_state
from enterprise_catalog.db.consistent_reads import consistent_read, stream_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from enterprise_catalog.catalog.state import CatalogState

#: Answered from the index ``membership_diff`` alone. Plain SQL, because Django would convert each ``updated_at`` to a
#: ``datetime``.
SCAN: Final = (
    f"SELECT content_key, updated_at FROM {CatalogMembership._meta.db_table}"  # noqa: S608  (a constant name)
    " WHERE catalog_query_id = %s ORDER BY content_key"
)


#: Memory per item with a key of about 20 characters: two strings, the object, and the slots in the two lists.
_BYTES_PER_ITEM: Final = 210
_FIXED_BYTES: Final = 1_000


class DatedKey(msgspec.Struct, frozen=True, gc=False):
    """An item's key and time of change.

    A Struct, because msgspec creates and encodes it without a Python call per item. It refers to strings only, so the
    garbage collector need not track it.
    """

    content_key: str
    updated_at: str  #: As served.


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of a catalog at one version of its query, ascending by key."""

    version: int
    keys: list[str]
    items: list[DatedKey]  #: In the order of ``keys``.

    @property
    def size_bytes(self) -> int:
        """The approximate memory in bytes."""
        return _FIXED_BYTES + len(self.keys) * _BYTES_PER_ITEM


_EMPTY: Final = Snapshot(0, [], [])


def read_diff(state: CatalogState, known_keys: Iterable[str]) -> tuple[str, CatalogDiff[DatedKey]]:
    """Return the catalog's version, and its difference from ``known_keys``.

    Args:
        state: the catalog's state, read for this request. The returned version is the same or a later one.

    Returns:
        The version, and the diff.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    state, snapshot = _get_snapshot(state)
    return state.version, compute_diff(snapshot.keys, snapshot.items, known_keys)


def _get_snapshot(state: CatalogState) -> tuple[CatalogState, Snapshot]:
    """Return the state with its cached snapshot, or the current state with a new snapshot."""
    if state.query_id is None:
        return state, _EMPTY
    if kept := SNAPSHOTS.get(_cache_key(state), version=state.query_version):
        return state, kept
    with consistent_read():
        state = read_state(state.uuid)
        snapshot = _scan(state)
    SNAPSHOTS.put(_cache_key(state), snapshot)
    return state, snapshot


def _cache_key(state: CatalogState) -> tuple[int | None, str]:
    """Return the cache key: everything but the query's version that a snapshot depends on. Catalogs can share a key."""
    return state.query_id, state.documents_changed_at


def _scan(state: CatalogState) -> Snapshot:
    keys: list[str] = []
    items: list[DatedKey] = []
    for rows in stream_rows(SCAN, [state.query_id]):
        keys += [key for key, _ in rows]
        items += _dated_keys(rows, floor=state.documents_changed_at)
    return Snapshot(state.query_version, keys, items)


def _dated_keys(rows: Sequence[tuple[str, str]], *, floor: str) -> Iterable[DatedKey]:
    """Return the items of some rows (key, time of change); no item is older than ``floor``."""
    if floor:
        return [DatedKey(key, max(time, floor)) for key, time in rows]
    return starmap(DatedKey, rows)
