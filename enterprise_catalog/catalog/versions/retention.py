"""Removes old versions, and the changes up to them, in short transactions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db.models import F, Max, Min, Q
from django.db.models.functions import Least

from enterprise_catalog.catalog.models import CatalogQuery, CatalogVersion, ContentChange, VersionClock
from enterprise_catalog.catalog.querysets import parts
from enterprise_catalog.db.batched_deletes import ROWS_PER_TRANSACTION
from enterprise_catalog.db.contention import retry

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.db.batched_deletes import BatchedDeletes


def remove_old(deletes: BatchedDeletes, *, before: datetime) -> None:
    """Delete the versions recorded before a time. The changes up to them are deleted first.

    The current version of a query stays: a caller who has it learns what changes next. Safe to repeat, and to stop at
    any time.

    Raises:
        ContentionError: imports blocked a transaction for too long; some rows may have been deleted.
    """
    last = CatalogVersion.objects.filter(recorded_at__lt=before).aggregate(last=Max("version"))["last"]
    if last is None:
        return
    _begin_logs_at(last)
    queries = ContentChange.objects.values_list("catalog_query").annotate(first=Min("version")).order_by()
    for query_id, first in list(queries):
        if first <= last:
            _remove_changes(deletes, query_id)
    _remove_versions(deletes, last)


def _begin_logs_at(version: int) -> None:
    """Let the log of each query begin at ``version``, or at the query's current version if that is older."""
    begin = Least("version", version)
    early = CatalogQuery.objects.filter(logged_from__lt=begin, logged_to=F("version"))
    for ids in parts(list(early.order_by("pk").values_list("pk", flat=True))):
        retry(partial(early.filter(pk__in=ids).update, logged_from=begin))


def _remove_versions(deletes: BatchedDeletes, last: int) -> None:
    current = {*CatalogQuery.objects.filter(version__lte=last).values_list("version", flat=True)}
    current |= {*VersionClock.objects.values_list("version", flat=True)}
    old = [*CatalogVersion.objects.filter(version__lte=last).order_by("version").values_list("version", flat=True)]
    for versions in parts([version for version in old if version not in current]):
        if not deletes.delete_batch(CatalogVersion.objects.filter(version__in=versions)):
            return


def _remove_changes(deletes: BatchedDeletes, query_id: int) -> None:
    """Delete a query's changes that its log no longer contains."""
    begin = CatalogQuery.objects.values_list("logged_from", flat=True).get(pk=query_id)
    old = ContentChange.objects.filter(catalog_query=query_id, version__lte=begin).order_by("version", "content_key")
    while rows := list(old.values_list("version", "content_key")[:ROWS_PER_TRANSACTION]):
        version, key = rows[-1]
        are_first = Q(version__lt=version) | Q(version=version, content_key__lte=key)
        if not deletes.delete_batch(old.order_by().filter(are_first)):
            return
