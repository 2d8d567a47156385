"""A catalog's items for the diff: read in one index scan, and cached until the catalog's version changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.catalog.versions.state import read_state
from enterprise_catalog.db.consistent_reads import consistent_read, stream_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from enterprise_catalog.catalog.versions.state import CatalogState
    from enterprise_catalog.db.consistent_reads import Row

#: Answered from the index ``membership_diff`` alone. Plain SQL, because Django would convert each ``updated_at`` to a
#: ``datetime``.
SCAN: Final = (
    f"SELECT content_key, updated_at FROM {CatalogMembership._meta.db_table}"  # noqa: S608  (a constant name)
    " WHERE catalog_query_id = %s ORDER BY content_key"
)


#: The JSON that all items have in common: before the first key, between a time and the next key, after the last time.
_START: Final = '{"content_key":"'
_BETWEEN: Final = '"},{"content_key":"'
_END: Final = '"}'
#: The JSON between two keys of an array.
_BETWEEN_KEYS: Final = '","'
#: Items in one piece of a response. With 50,000 items in one piece, orjson took four times as long.
_ITEMS_PER_PIECE: Final = 500

#: Memory per item with a key of about 20 characters: the key, its JSON, the item's text, and slots in the two lists.
_BYTES_PER_ITEM: Final = 235
_FIXED_BYTES: Final = 1_000


class Keys(list[str]):
    """All keys of a catalog, with their JSON: before a first sync, a diff returns all of them."""

    def __init__(self) -> None:
        """Start without keys."""
        super().__init__()
        self.json: list[orjson.Fragment] = []  #: One piece for each batch of keys, for ``orjson.dumps``.


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of a catalog at one version of its query, ascending by key."""

    version: int
    keys: Keys
    items: list[str]  #: The JSON of each item, from its key to its time, in the order of ``keys``.

    @property
    def size_bytes(self) -> int:
        """The approximate memory in bytes."""
        return _FIXED_BYTES + len(self.keys) * _BYTES_PER_ITEM


_EMPTY: Final = Snapshot(0, Keys(), [])


def read_diff(
    state: CatalogState, known_keys: Iterable[str], *, time_name: str = "updated_at"
) -> tuple[str, CatalogDiff[str]]:
    """Return the catalog's version, and its difference from ``known_keys``.

    Args:
        state: the catalog's state, read for this request. The returned version is the same or a later one.
        time_name: the name of the time of change in the JSON of existing items.

    Returns:
        The version, and the diff. :func:`items_as_json` and :func:`keys_as_json` prepare its lists for a response.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    state, snapshot = _get_snapshot(state, time_name)
    return state.version, compute_diff(snapshot.keys, snapshot.items, known_keys)


def items_as_json(items: Sequence[str]) -> list[orjson.Fragment]:
    """Return the existing items of a diff, for ``orjson.dumps``: a list of pieces, each the JSON of many items."""
    return [
        orjson.Fragment(f"{_START}{_BETWEEN.join(items[start : start + _ITEMS_PER_PIECE])}{_END}")
        for start in range(0, len(items), _ITEMS_PER_PIECE)
    ]


def keys_as_json(keys: Sequence[str]) -> Sequence[str | orjson.Fragment]:
    """Return the keys of a diff, for ``orjson.dumps``. The JSON of all keys of a catalog is part of its snapshot."""
    return keys.json if isinstance(keys, Keys) else keys


def _get_snapshot(state: CatalogState, time_name: str) -> tuple[CatalogState, Snapshot]:
    """Return the state with its cached snapshot, or with a new one; a later state if the catalog has changed.

    A scan has the items of ``state`` if the catalog's version is still the same afterwards; no version ever returns.
    Otherwise, state and items are read again, in one transaction. This saves most diffs the transaction's statements.
    """
    if state.query_id is None:
        return state, _EMPTY
    if kept := SNAPSHOTS.get(_cache_key(state, time_name), version=state.query_version):
        return state, kept
    snapshot = _scan(state, time_name)
    if not read_state(state.uuid).version_parts.has_items_of(state.version_parts):
        with consistent_read():
            state = read_state(state.uuid)
            snapshot = _scan(state, time_name)
    SNAPSHOTS.put(_cache_key(state, time_name), snapshot)
    return state, snapshot


def _cache_key(state: CatalogState, time_name: str) -> tuple[int | None, str, str]:
    """Return the cache key: everything but the query's version that a snapshot depends on. Catalogs can share a key."""
    return state.query_id, state.documents_changed_at, time_name


def _scan(state: CatalogState, time_name: str) -> Snapshot:
    keys = Keys()
    items: list[str] = []
    floor = state.documents_changed_at  # No item is older.
    before_time = f'","{time_name}":"'
    for rows in stream_rows(SCAN, [state.query_id]):
        batch = [key for key, _ in rows]
        keys_json = orjson.dumps(batch)[1:-1]  # Without the brackets.
        keys += batch
        keys.json.append(orjson.Fragment(keys_json))
        dated = [(key, max(time, floor)) for key, time in rows] if floor else rows
        # Most keys are the same in JSON. Escapes would make the JSON longer.
        is_escaped = keys_json != f'"{_BETWEEN_KEYS.join(batch)}"'.encode()
        items += [f"{key}{before_time}{time}" for key, time in (_escaped(dated) if is_escaped else dated)]
    return Snapshot(state.query_version, keys, items)


def _escaped(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows with their keys as they are written between the quotes of JSON strings."""
    return [(orjson.dumps(key).decode()[1:-1], time) for key, time in rows]
