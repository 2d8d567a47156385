"""What a catalog holds at one moment: each function reads the version and the items in one transaction.

Under REPEATABLE READ (MariaDB) and in SQLite's transactions both belong to the same state, so that an answer never
carries the version of one state with the items of another.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction

from enterprise_catalog.catalog.diff import CatalogDiff, compute_diff
from enterprise_catalog.catalog.documents import format_time, served_document
from enterprise_catalog.catalog.models import CatalogMembership, EnterpriseCatalog

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.catalog.querysets import MembershipQuerySet


@dataclass(frozen=True, slots=True)
class ServedItems:
    """Documents of one catalog, all of one version."""

    version: str
    documents: list[tuple[str, bytes]]  #: Key and served JSON, ascending by key.


def read_diff(catalog_uuid: UUID, known_keys: Collection[str]) -> tuple[str, CatalogDiff[datetime]]:
    """Return the catalog's version and how it differs from ``known_keys``, with each item's time of change (UTC).

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with _one_state():
        catalog = _catalog(catalog_uuid)
        members = _members(catalog).in_key_order().values_list("content_key", "updated_at").iterator(chunk_size=10_000)
        return catalog.version, compute_diff(_with_floor(members, catalog.documents_changed_at), known_keys)


def read_items(catalog_uuid: UUID, keys: Collection[str]) -> ServedItems:
    """Return the documents of those of ``keys`` that are in the catalog; at most 1,000 keys.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with _one_state():
        catalog = _catalog(catalog_uuid)
        return ServedItems(catalog.version, _served(catalog, _members(catalog).filter(content_key__in=keys)))


def read_page(catalog_uuid: UUID, *, after: str, size: int) -> ServedItems:
    """Return the first ``size`` documents whose keys come after ``after`` (empty text: from the start).

    The cost does not depend on how far into the catalog the page lies.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with _one_state():
        catalog = _catalog(catalog_uuid)
        return ServedItems(catalog.version, _served(catalog, _members(catalog).after(after), limit=size))


def read_numbered_page(catalog_uuid: UUID, *, keys: Collection[str], start: int, size: int) -> tuple[int, ServedItems]:
    """Return how many items there are, and the ``size`` documents from position ``start`` (from 0), if there are any.

    Args:
        keys: only these; none means all. Costs grow with ``start``; :func:`read_page` has no such cost.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with _one_state():
        catalog = _catalog(catalog_uuid)
        members = _members(catalog)
        if keys:
            members = members.filter(content_key__in=keys)
        count = members.count()
        # Databases refuse positions beyond their integers; none of those is in a catalog.
        documents = _served(catalog, members, start=start, limit=size) if start < count else []
        return count, ServedItems(catalog.version, documents)


@contextmanager
def _one_state() -> Iterator[None]:
    """Let all reads see the same state of the database.

    SQLite's transactions begin as writers here (see the settings), of which there is one at a time. These only read,
    and would wait for an import to end, or fail if it takes long.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield
        return
    connection.ensure_connection()  # It sets the mode.
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"  # type: ignore[attr-defined]  # SQLite's
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]  # likewise


def _catalog(catalog_uuid: UUID) -> EnterpriseCatalog:
    return EnterpriseCatalog.objects.select_related("catalog_query").get(pk=catalog_uuid)


def _members(catalog: EnterpriseCatalog) -> MembershipQuerySet:
    if catalog.catalog_query_id is None:
        return CatalogMembership.objects.none()
    return CatalogMembership.objects.filter(catalog_query=catalog.catalog_query_id)


def _with_floor(members: Iterator[tuple[str, datetime]], floor: datetime | None) -> Iterator[tuple[str, datetime]]:
    """Raise each time of change to ``floor``, the last change of what the catalog contributes to its documents."""
    if floor is None:
        return members
    return ((key, max(moment, floor)) for key, moment in members)


def _served(
    catalog: EnterpriseCatalog, members: MembershipQuerySet, *, start: int = 0, limit: int | None = None
) -> list[tuple[str, bytes]]:
    floor = catalog.documents_changed_at
    selected = members.in_key_order()[start : None if limit is None else start + limit]
    return [
        (
            key,
            served_document(
                bytes(stored),
                content_key=key,
                content_type=content_type,
                parent_content_key=parent,
                updated_at=format_time(max(moment, floor) if floor else moment),
                url_prefix=catalog.enrollment_url_prefix,
            ),
        )
        for key, moment, content_type, parent, stored in selected.with_documents()
    ]
