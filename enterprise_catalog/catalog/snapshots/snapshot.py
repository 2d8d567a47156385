"""A catalog's items for the diff: read in one index scan, and cached until the catalog's version changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.catalog.state import read_state
from enterprise_catalog.db.consistent_reads import one_state, stream_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from enterprise_catalog.catalog.state import CatalogState

#: Answered from the index ``membership_diff`` alone. Plain SQL, because Django would convert each time to a
#: ``datetime``.
SCAN: Final = (
    f"SELECT content_key, updated_at FROM {CatalogMembership._meta.db_table}"  # noqa: S608  (a constant name)
    " WHERE catalog_query_id = %s ORDER BY content_key"
)


#: Memory per item with a key of about 20 characters: two strings and their slots in the two lists.
_BYTES_PER_ITEM: Final = 210
_FIXED_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of a catalog at one version of its query, ascending by key."""

    version: int
    keys: list[str]
    existing: list[str]  #: Each item's key and time of change, for :func:`existing_as_json`.

    @property
    def size_bytes(self) -> int:
        """The approximate memory in bytes."""
        return _FIXED_BYTES + len(self.keys) * _BYTES_PER_ITEM


_FIRST: Final = '[{"content_key":"'
#: Times start with the 2 of their year. This distinguishes the separator from the quotes around a key that is a comma.
_KEY_AND_TIME: Final = ('","2', '","updated_at":"2')
_BETWEEN_ITEMS: Final = '"},{"content_key":"'
_LAST: Final = '"}]'

_EMPTY: Final = Snapshot(0, [], [])


def read_diff(state: CatalogState, known_keys: Iterable[str]) -> tuple[str, CatalogDiff[str]]:
    """Return the catalog's version, and its difference from ``known_keys``.

    Args:
        state: the catalog's state, read for this request. The returned version is the same or a later one.

    Returns:
        The version, and a diff whose ``existing`` is for :func:`existing_as_json`.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    state, snapshot = _snapshot(state)
    return state.version, compute_diff(snapshot.keys, snapshot.existing, known_keys)


def existing_as_json(existing: Sequence[str]) -> bytes:
    """Return ``[{"content_key":"…","updated_at":"…"},…]`` for the ``existing`` list of a diff."""
    return "".join((_FIRST, _BETWEEN_ITEMS.join(existing), _LAST)).encode() if existing else b"[]"


def _snapshot(state: CatalogState) -> tuple[CatalogState, Snapshot]:
    """Return the state with its cached snapshot, or the current state with a new snapshot."""
    if state.query_id is None:
        return state, _EMPTY
    if kept := SNAPSHOTS.get(_place(state), version=state.query_version):
        return state, kept
    with one_state():
        state = read_state(state.uuid)
        snapshot = _scan(state)
    SNAPSHOTS.put(_place(state), snapshot)
    return state, snapshot


def _place(state: CatalogState) -> tuple[int | None, str]:
    """Return the cache key: everything but the query's version that a snapshot depends on. Catalogs can share a key."""
    return state.query_id, state.documents_changed_at


def _scan(state: CatalogState) -> Snapshot:
    keys: list[str] = []
    existing: list[str] = []
    for rows in stream_rows(SCAN, [state.query_id]):
        keys += [key for key, _ in rows]
        existing += _entries(rows, floor=state.documents_changed_at)
    return Snapshot(state.query_version, keys, existing)


def _entries(rows: Sequence[tuple[Any, ...]], *, floor: str) -> list[str]:
    """Return :attr:`Snapshot.existing` for some rows, with one builtin call per step instead of one per row.

    Splits ``[["edX+A","2026…Z"],["edX+B","2026…Z"]]`` at ``"],["``. No key contains this separator, because a quote in
    a key is escaped with a backslash.
    """
    if floor:
        rows = [(key, max(time, floor)) for key, time in rows]
    return orjson.dumps(rows)[3:-3].decode().replace(*_KEY_AND_TIME).split('"],["')
