"""Transactions whose changes of catalogs, queries and content get one version, at their end."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Count, F, Max, Value
from django.db.models.functions import Coalesce, Greatest

from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
)
from enterprise_catalog.catalog.querysets import parts
from enterprise_catalog.catalog.versions import log
from enterprise_catalog.catalog.versions.clock import next_version
from enterprise_catalog.db.timestamps import TimestampField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID


@dataclass(slots=True)
class Changes:
    """The changes of a transaction so far; they determine the versions that move at its end."""

    now: datetime
    #: Id of changed content -> its new time of change.
    times: dict[int, datetime] = field(default_factory=dict)
    #: Ids of queries whose members or restricted runs changed.
    queries: set[int] = field(default_factory=set)
    #: Id of a query -> keys of its new members.
    joined: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Id of a query -> keys of its former members.
    left: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: UUIDs of new and changed catalogs.
    catalogs: set[UUID] = field(default_factory=set)
    #: UUIDs of customers whose catalog moved to another customer.
    losers: set[UUID] = field(default_factory=set)


_current: Final[ContextVar[Changes | None]] = ContextVar("changes", default=None)


@contextmanager
def versioned(now: datetime) -> Iterator[Changes]:
    """Run the block in a transaction that records changes in the yielded object; its end gives them one version.

    Inside another such block, it yields the outer block's changes. The version is then taken at the outer end: the
    clock must be locked last, and no writer may hold it while it reads documents.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    changes = Changes(now)
    with transaction.atomic():
        token = _current.set(changes)
        try:
            yield changes
        finally:
            _current.reset(token)
        move_versions(changes)


def move_versions(changes: Changes) -> None:
    """Give a new version to each changed catalog, and to each query whose members, or their content, changed."""
    counts = _count_changes(changes)
    logs = _lock_logs(sorted(counts))
    _outlast_addresses(sorted(counts), changes)
    if not (logs or changes.catalogs):
        return
    changed_at = Value(_latest_change(changes), TimestampField()) if logs else None
    version = next_version(changes.now, above=max((each.version for each in logs), default=0))
    reset = {each.query_id for each in logs if log.is_reset(each, counts[each.query_id])}
    for some in parts(sorted(counts)):
        CatalogQuery.objects.filter(pk__in=some).update(
            version=version,
            logged_to=version,
            content_changed_at=Greatest(Coalesce("content_changed_at", changed_at), changed_at),
        )
    log.reset(reset, version)
    log.write(version, changed=list(changes.times), joined=changes.joined, left=changes.left, without=reset)
    EnterpriseCatalog.objects.filter(pk__in=changes.catalogs).update(revision=Greatest(F("revision") + 1, version))
    EnterpriseCustomer.objects.filter(pk__in=changes.losers).update(catalog_lost_version=version)


def _count_changes(changes: Changes) -> Counter[int]:
    """Return id of each changed query -> number of its changed members, which is the number of rows for its log."""
    counts = Counter(dict.fromkeys(changes.queries, 0))
    for query_id, keys in chain(changes.joined.items(), changes.left.items()):
        counts[query_id] += len(keys)
    for ids in parts(list(changes.times)):
        members = CatalogMembership.objects.filter(content__in=ids).order_by()
        counts.update(dict(members.values_list("catalog_query").annotate(count=Count("pk"))))
        # A member that joined with a changed document has been counted already.
        rows = members.filter(catalog_query__in=changes.joined.keys()).values_list("catalog_query_id", "content_key")
        counts.subtract(query_id for query_id, key in rows if key in changes.joined[query_id])
    return counts


def _lock_logs(queries: Sequence[int]) -> list[log.QueryLog]:
    """Lock the queries. A concurrent edit of their catalogs has either ended, and is visible, or waits for the lock."""
    found = []
    for some in parts(queries):
        rows = CatalogQuery.objects.filter(pk__in=some).order_by("pk").select_for_update()
        found += [log.QueryLog(*row) for row in rows.values_list("pk", "version", "logged_to")]
    return found


def _outlast_addresses(queries: Sequence[int], changes: Changes) -> None:
    """Raise the times of changed content above the times at which their catalogs' enrollment URLs changed.

    Those times are lower bounds of the served times, and may be later than the start of this import. Callers would not
    see a change with an earlier time.
    """
    if not changes.times:
        return
    earliest = min(changes.times.values())
    catalogs = EnterpriseCatalog.objects.filter(documents_changed_at__gte=earliest).select_for_update()
    found = (catalogs.filter(catalog_query__in=some) for some in parts(queries))
    floors = [catalog.documents_changed_at for some in found for catalog in some if catalog.documents_changed_at]
    if not floors:
        return
    moment = max(floors) + timedelta(microseconds=1)
    for ids in parts([pk for pk, time in changes.times.items() if time < moment]):
        ContentMetadata.objects.filter(pk__in=ids).update(updated_at=moment)
        CatalogMembership.objects.filter(content__in=ids).update(updated_at=moment)
        changes.times |= dict.fromkeys(ids, moment)


def _latest_change(changes: Changes) -> datetime:
    """Return a time that is not before the time of change of any changed member."""
    members = CatalogMembership.objects.filter(catalog_query__in=changes.joined.keys())
    joined = members.aggregate(latest=Max("updated_at"))["latest"] if changes.joined else None
    latest: datetime = max([changes.now, *changes.times.values(), *([joined] if joined else [])])
    return latest
