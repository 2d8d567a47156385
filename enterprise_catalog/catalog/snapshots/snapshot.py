"""A catalog's items for the diff: read in one index scan, and cached until the catalog's version changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Final

import msgspec
import orjson

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.catalog.versions.state import read_state
from enterprise_catalog.db.consistent_reads import consistent_read, stream_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from enterprise_catalog.catalog.versions.state import CatalogState

    ItemType = Callable[[str, str], msgspec.Struct]

#: Answered from the index ``membership_diff`` alone. Plain SQL, because Django would convert each ``updated_at`` to a
#: ``datetime``.
SCAN: Final = (
    f"SELECT content_key, updated_at FROM {CatalogMembership._meta.db_table}"  # noqa: S608  (a constant name)
    " WHERE catalog_query_id = %s ORDER BY content_key"
)


#: Memory per item with a key of about 20 characters: the key, the fragment with its JSON, and slots in the two lists.
_BYTES_PER_ITEM: Final = 220
_FIXED_BYTES: Final = 1_000

_JSON_LINES: Final = msgspec.json.Encoder()


class DatedKey(msgspec.Struct, gc=False):
    """An item's key and time of change, as served in a diff."""

    content_key: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of a catalog at one version of its query, ascending by key."""

    version: int
    keys: list[str]
    items: list[orjson.Fragment]  #: The JSON of each item, in the order of ``keys``, for ``orjson.dumps``.

    @property
    def size_bytes(self) -> int:
        """The approximate memory in bytes."""
        return _FIXED_BYTES + len(self.keys) * _BYTES_PER_ITEM


_EMPTY: Final = Snapshot(0, [], [])


def read_diff(
    state: CatalogState, known_keys: Iterable[str], *, item_type: ItemType = DatedKey
) -> tuple[str, CatalogDiff[orjson.Fragment]]:
    """Return the catalog's version, and its difference from ``known_keys``.

    Args:
        state: the catalog's state, read for this request. The returned version is the same or a later one.
        item_type: the format of existing items, made of key and time of change.

    Returns:
        The version, and the diff, whose existing items are JSON for ``orjson.dumps``.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    state, snapshot = _get_snapshot(state, item_type)
    return state.version, compute_diff(snapshot.keys, snapshot.items, known_keys)


def _get_snapshot(state: CatalogState, item_type: ItemType) -> tuple[CatalogState, Snapshot]:
    """Return the state with its cached snapshot, or the current state with a new snapshot."""
    if state.query_id is None:
        return state, _EMPTY
    if kept := SNAPSHOTS.get(_cache_key(state, item_type), version=state.query_version):
        return state, kept
    with consistent_read():
        state = read_state(state.uuid)
        snapshot = _scan(state, item_type)
    SNAPSHOTS.put(_cache_key(state, item_type), snapshot)
    return state, snapshot


def _cache_key(state: CatalogState, item_type: ItemType) -> tuple[int | None, str, ItemType]:
    """Return the cache key: everything but the query's version that a snapshot depends on. Catalogs can share a key."""
    return state.query_id, state.documents_changed_at, item_type


def _scan(state: CatalogState, item_type: ItemType) -> Snapshot:
    keys: list[str] = []
    items: list[orjson.Fragment] = []
    floor = state.documents_changed_at  # No item is older.
    for rows in stream_rows(SCAN, [state.query_id]):
        keys += [key for key, _ in rows]
        items += _to_json(item_type, [(key, max(time, floor)) for key, time in rows] if floor else rows)
    return Snapshot(state.query_version, keys, items)


def _to_json(item_type: ItemType, rows: Iterable[tuple[str, str]]) -> Iterable[orjson.Fragment]:
    """Return the JSON of each row's item. JSON escapes line feeds, so each item is one line."""
    return map(orjson.Fragment, _JSON_LINES.encode_lines(list(starmap(item_type, rows))).splitlines())
