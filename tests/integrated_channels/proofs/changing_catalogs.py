"""Two catalogs of one customer, which overlap and change at random: what a learning system has to follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.factories import a_catalog, a_course, import_into

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer

#: What a change does, and how often in comparison with the others.
_CHANGES: Final = {"new": 3, "changed": 5, "gone": 3, "back": 2, "moved": 1}

#: How often a favourite is taken where there is one.
FAVOUR: Final = 0.5


@dataclass
class ChangingCatalogs:
    """The two catalogs, and what they should hold."""

    customer: EnterpriseCustomer
    dice: Random
    now: datetime
    catalogs: list[EnterpriseCatalog] = field(init=False)
    members: list[set[str]] = field(init=False, default_factory=lambda: [set(), set()])  #: Keys, by catalog.
    versions: dict[str, int] = field(init=False, default_factory=dict)  #: By key, of all that there ever was.
    #: Keys that change and go more often than others: those of which something is in doubt, say.
    favourites: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.catalogs = [a_catalog(customer=self.customer, now=self.now) for _ in self.members]

    @property
    def union(self) -> set[str]:
        """The keys that a learning system should offer."""
        return set.union(*self.members)

    def titles(self) -> dict[str, str]:
        """Return key -> title of what a learning system should offer."""
        return {key: self._document(key)["title"] for key in self.union}

    def descriptions(self) -> dict[str, str]:
        """Return key -> description of what a learning system should offer."""
        return {key: self._document(key)["full_description"] for key in self.union}

    def change(self, times: int, *, now: datetime) -> None:
        """Let items come, change, go, return and move from catalog to catalog."""
        for change in self.dice.choices([*_CHANGES], weights=[*_CHANGES.values()], k=times):
            getattr(self, f"_{change}")()
        self._save(now)

    def add(self, number: int, *, now: datetime) -> None:
        """Let ``number`` new items come."""
        for _ in range(number):
            self._new()
        self._save(now)

    def alter(self, key: str, *, now: datetime) -> None:
        """Let one item change."""
        self.versions[key] += 1
        self._save(now)

    def _new(self) -> None:
        key = f"Northwind+C{len(self.versions):06}"
        self.versions[key] = 1
        self._put(key)

    def _changed(self) -> None:
        if key := self._one_or_favourite():
            self.versions[key] += 1

    def _gone(self) -> None:
        if key := self._one_or_favourite():
            for keys in self.members:
                keys.discard(key)

    def _back(self) -> None:
        if key := self._one_of(self.versions.keys() - self.union):
            self._put(key)

    def _moved(self) -> None:
        if key := self._one_of(self.union):
            self._gone_from_one(key)

    def _gone_from_one(self, key: str) -> None:
        """Take the item out of one catalog, and put it into the other if it was not there."""
        source, target = self.dice.sample(self.members, 2)
        source.discard(key)
        target.add(key)

    def _put(self, key: str) -> None:
        """Put the item into one catalog or both."""
        for keys in self.dice.sample(self.members, self.dice.choice((1, 1, 2))):
            keys.add(key)

    def _one_or_favourite(self) -> str | None:
        favourites = self.union & self.favourites
        return self._one_of(favourites if favourites and self.dice.random() < FAVOUR else self.union)

    def _one_of(self, keys: set[str]) -> str | None:
        return self.dice.choice(sorted(keys)) if keys else None

    def _document(self, key: str) -> dict[str, Any]:
        version = self.versions[key]
        return a_course(key, title=f"Version {version} of {key}", full_description=f"<p>Text {version}.</p>")

    def _save(self, now: datetime) -> None:
        for catalog, keys in zip(self.catalogs, self.members, strict=True):
            import_into(catalog, [self._document(key) for key in sorted(keys)], now=now, replace=True)
