"""Catalogs of one customer, which overlap and change at random: what a learning system has to follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.factories import a_course

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from random import Random

#: What a change does, and how often in comparison with the others.
_CHANGES: Final = {"new": 3, "changed": 4, "reverted": 1, "gone": 3, "back": 2, "moved": 1}
#: How often a favourite is taken where there is one.
FAVOUR: Final = 0.5


@dataclass
class ChangingCatalogs:
    """What the catalogs should hold; to put it there is somebody else's task."""

    names: Collection[str]
    dice: Random
    prefix: str = "Northwind+C"  #: Of the content keys.
    members: dict[str, set[str]] = field(init=False)  #: Catalog -> keys.
    versions: dict[str, int] = field(init=False, default_factory=dict)  #: By key, of all that there ever was.
    #: Keys that change, go and come back more often than others: those of which something is in doubt, say.
    favourites: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.members = {name: set() for name in self.names}

    def union(self, names: Iterable[str] = ()) -> set[str]:
        """Return the keys of some catalogs, or of all."""
        return set[str]().union(*(self.members[name] for name in names or self.names))

    def documents(self, names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
        """Return key -> document of some catalogs, or of all."""
        return {key: self._document(key) for key in sorted(self.union(names))}

    def change(self, times: int) -> None:
        """Let items come, change, go, return and move from catalog to catalog."""
        for change in self.dice.choices([*_CHANGES], weights=[*_CHANGES.values()], k=times):
            getattr(self, f"_{change}")()

    def add(self, number: int, *, to: str | None = None) -> None:
        """Let ``number`` new items come, to one catalog or to any."""
        for _ in range(number):
            self._new(to)

    def alter(self, key: str) -> None:
        """Let one item change."""
        self.versions[key] += 1

    def take_away(self, key: str) -> None:
        """Let one item leave all catalogs."""
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
        """Let an item be again what it was before it last changed."""
        if key := self._one_or_favourite(self.union()):
            self.versions[key] = max(1, self.versions[key] - 1)

    def _gone(self) -> None:
        if key := self._one_or_favourite(self.union()):
            self.take_away(key)

    def _back(self) -> None:
        if key := self._one_or_favourite(self.versions.keys() - self.union()):
            self._put(key)

    def _moved(self) -> None:
        """Take an item out of one catalog, if it is there, and put it into another."""
        if key := self._one_of(self.union()):
            source, target = self.dice.sample([*self.members.values()], 2)
            source.discard(key)
            target.add(key)

    def _put(self, key: str) -> None:
        """Put the item into one catalog or two."""
        for keys in self.dice.sample([*self.members.values()], self.dice.choice((1, 1, 2))):
            keys.add(key)

    def _one_or_favourite(self, keys: set[str]) -> str | None:
        favourites = keys & self.favourites
        return self._one_of(favourites if favourites and self.dice.random() < FAVOUR else keys)

    def _one_of(self, keys: set[str]) -> str | None:
        return self.dice.choice(sorted(keys)) if keys else None

    def _document(self, key: str) -> dict[str, Any]:
        version = self.versions[key]
        return a_course(key, title=f"Version {version} of {key}", full_description=f"<p>Text {version}.</p>")


def as_offered(documents: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Return key -> name of what a Moodle should offer."""
    return {key: fullname(document["title"]) for key, document in documents.items()}


def fullname(title: str) -> str:
    """Return what a course of this title is called at a Moodle."""
    return f"{title} - via edX.org (Northwind Institute)"
