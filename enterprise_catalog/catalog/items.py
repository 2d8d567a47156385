"""The documents of a catalog as they are served: by key, and page by page.

Each function reads the catalog's version and its items as of one moment, so that an answer never carries the version of
one state with the items of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.catalog.documents import served_document
from enterprise_catalog.catalog.models import CatalogMembership
from enterprise_catalog.catalog.one_state import one_state
from enterprise_catalog.catalog.state import read_state
from enterprise_catalog.catalog.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from enterprise_catalog.catalog.querysets import MembershipQuerySet
    from enterprise_catalog.catalog.state import CatalogState


@dataclass(frozen=True, slots=True)
class ServedItems:
    """Documents of one catalog, all of one version."""

    version: str
    documents: list[tuple[str, bytes]]  #: Key and served JSON, ascending by key.


def read_items(catalog_uuid: UUID, keys: Collection[str]) -> ServedItems:
    """Return the documents of those of ``keys`` that are in the catalog; at most 1,000 keys.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with one_state():
        state = read_state(catalog_uuid)
        return ServedItems(state.version, _served(state, _members(state).filter(content_key__in=keys)))


def read_page(catalog_uuid: UUID, *, after: str, size: int) -> ServedItems:
    """Return the first ``size`` documents whose keys come after ``after`` (empty text: from the start).

    The cost does not depend on how far into the catalog the page lies.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with one_state():
        state = read_state(catalog_uuid)
        return ServedItems(state.version, _served(state, _members(state).after(after), limit=size))


def read_numbered_page(catalog_uuid: UUID, *, keys: Collection[str], start: int, size: int) -> tuple[int, ServedItems]:
    """Return how many items there are, and the ``size`` documents from position ``start`` (from 0), if there are any.

    Args:
        keys: only these; none means all. Costs grow with ``start``; :func:`read_page` has no such cost.

    Raises:
        EnterpriseCatalog.DoesNotExist: it was deleted meanwhile.
    """
    with one_state():
        state = read_state(catalog_uuid)
        members = _members(state)
        if keys:
            members = members.filter(content_key__in=keys)
        count = members.count()
        # Databases refuse positions beyond their integers; none of those is in a catalog.
        documents = _served(state, members, start=start, limit=size) if start < count else []
        return count, ServedItems(state.version, documents)


def _members(state: CatalogState) -> MembershipQuerySet:
    if state.query_id is None:
        return CatalogMembership.objects.none()
    return CatalogMembership.objects.filter(catalog_query=state.query_id)


def _served(
    state: CatalogState, members: MembershipQuerySet, *, start: int = 0, limit: int | None = None
) -> list[tuple[str, bytes]]:
    selected = members.in_key_order()[start : None if limit is None else start + limit]
    return [
        (
            key,
            served_document(
                bytes(stored),
                content_key=key,
                content_type=content_type,
                parent_content_key=parent,
                updated_at=max(format_time(moment), state.documents_changed_at),
                url_prefix=state.enrollment_url_prefix,
            ),
        )
        for key, moment, content_type, parent, stored in selected.with_documents()
    ]
