"""The snapshots that this process keeps: those last asked for, as far as they fit into a bound of memory.

What is kept is never trusted by itself: whoever asks has read the version from the database just before, and gets a
snapshot of that version or none.
"""

from __future__ import annotations

import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache
from django.conf import settings
from prometheus_client import Counter

if TYPE_CHECKING:
    from collections.abc import Hashable

    from enterprise_catalog.catalog.snapshots import Snapshot

LOOKUPS: Final = Counter("catalog_snapshot_lookups_total", "Diffs by whether a snapshot was at hand.", ["result"])


class SnapshotCache:
    """A place for snapshots, bounded by their bytes; safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._snapshots: LRUCache[Hashable, Snapshot] = LRUCache(max_bytes, getsizeof=attrgetter("size_bytes"))
        self._lock = threading.Lock()

    def get(self, place: Hashable, *, version: int) -> Snapshot | None:
        """Return what is kept at ``place``, if it is of exactly ``version``."""
        with self._lock:
            snapshot = self._snapshots.get(place)
        is_valid = snapshot is not None and snapshot.version == version
        LOOKUPS.labels("hit" if is_valid else "miss").inc()
        return snapshot if is_valid else None

    def put(self, place: Hashable, snapshot: Snapshot) -> None:
        """Keep ``snapshot`` instead of what was at ``place``; one that is larger than the bound is not kept."""
        with self._lock:
            self._snapshots.pop(place, None)
            if snapshot.size_bytes <= self._snapshots.maxsize:
                self._snapshots[place] = snapshot

    def clear(self) -> None:
        """Forget all snapshots."""
        with self._lock:
            self._snapshots.clear()


SNAPSHOTS: Final = SnapshotCache(settings.SNAPSHOT_CACHE_MB * 2**20)
