"""A catalog's changes since a version, merged from the pages of ``content-changes``."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

#: Largest number of changes that are read. For more, the diff by keys takes less time.
MAX_CHANGES: Final = 10_000

_moment_of = functools.lru_cache(maxsize=1_000)(datetime.fromisoformat)  # Many items share the same time.


def read_moment(version: str, *, of: str) -> datetime:
    """Return the time in an item's version.

    Args:
        of: the part of the response that contains the version.

    Raises:
        CatalogUnavailableError: the version is not a time.
    """
    try:
        return _moment_of(version)
    except (TypeError, ValueError) as error:
        message = f"The catalog service's response is invalid: {of}: {error}"
        raise CatalogUnavailableError(message) from error


class _Item(BaseModel):
    content_key: str
    updated_at: str


class ChangesPage(BaseModel):
    """One page: exactly the changes after the page before."""

    created: list[_Item]
    changed: list[_Item]
    removed: list[str]
    next: str | None
    catalog_version: str | None = None  #: Only on the last page.


@dataclass(slots=True)
class Changes:
    """The changes of one catalog since a version."""

    version: str = ""  #: Of the catalog with these changes.
    present: dict[str, datetime] = field(default_factory=dict)  #: Items that were created or changed -> their versions.
    removed: set[str] = field(default_factory=set)  #: Keys that are no longer in the catalog.
    joined: set[str] = field(default_factory=set)  #: Keys that were not in the catalog at the earlier version.

    def add(self, page: ChangesPage) -> None:
        """Add the next page.

        Raises:
            CatalogUnavailableError: the page contradicts itself, or the last page has no version.
        """
        there = {
            item.content_key: read_moment(item.updated_at, of="updated_at") for item in (*page.created, *page.changed)
        }
        gone = set(page.removed)
        if len(there) + len(gone) < len(page.created) + len(page.changed) + len(page.removed) or gone & there.keys():
            raise CatalogUnavailableError("The catalog service's response is invalid: a page lists a key twice.")
        self.joined |= {item.content_key for item in page.created} - self.keys
        self.removed = self.removed - there.keys() | gone
        self.present |= there
        for key in gone:
            self.present.pop(key, None)
        if page.next is None:
            if not page.catalog_version:
                raise CatalogUnavailableError("The catalog service's response is invalid: catalog_version is missing.")
            self.version = page.catalog_version

    def __contains__(self, key: str) -> bool:
        """Return True if the item was created, changed or removed."""
        return key in self.present or key in self.removed

    @property
    def keys(self) -> AbstractSet[str]:
        """All keys that were created, changed or removed."""
        return self.present.keys() | self.removed
