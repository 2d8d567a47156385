"""One refresh of a query: search, full documents of what changed, guard rail, and one transaction that applies it all.

Until that transaction, nothing of a refresh is visible: a failure or a dead worker leaves the query as it was. Safe to
repeat, and to run on several workers (``leases.py``).
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

from enterprise_catalog.catalog.discovery import leases, records
from enterprise_catalog.catalog.discovery.client import DiscoveryClient
from enterprise_catalog.catalog.discovery.collection import Collection, collect
from enterprise_catalog.catalog.discovery.documents import UnusableResultError
from enterprise_catalog.catalog.discovery.guard_rail import MembershipChange, find_objection
from enterprise_catalog.catalog.discovery.leases import Lease, LeaseLostError
from enterprise_catalog.catalog.discovery.nested import store_nested
from enterprise_catalog.catalog.ingest.restricted import replace_restricted
from enterprise_catalog.catalog.ingest.writer import replace_members
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, DiscoveredContent, RefreshState
from enterprise_catalog.catalog.querysets import KEYS_PER_STATEMENT
from enterprise_catalog.catalog.versions.versioned import versioned
from enterprise_catalog.db.contention import ContentionError, retry
from enterprise_catalog.service_client.exceptions import IncompleteListError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from enterprise_catalog.catalog.models import CatalogRefresh

log = structlog.get_logger(__name__)

#: Searches are repeated this often if course-discovery's index changes while its pages are read.
SEARCH_ATTEMPTS: Final = 3
REFRESHES: Final = Counter("catalog_refreshes_total", "Refreshes of queries by their state at the end.", ["state"])
for _state in (RefreshState.COMPLETE, RefreshState.HELD, RefreshState.FAILED):  # Counters must begin at 0.
    REFRESHES.labels(_state)
FILTER_EDITED: Final = "The filter was edited during the refresh. Nothing was changed; refresh the query again."


class HeldError(Exception):
    """An operator must approve the change; the text is the reason."""

    def __init__(self, reason: str, change: MembershipChange) -> None:
        super().__init__(reason)
        self.reason = reason
        self.change = change


class FilterEditedError(Exception):
    """The query's filter was edited since the search."""


def refresh(
    row: CatalogRefresh,
    *,
    clock: Callable[[], datetime],
    on_page: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Carry out a refresh, and write its result to ``row``.

    Args:
        on_page: called with the number of items found so far.
        sleep: called to wait before a request is repeated.

    Returns:
        ``False`` if another refresh of the query is running: try again later.
    """
    lease = leases.acquire(row.catalog_query_id, now=clock())
    if lease is None:
        return False
    if records.begin(row, now=clock()):
        _Refresh(row, lease, clock, on_page, sleep).run()
    else:
        lease.release()
    return True


@dataclass(slots=True)
class _Refresh:
    """A worker's refresh of a query, with the lease."""

    row: CatalogRefresh
    lease: Lease
    clock: Callable[[], datetime]
    on_page: Callable[[int], None]
    sleep: Callable[[float], None]

    def run(self) -> None:
        events = log.bind(refresh_id=self.row.pk, query_id=self.row.catalog_query_id)
        events.info("refresh_started", trigger=self.row.trigger)
        try:
            self._run()
        except LeaseLostError:
            # The worker that took over has written the end of this refresh.
            events.warning("refresh_lost")
            return
        except (ServiceError, UnusableResultError, ContentionError) as error:
            self._fail(str(error))
        except FilterEditedError:
            self._fail(FILTER_EDITED)
        except Exception as error:
            self._fail(f"Internal error: {type(error).__name__}. See the log.")
            raise
        finally:
            if self.row.state != RefreshState.RUNNING:
                REFRESHES.labels(self.row.state).inc()
        events.info("refresh_ended", state=self.row.state, added=self.row.added, removed=self.row.removed)

    def _run(self) -> None:
        query = CatalogQuery.objects.get(pk=self.row.catalog_query_id)
        with DiscoveryClient(sleep=self._sleep) as client, tempfile.TemporaryFile(prefix="refresh-") as file:
            for attempt in range(1, SEARCH_ATTEMPTS + 1):
                try:
                    file.seek(0)
                    file.truncate()
                    collection = collect(query, client, file, on_page=self._report)
                    break
                except IncompleteListError:
                    if attempt == SEARCH_ATTEMPTS:
                        raise
            try:
                retry(lambda: self._apply(query, collection))
            except HeldError as error:
                self._hold(collection, error)

    def _report(self, found: int) -> None:
        self.lease.renew(now=self.clock())
        self.on_page(found)

    def _sleep(self, seconds: float) -> None:
        self.lease.renew(now=self.clock())
        self.sleep(seconds)

    @transaction.atomic
    def _apply(self, searched: CatalogQuery, collection: Collection) -> None:
        """Make the query's members those of ``collection``.

        Raises:
            HeldError: the guard rail. FilterEditedError: ``searched`` is stale. LeaseLostError: another worker
                refreshes the query. Nothing was written.
        """
        # First: the snapshot of this transaction must not be older than the lock.
        self.lease.renew(now=self.clock())
        query = CatalogQuery.objects.get(pk=searched.pk)
        if query.content_filter_hash != searched.content_filter_hash:
            raise FilterEditedError
        change = compare(query, collection.content.keys)
        if objection := find_objection_to(query, change):
            raise HeldError(objection, change)
        now = self.clock()
        with versioned(now):
            report = replace_members(query, collection.content, now=now)
            restricted = collection.restricted
            replace_restricted(query, courses=restricted.courses, runs=restricted.runs, now=now)
            _store_hashes(collection.result_hashes)
            store_nested(collection.nested)
            self.row.finished_at = now
            records.complete(self.row, collection, change, changed=report.updated)
            self.lease.release()

    @transaction.atomic
    def _hold(self, collection: Collection, error: HeldError) -> None:
        self.lease.release()
        self.row.finished_at = self.clock()
        records.hold(self.row, collection, error.change, error.reason)

    def _fail(self, reason: str) -> None:
        try:
            with transaction.atomic():
                self.lease.release()
                records.fail(self.row, reason, now=self.clock())
        except LeaseLostError:
            log.warning("refresh_lost", refresh_id=self.row.pk)


def compare(query: CatalogQuery, keys: set[str]) -> MembershipChange:
    """Return the difference between the query's members and ``keys``."""
    members = set(query.memberships.values_list("content_key", flat=True))
    return MembershipChange(len(members), len(keys), added=keys - members, removed=members - keys)


def find_objection_to(query: CatalogQuery, change: MembershipChange) -> str:
    """Return why an operator must approve a change of the query's members; empty if no approval is needed."""
    rest = change.without(records.approved_change(query))
    limit = settings.REFRESH_CHANGE_LIMIT_PERCENT
    return find_objection(rest, limit_percent=limit, is_expected=is_edited(query))


def is_edited(query: CatalogQuery) -> bool:
    """Return True if the filter was edited since the last complete refresh."""
    edited, refreshed = query.filter_edited_at, query.refreshed_at
    return edited is not None and (refreshed is None or edited > refreshed)


def _store_hashes(hashes: dict[str, str]) -> None:
    keys = sorted(hashes)
    for start in range(0, len(keys), KEYS_PER_STATEMENT):
        _store_some_hashes(keys[start : start + KEYS_PER_STATEMENT], hashes)


def _store_some_hashes(keys: Sequence[str], hashes: dict[str, str]) -> None:
    ids = dict(ContentMetadata.objects.with_keys(keys).values_list("content_key", "pk"))
    stored = dict(DiscoveredContent.objects.filter(content__in=ids.values()).values_list("content_id", "result_hash"))
    rows = [DiscoveredContent(content_id=ids[key], result_hash=hashes[key]) for key in keys if key in ids]
    DiscoveredContent.objects.bulk_create([row for row in rows if row.content_id not in stored])
    changed = [row for row in rows if stored.get(row.content_id, row.result_hash) != row.result_hash]
    if changed:
        DiscoveredContent.objects.bulk_update(changed, ["result_hash"])
