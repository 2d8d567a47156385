"""Stored documents of the items that a catalog offers, with the catalog's state, read by one statement."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.items.enrollment_urls import ItemParts
from enterprise_catalog.catalog.items.open_edx import StoredItem
from enterprise_catalog.catalog.models import ContentDocument, ContentMetadata, ContentType, RestrictedCourse
from enterprise_catalog.catalog.versions import state as catalog_state
from enterprise_catalog.catalog.versions.state import state_from
from enterprise_catalog.db.consistent_reads import stream_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from enterprise_catalog.catalog.versions.state import CatalogState
    from enterprise_catalog.db.consistent_reads import Parameter, Row

#: Items that a statement picks, with their documents. A picked row has the columns catalog_uuid, content_id and
#: updated_at, which is that of the membership, or empty for a restricted run.
_SELECT: Final = f"""
    SELECT {catalog_state.COLUMNS},
           content.content_key, content.content_type, content.parent_content_key, content.course_type,
           content.advertised_run_key, content.entitlement_sku,
           COALESCE(NULLIF(picked.updated_at, ''), content.updated_at), COALESCE(restricted.updated_at, ''),
           COALESCE(restricted.is_active, content.is_active), COALESCE(restricted.json, document.json)
    FROM ({{picked}}) picked
    JOIN {catalog_state.TABLES}
    JOIN {ContentMetadata._meta.db_table} content ON content.id = picked.content_id
    JOIN {ContentDocument._meta.db_table} document ON document.content_id = picked.content_id
    LEFT JOIN {RestrictedCourse._meta.db_table} restricted
        ON restricted.catalog_query_id = catalog.catalog_query_id AND restricted.content_id = picked.content_id AND %s
    WHERE catalog.uuid = picked.catalog_uuid
"""  # noqa: S608  (constants)


def read_stored(
    picked: str, parameters: Sequence[Parameter], *, with_restricted: bool
) -> list[tuple[CatalogState, StoredItem]]:
    """Return the items that the statement ``picked`` picks, each with the state of its catalog, in any order.

    Args:
        with_restricted: read the documents with the restricted runs that the catalog's query allows.
    """
    rows = chain.from_iterable(stream_rows(_SELECT.format(picked=picked), [*parameters, with_restricted]))
    return [_stored(state_from(row), row[catalog_state.COLUMN_COUNT :]) for row in rows]


def _stored(state: CatalogState, columns: Row) -> tuple[CatalogState, StoredItem]:
    *parts, updated_at, restricted_at, is_active, stored = columns
    moment = max(updated_at, restricted_at, state.documents_changed_at)
    return state, StoredItem(ItemParts(*parts), moment, bool(is_active), bytes(stored))


def runs_of(courses: Iterable[ItemParts]) -> dict[str, set[str]]:
    """Return course key -> the keys of its runs that are items of their own; of the courses among the items only."""
    keys = [item.content_key for item in courses if item.content_type == ContentType.COURSE]
    rows = _runs_of(keys) if keys else ()
    found: dict[str, set[str]] = {key: set() for key in keys}
    for course, run in rows:
        found[course].add(run)
    return found


def _runs_of(keys: Collection[str]) -> Iterable[tuple[str, str]]:
    runs = ContentMetadata.objects.filter(parent_content_key__in=keys, content_type=ContentType.COURSE_RUN)
    return runs.values_list("parent_content_key", "content_key")
