"""A customer's overlapping catalogs that change at random. An LMS has to follow the changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.factories.catalog import CourseFactory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from random import Random

#: Kind of change -> weight.
_CHANGES: Final = {"new": 3, "changed": 4, "reverted": 1, "gone": 3, "back": 2, "moved": 1}
#: Probability of choosing a favorite key if there is one.
FAVOUR: Final = 0.5


@dataclass
class ChangingCatalogs:
    """The expected content of the catalogs. Callers write it to the database."""

    names: Collection[str]
    rng: Random
    prefix: str = "Northwind+C"  #: Prefix of the content keys.
    members: dict[str, set[str]] = field(init=False)  #: Catalog -> content keys.
    versions: dict[str, int] = field(init=False, default_factory=dict)  #: Key -> version, of all keys ever used.
    #: Keys that change, leave and come back more often, such as keys of items in doubt.
    favourites: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.members = {name: set() for name in self.names}

    def union(self, names: Iterable[str] = ()) -> set[str]:
        """Return the keys in the named catalogs, or in all catalogs."""
        return set[str]().union(*(self.members[name] for name in names or self.names))

    def documents(self, names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
        """Return key -> document for the named catalogs, or for all catalogs."""
        return {key: self._document(key) for key in sorted(self.union(names))}

    def change(self, times: int) -> None:
        """Make ``times`` random changes: items are added, changed, reverted, removed, re-added and moved."""
        for change in self.rng.choices([*_CHANGES], weights=[*_CHANGES.values()], k=times):
            getattr(self, f"_{change}")()

    def add(self, number: int, *, to: str | None = None) -> None:
        """Add ``number`` new items to the catalog ``to``, or to random catalogs."""
        for _ in range(number):
            self._new(to)

    def alter(self, key: str) -> None:
        """Change one item."""
        self.versions[key] += 1

    def take_away(self, key: str) -> None:
        """Remove one item from all catalogs."""
        for keys in self.members.values():
            keys.discard(key)

    def _new(self, to: str | None = None) -> None:
        key = f"{self.prefix}{len(self.versions):06}"
        self.versions[key] = 1
        if to is None:
            self._put(key)
        else:
            self.members[to].add(key)

    def _changed(self) -> None:
        if key := self._one_or_favourite(self.union()):
            self.versions[key] += 1

    def _reverted(self) -> None:
        """Revert an item to its previous version."""
        if key := self._one_or_favourite(self.union()):
            self.versions[key] = max(1, self.versions[key] - 1)

    def _gone(self) -> None:
        if key := self._one_or_favourite(self.union()):
            self.take_away(key)

    def _back(self) -> None:
        if key := self._one_or_favourite(self.versions.keys() - self.union()):
            self._put(key)

    def _moved(self) -> None:
        """Remove an item from one catalog if it is there, and add it to another."""
        if key := self._one_of(self.union()):
            source, target = self.rng.sample([*self.members.values()], 2)
            source.discard(key)
            target.add(key)

    def _put(self, key: str) -> None:
        """Add the item to one or two catalogs."""
        for keys in self.rng.sample([*self.members.values()], self.rng.choice((1, 1, 2))):
            keys.add(key)

    def _one_or_favourite(self, keys: set[str]) -> str | None:
        favourites = keys & self.favourites
        return self._one_of(favourites if favourites and self.rng.random() < FAVOUR else keys)

    def _one_of(self, keys: set[str]) -> str | None:
        return self.rng.choice(sorted(keys)) if keys else None

    def _document(self, key: str) -> dict[str, Any]:
        version = self.versions[key]
        return CourseFactory.build(
            key=key, title=f"Version {version} of {key}", full_description=f"<p>Text {version}.</p>"
        )


def as_offered(documents: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Return key -> full name of the courses that Moodle should offer."""
    return {key: fullname(document["title"]) for key, document in documents.items()}


def fullname(title: str) -> str:
    """Return Moodle's full name for a course with this title."""
    return f"{title} - via edX.org (Northwind Institute)"
