"""The snapshots cached in this process: an LRU cache with a memory limit.

Callers read the current version from the database first. A cached snapshot is only used if it has exactly that version.
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

    from enterprise_catalog.catalog.snapshots.snapshot import Snapshot

LOOKUPS: Final = Counter("catalog_snapshot_lookups_total", "Diffs by whether a snapshot was at hand.", ["result"])


class SnapshotCache:
    """An LRU cache of snapshots, limited by their bytes; thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._snapshots: LRUCache[Hashable, Snapshot] = LRUCache(max_bytes, getsizeof=attrgetter("size_bytes"))
        self._lock = threading.Lock()

    def get(self, key: Hashable, *, version: int) -> Snapshot | None:
        """Return the snapshot cached under ``key`` if it has exactly this ``version``, otherwise ``None``."""
        with self._lock:
            snapshot = self._snapshots.get(key)
        is_valid = snapshot is not None and snapshot.version == version
        LOOKUPS.labels("hit" if is_valid else "miss").inc()
        return snapshot if is_valid else None

    def put(self, key: Hashable, snapshot: Snapshot) -> None:
        """Replace the snapshot under ``key``. A snapshot larger than the whole cache is not stored."""
        with self._lock:
            self._snapshots.pop(key, None)
            if snapshot.size_bytes <= self._snapshots.maxsize:
                self._snapshots[key] = snapshot

    def clear(self) -> None:
        """Remove all snapshots."""
        with self._lock:
            self._snapshots.clear()


SNAPSHOTS: Final = SnapshotCache(settings.SNAPSHOT_CACHE_MB * 2**20)
