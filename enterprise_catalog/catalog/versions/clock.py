"""The source of all versions: one row, which each writer locks until its transaction ends.

Versions count microseconds since 1970 and increase by at least one each time. The order of versions is therefore the
order of commits: a reader who has seen a version has also seen all changes with smaller versions.

Lock order: customers, content, queries, catalogs, clock. Content is locked in the order of its keys, queries in the
order of their ids. The clock comes last, because all writers wait for it. Writers therefore do not call this module:
:func:`~enterprise_catalog.catalog.versions.versioned.versioned` calls it at the end of their transactions. Edits that
learn the customer or the query from a catalog lock the catalog earlier. If the database reports a deadlock, one of the
two transactions is run again (``db/contention.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import connection

from enterprise_catalog.catalog.models import CatalogVersion, VersionClock

if TYPE_CHECKING:
    from datetime import datetime

_ADVANCE: Final = (
    f"UPDATE {VersionClock._meta.db_table}"  # noqa: S608  (a constant name)
    " SET version = CASE WHEN version < %s THEN %s ELSE version + 1 END WHERE id = 1"
)
#: Since 11.6.2, MariaDB refuses by default to lock a row that changed after the transaction began, as the clock's row
#: nearly always has. It is the only row that a writer may lock without having read it.
_LATEST_ROW: Final = "SET STATEMENT innodb_snapshot_isolation = OFF FOR "
#: The releases of MariaDB with this variable, as half-open ranges.
_WITH_VARIABLE: Final = (((10, 11, 8), (11,)), ((11, 4, 2), (99,)))


def next_version(now: datetime, *, above: int) -> int:
    """Return a new version, greater than all others and than ``above``; lock the clock until the transaction ends.

    Only one transaction at a time gets further than this call. Call it once all other rows are locked.
    """
    least = max(int(now.timestamp() * 1_000_000), above + 1)
    with connection.cursor() as cursor:
        cursor.execute(f"{_prefix()}{_ADVANCE}", [least, least])
        is_missing = cursor.rowcount == 0  # In a database that was emptied.
    if is_missing:
        VersionClock.objects.create(version=least)
    version = VersionClock.objects.values_list("version", flat=True).get()
    CatalogVersion.objects.create(version=version, recorded_at=now)
    return version


def _prefix() -> str:
    if connection.vendor != "mysql" or not connection.mysql_is_mariadb:  # type: ignore[attr-defined]  # MySQL's
        return ""
    server: tuple[int, ...] = connection.mysql_version  # type: ignore[attr-defined]  # likewise
    return _LATEST_ROW if any(first <= server < end for first, end in _WITH_VARIABLE) else ""
