"""The query behind a catalog, from the members that the Open edX LMS sends.

The LMS owns the UUID, title and filter of the queries that course-discovery fills. A query that is filled from imported
files stays with its catalog: another query would replace the imported content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from uuid import uuid4

from django.db.models import Q

from enterprise_catalog.catalog.discovery.filters import edit_filter, hash_filter
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, QuerySource

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class QueryClashError(Exception):
    """Another query that is in use has the same value in a column that identifies queries."""

    def __init__(self, column: str) -> None:
        super().__init__(f"Another query has the same {column}.")
        self.column = column


#: Members of the LMS's request for a catalog, validated; ``CatalogWriteSerializer`` describes them.
Members: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestedQuery:
    """The query that a catalog shall have."""

    content_filter: dict[str, object]
    uuid: UUID | None = None  #: ``None``: any query with this filter.
    title: str | None = None  #: ``None`` keeps the title of an existing query.

    @classmethod
    def of(cls, values: Members, current: CatalogQuery | None) -> Self | None:
        """Return the query that ``values``, the members of a request, ask for; ``None`` if it stays as it is.

        A filter without a UUID asks for any query with this filter, and leaves other catalogs alone. A title alone
        renames the current query.
        """
        query_uuid, title = values.get("catalog_query_uuid"), values.get("query_title") or None
        if "content_filter" in values:
            return cls(values["content_filter"], query_uuid, title)
        if not query_uuid and not title:
            return None
        content_filter = current.content_filter if current else {}
        return cls(content_filter, query_uuid or (current.uuid if current else None), title)


def save_query(requested: RequestedQuery, current: CatalogQuery | None, *, now: datetime) -> CatalogQuery:
    """Return the requested query: found and changed, or created. Run it inside a transaction.

    Args:
        current: the catalog's query until now.

    Raises:
        QueryClashError: another query in use has the requested filter or title.
    """
    candidates = _lock_candidates(requested, current)
    named = next((query for query in candidates if query.uuid == requested.uuid), None)
    if current and current.source == QuerySource.IMPORT:
        return _save_imported(current, requested if named in (None, current) else replace(requested, uuid=None))
    if named and named.source == QuerySource.IMPORT:
        return named
    alike = next((query for query in candidates if _has_filter(query, requested)), None)
    query = named or alike or _new_query(requested)
    if alike and alike != query:
        _release_filter(alike)
    _check_title(query, requested)
    return _save(query, requested, now=now)


def _new_query(requested: RequestedQuery) -> CatalogQuery:
    query_uuid = requested.uuid or uuid4()
    return CatalogQuery(source=QuerySource.DISCOVERY, uuid=query_uuid, title=f"Query {query_uuid}")


def _lock_candidates(requested: RequestedQuery, current: CatalogQuery | None) -> list[CatalogQuery]:
    """Lock the queries that may change, in the order of their ids, as imports do."""
    identified = Q(content_filter_hash=hash_filter(requested.content_filter))
    if requested.uuid:
        identified |= Q(uuid=requested.uuid)
    if current:
        identified |= Q(pk=current.pk)
    return list(CatalogQuery.objects.filter(identified).order_by("pk").select_for_update())


def _has_filter(query: CatalogQuery, requested: RequestedQuery) -> bool:
    return query.content_filter_hash == hash_filter(requested.content_filter)


def _release_filter(other: CatalogQuery) -> None:
    """Let another query have the filter of a query that no catalog uses."""
    if _is_used(other):
        raise QueryClashError("content_filter_hash")
    other.content_filter_hash = None
    other.save(update_fields=["content_filter_hash"])


def _check_title(query: CatalogQuery, requested: RequestedQuery) -> None:
    if requested.title is None or requested.title == query.title:
        return
    others = CatalogQuery.objects.filter(source=QuerySource.DISCOVERY, title=requested.title).exclude(pk=query.pk)
    # The database also finds titles that differ in case.
    if any(other.title == requested.title and _is_used(other) for other in others):
        raise QueryClashError("title")


def _is_used(query: CatalogQuery) -> bool:
    return EnterpriseCatalog.objects.filter(catalog_query=query).exists()


def _save(query: CatalogQuery, requested: RequestedQuery, *, now: datetime) -> CatalogQuery:
    is_edited = edit_filter(query, requested.content_filter, now=now)
    is_renamed = _rename(query, requested)
    if query.pk is None:
        query.save()
    elif is_edited or is_renamed:
        query.save(update_fields=["uuid", "title", "content_filter", "content_filter_hash", "filter_edited_at"])
    return query


def _save_imported(query: CatalogQuery, requested: RequestedQuery) -> CatalogQuery:
    """Keep a note of the filter, which does not select the content of this query."""
    is_renamed = _rename(query, requested)
    if is_renamed or query.content_filter != requested.content_filter:
        query.content_filter = requested.content_filter
        query.save(update_fields=["uuid", "title", "content_filter"])
    return query


def _rename(query: CatalogQuery, requested: RequestedQuery) -> bool:
    """Set the requested UUID and title; return True if one of them is new."""
    before = query.uuid, query.title
    query.uuid = requested.uuid or query.uuid
    query.title = requested.title or query.title
    return (query.uuid, query.title) != before
