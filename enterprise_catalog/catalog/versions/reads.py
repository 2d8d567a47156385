"""The changes of a catalog's content, and the customers with changed catalogs, since a version.

A page of changes is one range of the log's index. It is the exact difference between the states at its two ends: a
caller who applies all pages in turn has the catalog of the last page's version. Changes that are committed between the
requests for two pages come with a later page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias
from uuid import UUID

from django.db import connection

from enterprise_catalog.catalog.models import (
    CatalogQuery,
    CatalogVersion,
    ContentChange,
    ContentChangeKind,
    EnterpriseCatalog,
    EnterpriseCustomer,
    VersionClock,
)
from enterprise_catalog.catalog.versions.state import BadVersionError, Version, as_parameter, read_state
from enterprise_catalog.db.consistent_reads import consistent_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.catalog.versions.state import CatalogState

    #: The catalog's revision, the query's version, and the log's version, key, kind and time of change.
    Row: TypeAlias = tuple[int, int, int, str, str, str]

_POSITION: Final = re.compile("([0-9a-f]{1,15})-(.+)", re.DOTALL)
_CURSOR: Final = re.compile("[0-9a-f]{1,15}")

#: The version is one of this database, and the query's log is complete from it on.
_IS_KNOWN: Final = "known.version = %s AND query.logged_from <= %s AND query.logged_to = query.version"
#: One statement reads one snapshot, without a transaction. All tables but the log give the database a single row each,
#: so it reads the range of the log in its order.
_PAGE: Final = f"""
    SELECT catalog.revision, query.version, entry.version, entry.content_key, entry.kind, entry.updated_at
    FROM {EnterpriseCatalog._meta.db_table} catalog
    JOIN {CatalogQuery._meta.db_table} query ON query.id = catalog.catalog_query_id
    JOIN {CatalogVersion._meta.db_table} known
    JOIN {ContentChange._meta.db_table} entry ON entry.catalog_query_id = query.id
    WHERE catalog.uuid = %s AND COALESCE(catalog.documents_changed_at, '') = %s AND query.id = %s AND {_IS_KNOWN}
    AND (entry.version > %s OR (entry.version = %s AND entry.content_key > %s))
    ORDER BY entry.version, entry.content_key LIMIT %s
"""  # noqa: S608  (constants)
_IS_COMPLETE: Final = (
    f"SELECT 1 FROM {CatalogQuery._meta.db_table} query JOIN {CatalogVersion._meta.db_table} known"  # noqa: S608  (constants)
    f" WHERE query.id = %s AND query.version >= %s AND {_IS_KNOWN}"
)
#: The customers of catalogs that were saved, of catalogs whose content changed, and of catalogs that moved away.
_CUSTOMERS: Final = f"""
    SELECT enterprise_customer_id FROM {EnterpriseCatalog._meta.db_table} WHERE revision > %s
    UNION SELECT catalog.enterprise_customer_id FROM {CatalogQuery._meta.db_table} query
        JOIN {EnterpriseCatalog._meta.db_table} catalog ON catalog.catalog_query_id = query.id
        WHERE query.version > %s
    UNION SELECT uuid FROM {EnterpriseCustomer._meta.db_table} WHERE catalog_lost_version > %s
"""  # noqa: S608  (constants)


class UnknownVersionError(Exception):
    """The changes since a version are not known.

    It is too old or comes from another database, the catalog has another query or other enrollment URLs now, or a large
    part of the catalog changed at once since.
    """


class Position(NamedTuple):
    """A position in a query's log: after ``key`` in the changes of ``version``."""

    version: int
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a position back from its text.

        Raises:
            BadVersionError: ``text`` is not the text of a position.
        """
        match = _POSITION.fullmatch(text)
        if match is None:
            raise BadVersionError(text)
        return cls(int(match[1], 16), match[2])

    def __str__(self) -> str:
        return f"{self.version:x}-{self.key}"


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """The difference between two states of a catalog. Keys ascend, and are in one of the lists only."""

    created: list[tuple[str, str]]  #: Key and time of change, as served.
    changed: list[tuple[str, str]]  #: Likewise.
    removed: list[str]  #: Keys.
    end: Position | None  #: The start of the next page; ``None`` on the last page.
    version: Version | None  #: The version of the catalog after this page; ``None`` before the last page.


def read_changes(state: CatalogState, since: Version, *, after: Position | None, size: int) -> ChangesPage:
    """Return one page of the changes of a catalog since a version.

    Args:
        state: the catalog's state, read for this request. The returned version is the same or a later one.
        since: the version at the start of the first page.
        after: the end of the previous page; ``None`` for the first page.
        size: the most changes that are read for the page.

    Raises:
        UnknownVersionError: the caller must compare the whole catalog.
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    current = state.version_parts
    if after is None and since.has_items_of(current):
        return ChangesPage([], [], [], end=None, version=current)
    if not since.has_log_of(current):
        raise UnknownVersionError(str(since))
    log = _Log(state, since, after)
    if rows := log.read(size + 1):
        return log.page(rows, size)
    with consistent_read():
        current = read_state(state.uuid).version_parts
        if rows := log.read(size + 1):
            return log.page(rows, size)
        if not since.has_items_of(current) and not log.is_complete(current):
            raise UnknownVersionError(str(since))
    return ChangesPage([], [], [], end=None, version=current)


@dataclass(frozen=True, slots=True)
class _Log:
    """The log of a catalog's query after a version or, on further pages, after a position."""

    state: CatalogState  #: Its items differ from those of ``since`` only by this log.
    since: Version
    after: Position | None

    def read(self, limit: int) -> Sequence[Row]:
        """Return the first rows; none if there are none, or if they are not known to be complete."""
        # The first change after ``since`` may have any key of the next version.
        version, key = self.after or Position(self.since.query_version + 1, "")
        catalog = as_parameter(self.state.uuid), self.state.documents_changed_at, self.since.query_id
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, (*catalog, *self._known(), version, version, key, limit))
            rows: Sequence[Row] = cursor.fetchall()
            return rows

    def is_complete(self, current: Version) -> bool:
        """Return True if the log has all changes up to ``current``, the catalog's version."""
        if not self.since.has_log_of(current):
            return False
        with connection.cursor() as cursor:
            cursor.execute(_IS_COMPLETE, (current.query_id, self._known()[0], *self._known()))
            return cursor.fetchone() is not None

    def page(self, rows: Sequence[Row], size: int) -> ChangesPage:
        """Return the page of at most ``size`` rows; one more row shows that another page follows."""
        is_last = len(rows) <= size
        rows = rows[:size]
        revision, query_version, *_ = rows[0]
        current = self.since._replace(revision=revision, query_version=query_version)
        first: dict[str, str] = {}
        last: dict[str, tuple[str, str]] = {}
        for _, _, _, key, kind, updated_at in rows:
            first.setdefault(key, kind)
            last[key] = kind, updated_at
        end = None if is_last else Position(*rows[-1][2:4])
        page = ChangesPage([], [], [], end=end, version=current if is_last else None)
        for key, (kind, updated_at) in sorted(last.items()):
            was_there = first[key] != ContentChangeKind.JOINED
            if kind != ContentChangeKind.LEFT:
                found = key, max(updated_at, self.state.documents_changed_at)
                (page.changed if was_there else page.created).append(found)
            elif was_there:
                page.removed.append(key)
        return page

    def _known(self) -> tuple[int, int]:
        """Return the version that must be known, and the last version at which the log may begin.

        After a position in the middle of a version, all rows of this version are still needed.
        """
        if self.after is None:
            return self.since.query_version, self.since.query_version
        return self.after.version, self.after.version - 1


def read_cursor() -> str:
    """Return the cursor of the current state of all catalogs, for :func:`read_changed_customers`."""
    return f"{_newest_version():x}"


def read_changed_customers(cursor: str) -> tuple[list[UUID], str]:
    """Return the customers whose catalogs changed since ``cursor``, ascending, and the new cursor.

    Raises:
        BadVersionError: the text is not a cursor.
        UnknownVersionError: the cursor is too old, or comes from another database.
    """
    if not _CURSOR.fullmatch(cursor):
        raise BadVersionError(cursor)
    since = int(cursor, 16)
    if since == _newest_version():
        return [], cursor
    with consistent_read():
        newest = _newest_version()
        if since > newest or not CatalogVersion.objects.filter(version=since).exists():
            raise UnknownVersionError(cursor)
        with connection.cursor() as statement:
            statement.execute(_CUSTOMERS, [since, since, since])
            customers = sorted(UUID(uuid) for (uuid,) in statement.fetchall())
    return customers, f"{newest:x}"


def _newest_version() -> int:
    return VersionClock.objects.values_list("version", flat=True).first() or 0
