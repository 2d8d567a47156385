"""Refreshes for tests: queries of course-discovery, and refreshes that run in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.models import CatalogQuery, CatalogRefresh, ContentDocument, QuerySource, RefreshTrigger
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from enterprise_catalog.catalog.models import RefreshState


def discovery_query(content_filter: dict[str, Any] | None = None, *, title: str = "Courses") -> CatalogQuery:
    """Return a saved query of courses, or with another filter, edited before every refresh."""
    query = CatalogQuery(title=title, source=QuerySource.DISCOVERY)
    edit_filter(query, {"content_type": "course"} if content_filter is None else content_filter, now=DAY_ONE)
    query.save()
    return query


def refreshed(
    query: CatalogQuery,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_page: Callable[[int], None] = lambda _: None,
) -> CatalogRefresh:
    """Refresh a query without waiting between attempts, and return the row as stored."""
    row = records.create(query, trigger=RefreshTrigger.COMMAND, by="", now=clock())
    assert refresh(row, clock=clock, on_page=on_page, sleep=lambda _: None)
    return CatalogRefresh.objects.get(pk=row.pk)


def members(query: CatalogQuery) -> list[str]:
    """Return the keys of the query's members, ascending."""
    return list(query.memberships.in_key_order().values_list("content_key", flat=True))


def states(rows: Iterable[CatalogRefresh]) -> list[RefreshState | str]:
    """Return the stored states of these refreshes, in their order."""
    return [CatalogRefresh.objects.get(pk=row.pk).state for row in rows]


def stored(key: str) -> dict[str, Any]:
    """Return the stored document of an item."""
    document: dict[str, Any] = orjson.loads(ContentDocument.objects.get(content__content_key=key).json)
    return document
