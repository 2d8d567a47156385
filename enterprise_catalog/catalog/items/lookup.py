"""Content by the text that a user pastes: a key, the key of a course run, or the beginning of a title.

Takes at most eight statements. Each reads an index, and at most :data:`MAX_CANDIDATES` items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from django.db.models import OuterRef, Subquery

from enterprise_catalog.catalog.items.membership_notes import MembershipNote, notes_on
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    CatalogRefresh,
    ContentMetadata,
    EnterpriseCatalog,
    QuerySource,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from uuid import UUID

MAX_SUGGESTIONS: Final = 10
#: Items that are compared with the text. A caller who may not read all of them still gets a full list of suggestions.
MAX_CANDIDATES: Final = 30

#: ``course-v1:edX+DemoX+2026``, and the earlier format ``edX/DemoX/2026``. The course has the key ``edX+DemoX``.
_RUN_KEY: Final = re.compile(r"(?:course-v1:)?([^+/]+)([+/])([^+/]+)\2[^+/]+", re.IGNORECASE)


class Match(StrEnum):
    """The difference between a text and the item that is suggested for it."""

    SPACES = "spaces"  #: Only spaces, or characters encoded as in a URL.
    CASE = "case"  #: Upper and lower case, and possibly spaces.
    RUN = "run"  #: The text is the key of one of the course's runs.
    TITLE = "title"  #: The item's title starts with the text.


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item that the user may have meant."""

    content: ContentMetadata
    match: Match
    catalogs: list[UUID]  #: The customer's catalogs that contain the item.


@dataclass(frozen=True, slots=True)
class Lookup:
    """The result of a lookup for one customer."""

    content: ContentMetadata | None  #: The item with exactly this key.
    catalogs: list[EnterpriseCatalog]  #: All of the customer's catalogs, by title.
    containing: frozenset[UUID] = frozenset()  #: The catalogs that contain ``content``.
    suggestions: list[Suggestion] = field(default_factory=list)
    #: Catalog -> what its refreshes and its filter tell about the item; only catalogs filled from course-discovery.
    notes: dict[UUID, MembershipNote] = field(default_factory=dict)
    refreshes: dict[int, str] = field(default_factory=dict)  #: Id of a query -> state of its newest refresh.


def look_up(customer_uuid: UUID, text: str, *, may_read_all: bool) -> Lookup:
    """Return the item with the key ``text``, and items that the user may have meant instead.

    Args:
        may_read_all: include items that are in none of the customer's catalogs.
    """
    existing = EnterpriseCatalog.objects.existing().select_related("catalog_query")
    catalogs = list(existing.of_customers([customer_uuid]).order_by("title", "uuid"))
    wanted = _Wanted.parse(text)
    candidates = _find_by_key(wanted) or _find_by_title(text)
    holders = _find_holders(candidates, catalogs)
    readable = [each for each in candidates if may_read_all or holders[each.pk]]
    found = next((each for each in readable if each.content_key == text), None)
    others = [Suggestion(each, wanted.match(each), holders[each.pk]) for each in readable if each is not found]
    others.sort(key=lambda suggestion: list(Match).index(suggestion.match))
    containing = frozenset(holders[found.pk]) if found else frozenset()
    notes = notes_on(found.content_key if found else text.strip(), found, catalogs, containing)
    return Lookup(found, catalogs, containing, others[:MAX_SUGGESTIONS], notes, _newest_refreshes(catalogs))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The keys that a text may stand for."""

    keys: frozenset[str]
    courses: frozenset[str]  #: Of course runs.

    @classmethod
    def parse(cls, text: str) -> _Wanted:
        stripped = unquote(text).strip()
        keys = {text.strip(), stripped, "".join(stripped.split()), re.sub(r"\s+", "+", stripped)}
        courses = {f"{run[1]}+{run[3]}" for run in map(_RUN_KEY.fullmatch, keys) if run}
        return cls(frozenset(keys), frozenset(courses))

    def match(self, content: ContentMetadata) -> Match:
        """Return the difference between the text and ``content``."""
        key = content.content_key.strip()
        if key in self.keys:
            return Match.SPACES
        if key.casefold() in {each.casefold() for each in self.keys}:
            return Match.CASE
        is_titled = any(content.title.casefold().startswith(each.casefold()) for each in self.keys)
        return Match.TITLE if is_titled else Match.RUN


def _newest_refreshes(catalogs: Iterable[EnterpriseCatalog]) -> dict[int, str]:
    """Return id of each query that course-discovery fills -> the state of its newest refresh."""
    queries = {each.catalog_query for each in catalogs if each.catalog_query}
    filled = [query.pk for query in queries if query.source == QuerySource.DISCOVERY]
    if not filled:
        return {}
    newest = CatalogRefresh.objects.filter(catalog_query=OuterRef("pk")).order_by("-requested_at").values("state")[:1]
    states = CatalogQuery.objects.filter(pk__in=filled).values_list("pk", Subquery(newest))
    return {pk: state for pk, state in states if state}


def _find_by_key(wanted: _Wanted) -> list[ContentMetadata]:
    found = list(ContentMetadata.objects.with_similar_keys(wanted.keys | wanted.courses)[:MAX_CANDIDATES])
    parents = {run.parent_content_key for run in found} - {"", *(each.content_key for each in found)}
    return [*found, *ContentMetadata.objects.with_keys(parents)] if parents else found


def _find_by_title(text: str) -> list[ContentMetadata]:
    beginning = text.strip()
    return list(ContentMetadata.objects.titled(beginning)[:MAX_CANDIDATES]) if beginning else []


def _find_holders(
    candidates: Collection[ContentMetadata], catalogs: Sequence[EnterpriseCatalog]
) -> dict[int, list[UUID]]:
    """Return id of each candidate -> the catalogs that contain it."""
    queries = {catalog.catalog_query_id for catalog in catalogs if catalog.catalog_query_id}
    members = CatalogMembership.objects.filter(catalog_query__in=queries, content__in=[each.pk for each in candidates])
    pairs = set(members.values_list("content_id", "catalog_query_id")) if candidates else set()
    return {
        each.pk: [catalog.pk for catalog in catalogs if (each.pk, catalog.catalog_query_id) in pairs]
        for each in candidates
    }
