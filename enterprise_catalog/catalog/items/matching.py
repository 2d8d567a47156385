"""The items of catalogs that a caller's keys stand for, as existing Open edX callers use keys.

A key stands for the item with exactly this key. The key of a course also stands for its runs. The key of a run also
stands for its course, if the run is an item of its own or is listed in the course's document.

All lookups read indexes: their duration does not depend on the number of items in a catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection

from enterprise_catalog.catalog.models import (
    CatalogMembership,
    ContentMetadata,
    EnterpriseCatalog,
    NestedRun,
    RestrictedRun,
)
from enterprise_catalog.catalog.state import as_parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_CONTENT: Final = ContentMetadata._meta.db_table
_NESTED: Final = NestedRun._meta.db_table
_MEMBERS: Final = CatalogMembership._meta.db_table
_RESTRICTED: Final = RestrictedRun._meta.db_table
_CATALOGS: Final = EnterpriseCatalog._meta.db_table

#: The items that keys stand for: (id, id of the restricted run that led to it or NULL, distance). The distance orders
#: items that one key stands for: the item itself, then the course of a run, then the runs of a course.
_FOUND: Final = f"""
    SELECT item.id AS id, NULL AS via, 0 AS distance FROM {_CONTENT} item WHERE item.content_key IN ({{keys}})
    UNION ALL
    SELECT course.id, CASE WHEN run.is_restricted THEN run.id END, 1
    FROM {_CONTENT} run JOIN {_CONTENT} course ON course.content_key = run.parent_content_key
    WHERE run.content_key IN ({{keys}}) AND run.parent_content_key <> ''
    UNION ALL
    SELECT nested.content_id, NULL, 1 FROM {_NESTED} nested WHERE nested.run_key IN ({{keys}})
    UNION ALL
    SELECT run.id, NULL, 2 FROM {_CONTENT} run WHERE run.parent_content_key IN ({{keys}})
"""  # noqa: S608  (constant names)

#: The found items that a catalog offers. The outer joins make the database look up each pair of catalog and item in an
#: index, whatever it expects; an inner join could scan all members of a catalog.
_OFFERED: Final = f"""
    JOIN ({_FOUND}) found
    LEFT JOIN {_MEMBERS} member
        ON member.catalog_query_id = catalog.catalog_query_id AND member.content_id = found.id
    LEFT JOIN {_RESTRICTED} allowed
        ON allowed.catalog_query_id = catalog.catalog_query_id AND allowed.content_id = found.id AND %s
    LEFT JOIN {_RESTRICTED} via
        ON via.catalog_query_id = catalog.catalog_query_id AND via.content_id = found.via AND %s
    WHERE (member.id IS NOT NULL OR allowed.id IS NOT NULL) AND (found.via IS NULL OR via.id IS NOT NULL) AND
"""


def contains_any(catalog_uuid: UUID, keys: Collection[str], *, with_restricted: bool = False) -> bool:
    """Return True if the catalog offers an item that one of the keys stands for.

    Args:
        keys: at most 1,000; none is empty.
        with_restricted: count the restricted runs that the catalog's query allows.
    """
    sql, parameters = _offered("catalog.uuid = %s", [as_parameter(catalog_uuid)], keys, with_restricted=with_restricted)
    return bool(_rows(f"SELECT 1 FROM {_CATALOGS} catalog {sql} LIMIT 1", parameters))  # noqa: S608  (constants)


def find_catalogs(customer_uuid: UUID, keys: Collection[str], *, with_restricted: bool = False) -> list[UUID]:
    """Return the customer's catalogs that offer an item that one of the keys stands for, ascending by UUID.

    Args:
        keys: at most 1,000; none is empty.
        with_restricted: count the restricted runs that a catalog's query allows.
    """
    condition, customer = "catalog.enterprise_customer_id = %s", as_parameter(customer_uuid)
    sql, parameters = _offered(condition, [customer], keys, with_restricted=with_restricted)
    rows = _rows(
        f"SELECT DISTINCT catalog.uuid FROM {_CATALOGS} catalog {sql} ORDER BY catalog.uuid",  # noqa: S608  (constants)
        parameters,
    )
    return [UUID(uuid) for (uuid,) in rows]


def _offered(
    condition: str, of_condition: Sequence[Any], keys: Collection[str], *, with_restricted: bool
) -> tuple[str, list[Any]]:
    """Return the SQL after the table ``catalog``, and its parameters. Without keys, no row matches."""
    places = ", ".join(["%s"] * len(keys)) or "NULL"
    return (
        f"{_OFFERED.format(keys=places)} {condition}",
        [*keys, *keys, *keys, *keys, with_restricted, with_restricted, *of_condition],
    )


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
