"""Reasons why a catalog contains an item, or does not: its last refresh that changed this, and the filter.

Takes at most two statements, each from an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from enterprise_catalog.catalog.items.filter_match import failing_members
from enterprise_catalog.catalog.models import ContentDocument, QuerySource, RefreshChange, RefreshState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from enterprise_catalog.catalog.models import ContentMetadata, EnterpriseCatalog

#: Changes that are read, newest first. An item whose membership changed more often has no older changes here.
_MAX_CHANGES: Final = 500


@dataclass(frozen=True, slots=True)
class MembershipNote:
    """The last change of one item in one catalog that is filled from course-discovery, and why it is absent."""

    change: RefreshChange | None = None  #: The newest change: done by a complete refresh, or waiting in a held one.
    excluded_by: tuple[str, ...] = ()  #: Members of the filter that the item does not satisfy.


def notes_on(
    content_key: str, content: ContentMetadata | None, catalogs: Sequence[EnterpriseCatalog], holders: Collection[UUID]
) -> dict[UUID, MembershipNote]:
    """Return the notes on the catalogs that are filled from course-discovery, by catalog.

    Args:
        content_key: the item's key, also if the item is not known.
        content: the item, if it is known.
        catalogs: with their queries loaded.
        holders: the catalogs that contain the item.
    """
    filled = {each.pk: each.catalog_query for each in catalogs if each.catalog_query}
    filled = {pk: query for pk, query in filled.items() if query.source == QuerySource.DISCOVERY}
    if not filled:
        return {}
    changes = _newest_changes(content_key, {query.pk for query in filled.values()})
    missing = filled.keys() - holders
    document = _document_of(content) if content and missing else {}
    return {
        pk: MembershipNote(
            changes.get(query.pk),
            tuple(failing_members(query.content_filter, content, document)) if content and pk in missing else (),
        )
        for pk, query in filled.items()
    }


def _newest_changes(content_key: str, queries: Collection[int]) -> dict[int, RefreshChange]:
    """Return id of each query -> the newest change of the item that was made, or waits for approval."""
    rows = (
        RefreshChange.objects.filter(
            content_key=content_key,
            refresh__catalog_query__in=queries,
            refresh__state__in=(RefreshState.COMPLETE, RefreshState.HELD),
        )
        .select_related("refresh")
        .order_by("-refresh")[:_MAX_CHANGES]
    )
    newest: dict[int, RefreshChange] = {}
    for row in rows:
        newest.setdefault(row.refresh.catalog_query_id, row)
    return newest


def _document_of(content: ContentMetadata) -> Mapping[str, object]:
    stored = ContentDocument.objects.filter(pk=content.pk).values_list("json", flat=True).first()
    return orjson.loads(bytes(stored)) if stored else {}
