"""What a diff needs of a catalog: read in one scan of an index, kept for as long as the catalog's version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.snapshot_cache import SNAPSHOTS
from enterprise_catalog.catalog.state import read_state
from enterprise_catalog.one_state import one_state, stream_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from enterprise_catalog.catalog.state import CatalogState

#: Answered by the index ``membership_diff`` alone. In plain SQL, since Django would make a ``datetime`` of each time.
SCAN: Final = (
    f"SELECT content_key, updated_at FROM {CatalogMembership._meta.db_table}"  # noqa: S608, SLF001  (a constant name)
    " WHERE catalog_query_id = %s ORDER BY content_key"
)


#: Of memory, for an item with a key of some 20 characters: two texts and their places in the two lists.
_BYTES_PER_ITEM: Final = 210
_FIXED_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of a catalog at one version of its query, ascending by key."""

    version: int
    keys: list[str]
    existing: list[str]  #: Each item's key and time of change, ready for :func:`existing_as_json`.

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes: an item's two texts share most of their letters, hence their length."""
        return _FIXED_BYTES + len(self.keys) * _BYTES_PER_ITEM


_FIRST: Final = '[{"content_key":"'
#: Times begin with the 2 of their year, which tells this place from the quotes around a key that is a comma.
_KEY_AND_TIME: Final = ('","2', '","updated_at":"2')
_BETWEEN_ITEMS: Final = '"},{"content_key":"'
_LAST: Final = '"}]'

_EMPTY: Final = Snapshot(0, [], [])


def read_diff(state: CatalogState, known_keys: Iterable[str]) -> tuple[str, CatalogDiff[str]]:
    """Return a version of a catalog, and how that differs from ``known_keys``.

    Args:
        state: of the catalog, read for this answer; the version is that one, or a later one.

    Returns:
        The version, and a diff whose ``existing`` is for :func:`existing_as_json`.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    state, snapshot = _snapshot(state)
    return state.version, compute_diff(snapshot.keys, snapshot.existing, known_keys)


def existing_as_json(existing: Sequence[str]) -> bytes:
    """Return ``[{"content_key":"…","updated_at":"…"},…]`` of the ``existing`` of a diff."""
    return "".join((_FIRST, _BETWEEN_ITEMS.join(existing), _LAST)).encode() if existing else b"[]"


def _snapshot(state: CatalogState) -> tuple[CatalogState, Snapshot]:
    """Return the snapshot of a state: the one that is kept of it, or else a later state with its own."""
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
    """Return what, beside the query's version, a snapshot depends on; catalogs that agree in it share one."""
    return state.query_id, state.documents_changed_at


def _scan(state: CatalogState) -> Snapshot:
    keys: list[str] = []
    existing: list[str] = []
    for rows in stream_rows(SCAN, [state.query_id]):
        keys += [key for key, _ in rows]
        existing += _entries(rows, floor=state.documents_changed_at)
    return Snapshot(state.query_version, keys, existing)


def _entries(rows: Sequence[tuple[Any, ...]], *, floor: str) -> list[str]:
    """Return :attr:`Snapshot.existing` of some rows, by a call of a builtin for each step instead of one for each row.

    ``[["edX+A","2026…Z"],["edX+B","2026…Z"]]`` is taken apart at ``"],["``. No key holds what is looked for: a quote in
    a key has a backslash before it.
    """
    if floor:
        rows = [(key, max(time, floor)) for key, time in rows]
    return orjson.dumps(rows)[3:-3].decode().replace(*_KEY_AND_TIME).split('"],["')
