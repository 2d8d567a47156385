"""The catalog service's response about one content key, as a user entered it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Match(StrEnum):
    """Relation of a suggested item to the text that was entered."""

    SPACES = "spaces"  #: Equal without leading, trailing or repeated spaces.
    CASE = "case"  #: Equal if case is ignored.
    RUN = "run"  #: The text is the key of one of the course's runs.
    TITLE = "title"  #: The text is in the title.


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True)


class LookedUpCatalog(_Read):
    """One of the customer's catalogs."""

    uuid: UUID
    title: str
    contains: bool  #: True if the catalog contains exactly the key that was looked up.


class Suggestion(_Read):
    """An item whose key, run or title is similar to the text that was entered."""

    content_key: str
    title: str
    content_type: str
    match: Match
    catalogs: frozenset[UUID] = frozenset()  #: The customer's catalogs that contain the item.


class ContentLookup(_Read):
    """The catalog service's knowledge of one content key and one customer."""

    is_known: bool  #: True if the service has content with exactly this key, in any catalog or in none.
    title: str | None = None
    content_type: str | None = None
    updated_at: datetime | None = None
    catalogs: tuple[LookedUpCatalog, ...] = ()  #: All catalogs of the customer.
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def containing(self) -> frozenset[UUID]:
        """The customer's catalogs that contain the item."""
        return frozenset(catalog.uuid for catalog in self.catalogs if catalog.contains)
