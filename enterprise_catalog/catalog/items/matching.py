"""The items of catalogs that a caller's keys stand for, as existing Open edX callers use keys.

A key stands for the item with exactly this key. The key of a course also stands for its runs. The key of a run also
stands for its course, if the run is an item of its own or is listed in the course's document.

All lookups read indexes: their duration does not depend on the number of items in a catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from enterprise_catalog.catalog.models import (
    CatalogMembership,
    ContentMetadata,
    EnterpriseCatalog,
    NestedRun,
    RestrictedRun,
)
from enterprise_catalog.catalog.versions.state import as_parameter
from enterprise_catalog.db.consistent_reads import read_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from enterprise_catalog.db.consistent_reads import Parameter

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

#: Finds an item by its UUID, too.
_FOUND_BY_UUID: Final = f"""
    UNION ALL
    SELECT item.id, NULL, 0 FROM {_CONTENT} item WHERE item.content_uuid = %s
"""  # noqa: S608  (likewise)

#: The items with these keys, and the runs of courses with these keys; ``name`` is the key.
_NAMED: Final = f"""
    SELECT item.id AS id, NULL AS via, item.content_key AS name FROM {_CONTENT} item
    WHERE item.content_key IN ({{keys}})
    UNION ALL
    SELECT run.id, NULL, run.parent_content_key FROM {_CONTENT} run WHERE run.parent_content_key IN ({{keys}})
"""  # noqa: S608  (likewise)

#: The found items that catalogs offer. The outer joins make the database look up each pair of catalog and item in an
#: index, whatever it expects; an inner join could scan all members of a catalog.
_OFFERED: Final = f"""
    {_CATALOGS} catalog
    JOIN ({{found}}) found
    LEFT JOIN {_MEMBERS} member
        ON member.catalog_query_id = catalog.catalog_query_id AND member.content_id = found.id
    LEFT JOIN {_RESTRICTED} allowed
        ON allowed.catalog_query_id = catalog.catalog_query_id AND allowed.content_id = found.id AND %s
    LEFT JOIN {_RESTRICTED} via
        ON via.catalog_query_id = catalog.catalog_query_id AND via.content_id = found.via AND %s
"""
_IS_OFFERED: Final = """
    (member.id IS NOT NULL OR allowed.id IS NOT NULL) AND (found.via IS NULL OR via.id IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys of one request.

    Args:
        keys: at most 1,000; none is empty.
        with_restricted: count the restricted runs that a catalog's query allows.
        content_uuid: also the item with this UUID.
    """

    keys: Collection[str]
    with_restricted: bool = False
    content_uuid: UUID | None = None

    def select(
        self, columns: str, place: str, uuid: UUID, *, joins: str = "", end: str = ""
    ) -> tuple[str, list[Parameter]]:
        """Return the statement that reads ``columns`` of the offered items, and its parameters.

        Args:
            place: the column of the catalog that has the value ``uuid``.
            joins: further tables.
            end: what follows the condition.
        """
        found = _FOUND.format(keys=", ".join(["%s"] * len(self.keys)) or "NULL")
        parameters: list[Parameter] = [*self.keys, *self.keys, *self.keys, *self.keys]
        if self.content_uuid:
            found += _FOUND_BY_UUID
            parameters.append(as_parameter(self.content_uuid))
        tables = _OFFERED.format(found=found)
        return (
            f"SELECT {columns} FROM {tables} {joins} WHERE {_IS_OFFERED} AND {place} = %s {end}",  # noqa: S608
            [*parameters, self.with_restricted, self.with_restricted, as_parameter(uuid)],
        )


def contains_any(catalog_uuid: UUID, wanted: Wanted) -> bool:
    """Return True if the catalog offers an item that one of the keys stands for."""
    return bool(read_rows(*wanted.select("1", "catalog.uuid", catalog_uuid, end="LIMIT 1")))


def find_catalogs(customer_uuid: UUID, wanted: Wanted) -> list[UUID]:
    """Return the customer's catalogs that offer an item that one of the keys stands for, ascending by UUID."""
    columns, end = "DISTINCT catalog.uuid", "ORDER BY catalog.uuid"
    rows = read_rows(*wanted.select(columns, "catalog.enterprise_customer_id", customer_uuid, end=end))
    return [UUID(uuid) for (uuid,) in rows]


def find_items(catalog_uuid: UUID, wanted: Wanted) -> list[int]:
    """Return the ids of the catalog's items that the keys stand for, ascending by key of the item."""
    joins = f"JOIN {_CONTENT} content ON content.id = found.id"
    rows = read_rows(
        *wanted.select("DISTINCT content.content_key, found.id", "catalog.uuid", catalog_uuid, joins=joins)
    )
    return [pk for _, pk in sorted(rows)]


def filter_keys(customer_uuid: UUID, wanted: Wanted, catalog_uuids: Collection[UUID] = ()) -> list[str]:
    """Return the keys that are the key of an item of the customer's catalogs, or of the course of such a run.

    The keys keep their order; duplicates count once.

    Args:
        catalog_uuids: only these of the customer's catalogs; empty means all.
    """
    keys = list(dict.fromkeys(wanted.keys))
    found = _NAMED.format(keys=", ".join(["%s"] * len(keys)) or "NULL")
    among = f"AND catalog.uuid IN ({', '.join(['%s'] * len(catalog_uuids))})" if catalog_uuids else ""
    rows = read_rows(
        f"SELECT DISTINCT found.name FROM {_OFFERED.format(found=found)} WHERE {_IS_OFFERED}"  # noqa: S608
        f" AND catalog.enterprise_customer_id = %s {among}",
        [
            *keys,
            *keys,
            wanted.with_restricted,
            wanted.with_restricted,
            *map(as_parameter, [customer_uuid, *catalog_uuids]),
        ],
    )
    offered = {name for (name,) in rows}
    return [key for key in keys if key in offered]


def pick_one(customer_uuid: UUID, wanted: Wanted) -> tuple[str, list[Parameter]]:
    """Return the statement that picks one item of the customer's catalogs, and its parameters.

    The item is the one with the UUID or key, else the course of a run, else a run of a course. For ``stored.py``.
    """
    return wanted.select(
        "catalog.uuid AS catalog_uuid, found.id AS content_id, COALESCE(member.updated_at, '') AS updated_at",
        "catalog.enterprise_customer_id",
        customer_uuid,
        end="ORDER BY found.distance, catalog.created_at, catalog.uuid, found.id LIMIT 1",
    )
