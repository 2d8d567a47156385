"""Customers, catalogs and content as the catalog service lists them, and finds them by the text of a user."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Match(StrEnum):
    """Relation of a suggested item to the text that was entered."""

    SPACES = "spaces"  #: Only spaces differ, or characters are encoded as in a URL.
    CASE = "case"  #: Equal if case is ignored.
    RUN = "run"  #: The text is the key of one of the course's runs.
    TITLE = "title"  #: The title starts with the text, in any case.


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True)


class Customer(_Read):
    """A customer."""

    uuid: UUID
    name: str
    slug: str


class Catalog(_Read):
    """One of a customer's catalogs."""

    uuid: UUID
    title: str = ""
    enterprise_customer_name: str | None = None
    catalog_version: str = ""  #: Empty in look-ups.


class ChangedCustomers(_Read):
    """The customers whose catalogs changed since a cursor."""

    customers: list[UUID] = []  #: Empty if the question had no cursor.
    cursor: str = Field(min_length=1, max_length=255)  #: Of the next question.


class ChangeKind(StrEnum):
    """The effect of a refresh from course-discovery on an item's membership in a catalog."""

    ADDED = "added"
    REMOVED = "removed"


class MembershipChange(_Read):
    """The newest refresh that added the item to a catalog or removed it, or would."""

    change: ChangeKind
    is_held: bool  #: True if the refresh waits for approval: the change is not made yet.
    changed_at: datetime | None = None  #: When the refresh ended.


class LookedUpQuery(_Read):
    """The query that fills a catalog."""

    title: str
    content_source: str  #: ``discovery`` if refreshes from course-discovery fill it.
    refreshed_at: datetime | None = None  #: When the last complete refresh started.
    last_refresh: str | None = None  #: State of the newest refresh.

    @property
    def is_refreshed(self) -> bool:
        """True if refreshes from course-discovery fill the query."""
        return self.content_source == "discovery"


class LookedUpCatalog(Catalog):
    """One of the customer's catalogs, compared with the key that was looked up."""

    contains: bool  #: True if the catalog contains exactly the key that was looked up.
    query: LookedUpQuery | None = None  #: ``None`` for a catalog without a query.
    last_change: MembershipChange | None = None
    excluded_by: tuple[str, ...] = ()  #: Members of the catalog's content filter that exclude the item.


class Suggestion(_Read):
    """An item whose key, run or title is similar to the text that was entered."""

    content_key: str
    title: str
    content_type: str
    match: Match
    catalogs: frozenset[UUID] = frozenset()  #: The customer's catalogs that contain the item.


class ContentLookup(_Read):
    """The catalog service's response about one content key and one customer."""

    is_known: bool  #: True if the service has content with exactly this key, in any catalog or in none.
    title: str | None = None
    content_type: str | None = None
    updated_at: datetime | None = None
    catalogs: tuple[LookedUpCatalog, ...] = ()  #: All catalogs of the customer.
    suggestions: tuple[Suggestion, ...] = ()

    def within_catalogs(self) -> Self:
        """Return the part of the response that a user of the customer may see: content in the customer's catalogs."""
        suggestions = tuple(each for each in self.suggestions if each.catalogs)
        if self.containing:
            return self.model_copy(update={"suggestions": suggestions})
        hidden = {"is_known": False, "title": None, "content_type": None, "updated_at": None}
        # That a filter excludes the item would tell that the service has it.
        catalogs = tuple(catalog.model_copy(update={"excluded_by": ()}) for catalog in self.catalogs)
        return self.model_copy(update={**hidden, "suggestions": suggestions, "catalogs": catalogs})

    @property
    def containing(self) -> frozenset[UUID]:
        """The customer's catalogs that contain the item."""
        return frozenset(catalog.uuid for catalog in self.catalogs if catalog.contains)
