"""A customer's catalogs, how they change, and the books that the model keeps of them by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.models import EnterpriseCatalog
from tests.factories import DAY_ONE, a_catalog, a_course, a_customer, import_into
from tests.integrated_channels.proofs.model.watched_moodle import Shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

#: Few, so that what happens happens to the same items again.
KEYS: Final = ("A+1", "B+1", "C+1", "D+1")
#: The first is the same as one of the others to Moodle, the second is too long for it.
ODD_KEYS: Final = ("d+1", "L" * 101)
ALL_KEYS: Final = KEYS + ODD_KEYS
#: A title that ends so is longer than the learning system takes, but not longer than it says that it takes.
TOO_LONG: Final = " and so on" * 15
MOST_CATALOGS: Final = 3


@dataclass
class TickingClock:
    """The time, which moves a little whenever somebody looks at it."""

    now: datetime = DAY_ONE

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **duration: float) -> None:
        """Move the clock, as in ``forward(hours=1)``."""
        self.now += timedelta(**duration)


@dataclass(frozen=True)
class Books:
    """What the catalogs held at one moment."""

    catalogs: Mapping[UUID, frozenset[str]]
    titles: Mapping[str, str]
    slug: str

    def desired(self, scope: Collection[str]) -> dict[str, Shown]:
        """Return what learners should see, by key.

        Args:
            scope: the catalogs that a configuration names; none means all.
        """
        chosen = [keys for uuid, keys in self.catalogs.items() if not scope or str(uuid) in scope]
        return {key: Shown(fullname(self.titles[key]), self.slug) for key in frozenset().union(*chosen)}


def fullname(title: str) -> str:
    """Return what Moodle shows for a title."""
    return f"{title} - via edX.org (Northwind Institute)"


@dataclass
class Catalogs:
    """The catalogs. What happens to them takes a number, and each reads of it what it needs."""

    clock: TickingClock
    keys: dict[UUID, frozenset[str]] = field(default_factory=dict)  #: Of each catalog.
    titles: dict[str, str] = field(default_factory=dict)
    history: list[Books] = field(default_factory=list)  #: The books after each change, ascending.
    _edits: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)  #: Of the titles, ascending.
    _versions: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)  #: Those that were brought in.
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._earlier = UUID(int=0), frozenset[str]()  # The catalog that was last filled, and what it held before.
        self.customer = a_customer(uuid=UUID(int=1), slug="slug-0")
        for key in ALL_KEYS:
            self._set_title(key, f"Title {next(self._numbers)}")
        self._close_books()

    @property
    def desired(self) -> dict[str, Shown]:
        """What learners should see now, by key, with all catalogs."""
        return self.history[-1].desired(())

    def title_at(self, key: str, moment: datetime | None) -> str | None:
        """Return the title that an item's version of ``moment`` has; ``None`` for none."""
        versions = self._versions.get(key, ())
        titles = [title for changed_at, title in versions if moment is not None and changed_at <= moment]
        return titles[-1] if titles else None

    def add(self, number: int) -> None:
        """Make a catalog with the items that ``number`` stands for."""
        if len(self.keys) < MOST_CATALOGS:
            uuid = UUID(int=next(self._numbers))
            a_catalog(customer=self.customer, uuid=uuid, now=self.clock())
            self._fill(uuid, _some_keys(number))

    def fill(self, number: int) -> None:
        """Let a catalog hold exactly the items that ``number`` stands for."""
        if self.keys:
            self._fill(self._chosen(number // 1_024), _some_keys(number))

    def empty(self, number: int) -> None:
        """Empty a catalog."""
        if self.keys:
            self._fill(self._chosen(number), ())

    def undo(self, number: int) -> None:
        """Let a catalog hold what it held before; an odd ``number`` has changed one of its items meanwhile."""
        uuid, earlier = self._earlier
        if uuid in self.keys:
            if number % 2:
                self.change(number // 2)
            self._fill(uuid, sorted(earlier))

    def drop(self, number: int) -> None:
        """Delete a catalog."""
        if self.keys:
            uuid = self._chosen(number)
            EnterpriseCatalog.objects.get(pk=uuid).delete()
            del self.keys[uuid]
            self._close_books()

    def change(self, number: int) -> None:
        """Give an item another title; a few of them are empty, or longer than Moodle takes."""
        title = f"Title {next(self._numbers)}"
        self.retitle(self._a_key(number), {14: f"{title}{TOO_LONG}", 15: ""}.get(number // 8 % 16, title))

    def restore(self, _: int = 0) -> None:
        """Take the last change of a title back."""
        key = max(self._edits, key=lambda key: self._edits[key][-1])
        titles = [title for _, title in self._edits[key]]
        self.retitle(key, titles[-2:][0])

    def touch(self, number: int) -> None:
        """Change something of an item that Moodle is not told of."""
        self._publish(self._a_key(number), level_type=f"Level {next(self._numbers)}")

    def retitle(self, key: str, title: str) -> None:
        """Give an item a title."""
        self._set_title(key, title)
        self._publish(key)

    def rename_customer(self, _: int = 0) -> None:
        """Change the address where learners enrol."""
        self.customer.slug = f"slug-{next(self._numbers)}"
        save_customer(self.customer, now=self.clock())
        self._close_books()

    def _a_key(self, number: int) -> str:
        """Return a key; an odd one only if it is in the catalogs."""
        keys = [key for key in ALL_KEYS if key in KEYS or key in self.desired]
        return keys[number % len(keys)]

    def _chosen(self, number: int) -> UUID:
        return sorted(self.keys)[number % len(self.keys)]

    def _fill(self, uuid: UUID, keys: Sequence[str]) -> None:
        self._import(uuid, {key: self._document(key) for key in keys}, replace=True)
        self._earlier = uuid, self.keys.get(uuid, frozenset())
        self.keys[uuid] = frozenset(keys)
        self._close_books()

    def _set_title(self, key: str, title: str) -> None:
        self.titles[key] = title
        self._edits.setdefault(key, []).append((self.clock(), title))

    def _publish(self, key: str, **fields: str) -> None:
        """Import what has changed of an item; content is shared, so that one catalog brings it to all."""
        uuid = next((uuid for uuid, keys in sorted(self.keys.items()) if key in keys), None)
        if uuid is not None:
            self._import(uuid, {key: self._document(key, **fields)})
        self._close_books()

    def _document(self, key: str, **fields: str) -> dict[str, Any]:
        return a_course(key, title=self.titles[key], **fields)

    def _import(self, uuid: UUID, documents: Mapping[str, dict[str, Any]], *, replace: bool = False) -> None:
        catalog = EnterpriseCatalog.objects.select_related("catalog_query").get(pk=uuid)
        now = self.clock()
        import_into(catalog, list(documents.values()), now=now, replace=replace)
        for key in documents:
            self._versions.setdefault(key, []).append((now, self.titles[key]))

    def _close_books(self) -> None:
        self.history.append(Books(dict(self.keys), dict(self.titles), self.customer.slug))


def _some_keys(number: int) -> Sequence[str]:
    """Return the keys that ``number`` has bits for; seldom one of the odd ones."""
    odd = ODD_KEYS if number >> 8 & 3 == 3 else ()
    return [key for bit, key in enumerate((*KEYS, *odd)) if number >> bit & 1]
