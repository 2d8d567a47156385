"""The writer of the log of changes of queries' members, at the end of a transaction.

A query's first content, and a change of a large part of it, are not logged: the log then begins again at the new
version. A reader with an earlier version compares the whole catalog, which costs less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from enterprise_catalog.catalog.models import CatalogMembership, CatalogQuery, ContentChange, ContentChangeKind
from enterprise_catalog.catalog.querysets import parts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: If a transaction changes more members of a query than this, and more than this percentage of them all, the query's
#: changes are not logged.
RESET_ITEMS: Final = 1_000
RESET_PERCENT: Final = 20

#: Copies members to the log in the database: a popular course is a member of thousands of queries.
_COPY: Final = f"""
    INSERT INTO {ContentChange._meta.db_table} (catalog_query_id, version, content_key, kind, updated_at)
    SELECT member.catalog_query_id, %s, member.content_key, %s, member.updated_at
    FROM {CatalogMembership._meta.db_table} member
    WHERE"""  # noqa: S608  (constants)
#: A member that joined in this transaction is logged as joined only, even if its document changed, too.
_NOT_LOGGED: Final = f""" AND NOT EXISTS (
    SELECT 1 FROM {ContentChange._meta.db_table} logged
    WHERE logged.catalog_query_id = member.catalog_query_id
    AND logged.version = %s AND logged.content_key = member.content_key)"""  # noqa: S608  (a constant name)


@dataclass(frozen=True, slots=True)
class QueryLog:
    """The state of a query's log, before the transaction."""

    query_id: int
    version: int
    logged_to: int


def is_reset(query: QueryLog, count: int) -> bool:
    """Return True if the query's log begins again.

    Args:
        count: number of members that the transaction changed.
    """
    if not query.version or query.logged_to != query.version:
        return True
    if count <= RESET_ITEMS:
        return False
    return count * 100 > RESET_PERCENT * CatalogMembership.objects.filter(catalog_query=query.query_id).count()


def reset(queries: Collection[int], version: int) -> None:
    """Begin the logs of these queries at ``version``."""
    for some in parts(sorted(queries)):
        CatalogQuery.objects.filter(pk__in=some).update(logged_from=version)


def write(
    version: int,
    *,
    changed: Sequence[int],
    joined: Mapping[int, Collection[str]],
    left: Mapping[int, Collection[str]],
    without: Collection[int],
) -> None:
    """Log the changes of a transaction, in all queries but ``without``.

    Args:
        changed: ids of content with changed documents.
        joined: id of a query -> keys of its new members. left: likewise, of its former members.
    """
    for query_id in joined.keys() - without:
        for keys in parts(sorted(joined[query_id])):
            condition = f"member.catalog_query_id = %s AND member.content_key IN ({_places(keys)})"
            _copy(condition, version, ContentChangeKind.JOINED, [query_id, *keys])
    excluded = f" AND member.catalog_query_id NOT IN ({_places(without)})" if without else ""
    not_logged, logged = (_NOT_LOGGED, [version]) if joined else ("", [])
    for ids in parts(changed):
        condition = f"member.content_id IN ({_places(ids)}){excluded}{not_logged}"
        _copy(condition, version, ContentChangeKind.CHANGED, [*ids, *without, *logged])
    ContentChange.objects.bulk_create(
        (
            ContentChange(catalog_query_id=query_id, version=version, content_key=key, kind=ContentChangeKind.LEFT)
            for query_id in left.keys() - without
            for key in sorted(left[query_id])
        ),
        batch_size=1_000,
    )


def _copy(condition: str, version: int, kind: ContentChangeKind, parameters: Sequence[int | str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"{_COPY} {condition}", [version, kind.value, *parameters])


def _places(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))
