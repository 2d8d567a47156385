"""A catalog's documents in numbered pages, as existing Open edX callers read them.

Without keys, courses that learners cannot find or enroll in are left out. With keys, nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.items.enrollment_urls import parse_enrollment_urls
from enterprise_catalog.catalog.items.matching import Wanted, find_items
from enterprise_catalog.catalog.items.open_edx import catalog_document
from enterprise_catalog.catalog.items.stored import read_stored, runs_of
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    ContentMetadata,
    EnterpriseCatalog,
    RestrictedCourse,
    RestrictedRun,
)
from enterprise_catalog.catalog.versions.state import as_parameter, read_state
from enterprise_catalog.db.consistent_reads import consistent_read, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from uuid import UUID

    from enterprise_catalog.db.consistent_reads import Parameter

#: Documents in memory at a time, where all are streamed.
_STREAMED_AT_ONCE: Final = 500

_CONTENT: Final = ContentMetadata._meta.db_table

#: The active members of a query. The document with restricted runs decides whether its course is active.
_MEMBERS: Final = f"""
    FROM {CatalogMembership._meta.db_table} member JOIN {_CONTENT} item ON item.id = member.content_id
    WHERE member.catalog_query_id = %s AND item.is_active
"""
_MEMBERS_WITH_RESTRICTED: Final = f"""
    FROM {CatalogMembership._meta.db_table} member JOIN {_CONTENT} item ON item.id = member.content_id
    LEFT JOIN {RestrictedCourse._meta.db_table} course
        ON course.catalog_query_id = member.catalog_query_id AND course.content_id = member.content_id
    WHERE member.catalog_query_id = %s AND COALESCE(course.is_active, item.is_active)
"""
#: The restricted runs that a query allows; a run that is a member, too, counts there.
_RUNS: Final = f"""
    FROM {RestrictedRun._meta.db_table} run JOIN {_CONTENT} item ON item.id = run.content_id
    WHERE run.catalog_query_id = %s AND NOT EXISTS (
        SELECT 1 FROM {CatalogMembership._meta.db_table} member
        WHERE member.catalog_query_id = run.catalog_query_id AND member.content_id = run.content_id
    )
"""  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True)
class NumberedPages:
    """The documents of one catalog, ascending by key.

    Args:
        keys: only the items that these keys stand for, at most 1,000 keys; empty means all active items.
        with_restricted: offer the restricted runs that the catalog's query allows.
    """

    catalog_uuid: UUID
    keys: Collection[str] = ()
    with_restricted: bool = False

    def read(self, *, start: int, size: int) -> tuple[int, list[bytes]]:
        """Return the number of items, and the JSON of up to ``size`` documents from position ``start`` (from 0).

        Raises:
            EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
        """
        with consistent_read():
            if self.keys:
                items = self._find()
                return len(items), self._documents(items[start : start + size])
            query_id = read_state(self.catalog_uuid).query_id
            count = self._count(query_id)
            # Databases reject positions beyond their integer range.
            page = self._page(query_id, after="", start=start, size=size) if start < count else []
            return count, self._documents([pk for _, pk in page])

    def stream(self) -> tuple[int, Iterator[bytes]]:
        """Return the number of items, and their documents, which are read while they are consumed.

        Raises:
            EnterpriseCatalog.DoesNotExist: the catalog has been deleted. Also raised while documents are read.
        """
        if self.keys:
            items = self._find()
            return len(items), self._stream_items(items)
        return self._count(read_state(self.catalog_uuid).query_id), self._stream_all()

    def _stream_items(self, items: Sequence[int]) -> Iterator[bytes]:
        for start in range(0, len(items), _STREAMED_AT_ONCE):
            yield from self._documents(items[start : start + _STREAMED_AT_ONCE])

    def _stream_all(self) -> Iterator[bytes]:
        after = ""
        while True:
            with consistent_read():
                query_id = read_state(self.catalog_uuid).query_id
                items = self._page(query_id, after=after, start=0, size=_STREAMED_AT_ONCE)
                documents = self._documents([pk for _, pk in items])
            yield from documents
            if len(items) < _STREAMED_AT_ONCE:
                return
            after = items[-1][0]

    def _find(self) -> list[int]:
        return find_items(self.catalog_uuid, Wanted(self.keys, self.with_restricted))

    def _count(self, query_id: int | None) -> int:
        sql, parameters = f"SELECT COUNT(*) {self._members}", [query_id]
        if self.with_restricted:
            sql, parameters = f"SELECT ({sql}) + (SELECT COUNT(*) {_RUNS})", [query_id, query_id]
        [(count,)] = read_rows(sql, parameters)
        return int(count)

    def _page(self, query_id: int | None, *, after: str, start: int, size: int) -> list[tuple[str, int]]:
        """Return (key, id) of up to ``size`` items whose keys sort after ``after``, without the first ``start``."""
        members = (
            f"SELECT member.content_key, member.content_id {self._members}"
            " AND member.content_key > %s ORDER BY member.content_key LIMIT %s"
        )
        if not self.with_restricted:
            return read_rows(f"{members} OFFSET %s", [query_id, after, size, start])
        # As many members as the page may need, and the few restricted runs.
        sql = f"""
            SELECT content_key, content_id FROM (
                SELECT * FROM ({members}) members
                UNION ALL
                SELECT item.content_key, item.id {_RUNS} AND item.content_key > %s
            ) offered ORDER BY content_key LIMIT %s OFFSET %s
        """  # noqa: S608  (constants)
        return read_rows(sql, [query_id, after, start + size, query_id, after, size, start])

    @property
    def _members(self) -> str:
        return _MEMBERS_WITH_RESTRICTED if self.with_restricted else _MEMBERS

    def _documents(self, items: Sequence[int]) -> list[bytes]:
        """Return the documents of items of the catalog, in the same order."""
        if not items:
            return []
        found = read_stored(*self._picked(items), with_restricted=self.with_restricted)
        runs = runs_of(item.parts for _, item in found)
        documents = {
            item.parts.content_key: catalog_document(
                item, parse_enrollment_urls(state.enrollment_urls), runs=runs.get(item.parts.content_key, ())
            )
            for state, item in found
        }
        return [documents[key] for key in sorted(documents)]

    def _picked(self, items: Sequence[int]) -> tuple[str, list[Parameter]]:
        """Return the statement that picks the items, and its parameters; see ``stored.py``."""
        sql = f"""
            SELECT catalog.uuid AS catalog_uuid, item.id AS content_id, COALESCE(member.updated_at, '') AS updated_at
            FROM {EnterpriseCatalog._meta.db_table} catalog
            JOIN {_CONTENT} item ON item.id IN ({", ".join(["%s"] * len(items))})
            LEFT JOIN {CatalogMembership._meta.db_table} member
                ON member.catalog_query_id = catalog.catalog_query_id AND member.content_id = item.id
            WHERE catalog.uuid = %s
        """  # noqa: S608  (constants)
        return sql, [*items, as_parameter(self.catalog_uuid)]
