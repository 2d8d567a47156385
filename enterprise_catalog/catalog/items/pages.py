"""A catalog's documents as the API serves them: by key, and page by page.

A response never combines the version of one state with the items of another. Both are read by one statement, or in one
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.documents import served_document
from enterprise_catalog.catalog.items.enrollment_urls import ItemParts, parse_enrollment_urls
from enterprise_catalog.catalog.models import CatalogMembership, ContentDocument, ContentMetadata
from enterprise_catalog.catalog.versions import state as catalog_state
from enterprise_catalog.catalog.versions.state import read_state, state_from
from enterprise_catalog.db.consistent_reads import consistent_read, stream_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from typing_extensions import Buffer

    from enterprise_catalog.catalog.documents import ServedDocument
    from enterprise_catalog.catalog.items.enrollment_urls import EnrollmentURLs
    from enterprise_catalog.catalog.versions.state import CatalogState
    from enterprise_catalog.db.consistent_reads import Parameter, Row

#: Each row repeats the catalog's state, which lets one statement read both. (An outer join would return a row without
#: an item for an empty page, and make MariaDB sort the whole catalog.)
_SELECT: Final = f"""
    SELECT {catalog_state.COLUMNS},
           member.updated_at, document.json, member.content_key, content.content_type, content.parent_content_key,
           content.course_type, content.advertised_run_key, content.entitlement_sku
    FROM {catalog_state.TABLES}
    JOIN {CatalogMembership._meta.db_table} member ON member.catalog_query_id = query.id
    JOIN {ContentMetadata._meta.db_table} content ON content.id = member.content_id
    JOIN {ContentDocument._meta.db_table} document ON document.content_id = member.content_id
    WHERE catalog.uuid = %s AND """  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True)
class ServedItems:
    """Documents of one catalog, all from the same version."""

    version: str
    documents: list[tuple[str, ServedDocument]]  #: (key, document) pairs, ascending by key.


def read_items(catalog_uuid: UUID, keys: Collection[str]) -> ServedItems:
    """Return the documents of the ``keys`` that are in the catalog; 1 to 1,000 keys.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    return _read(catalog_uuid, _among(keys), list(keys), limit=len(keys))


def read_page(catalog_uuid: UUID, *, after: str, size: int) -> ServedItems:
    """Return the first ``size`` documents whose keys sort after ``after`` (empty string: from the start).

    The cost does not depend on the page's position in the catalog.

    Raises:
        EnterpriseCatalog.DoesNotExist: the catalog has been deleted.
    """
    return _read(catalog_uuid, "member.content_key > %s", [after], limit=size)


def _among(keys: Collection[str]) -> str:
    return f"member.content_key IN ({', '.join(['%s'] * len(keys))})"


def _read(catalog_uuid: UUID, condition: str, parameters: Sequence[str], *, limit: int) -> ServedItems:
    sql = f"{_SELECT} {condition} ORDER BY member.content_key LIMIT %s"
    everything: list[Parameter] = [catalog_state.as_parameter(catalog_uuid), *parameters, limit]
    if rows := _rows(sql, everything):
        return _items(state_from(rows[0]), rows)
    with consistent_read():
        return _items(read_state(catalog_uuid), _rows(sql, everything))


def _rows(sql: str, parameters: Sequence[Parameter]) -> list[Row]:
    return list(chain.from_iterable(stream_rows(sql, parameters)))


def _items(state: CatalogState, rows: Sequence[Row]) -> ServedItems:
    items = (row[catalog_state.COLUMN_COUNT :] for row in rows)
    urls = parse_enrollment_urls(state.enrollment_urls)
    return ServedItems(state.version, [_served(state, urls, time, stored, *rest) for time, stored, *rest in items])


def _served(
    state: CatalogState, urls: EnrollmentURLs, updated_at: str, stored: Buffer, *item: str
) -> tuple[str, ServedDocument]:
    enrollable = ItemParts(*item)
    document = served_document(
        bytes(stored),
        content_key=enrollable.content_key,
        content_type=enrollable.content_type,
        updated_at=max(updated_at, state.documents_changed_at),
        enrollment_url=urls.url(enrollable),
    )
    return enrollable.content_key, document
