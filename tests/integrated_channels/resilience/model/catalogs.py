"""A customer's catalogs, their changes, and the model's own record of their content."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    CatalogVersion,
    ContentChange,
    ContentDocument,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
    NestedContent,
    VersionClock,
)
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into
from tests.integrated_channels.resilience.model.watched_moodle import Shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from django.db.models import Model

#: The tables of the catalog service that the model fills.
_TABLES: Final[Sequence[type[Model]]] = (
    *(VersionClock, CatalogVersion, EnterpriseCustomer, CatalogQuery, EnterpriseCatalog, ContentChange),
    *(ContentMetadata, ContentDocument, NestedContent, CatalogMembership),
)
#: Few keys: the same items change again and again.
KEYS: Final = ("A+1", "B+1", "C+1", "D+1")
#: Moodle considers the first key equal to one of ``KEYS``. The second key is too long for Moodle.
ODD_KEYS: Final = ("d+1", "L" * 101)
ALL_KEYS: Final = KEYS + ODD_KEYS
#: A title with this ending exceeds the real length limit of the LMS, but not the documented limit.
TOO_LONG: Final = " and so on" * 15
MOST_CATALOGS: Final = 3


@dataclass
class TickingClock:
    """The current time. Each reading moves the clock forward by 1 ms."""

    now: datetime = DAY_ONE

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **duration: float) -> None:
        """Move the clock forward, as in ``forward(hours=1)``."""
        self.now += timedelta(**duration)


@dataclass(frozen=True)
class Books:
    """The content of all catalogs at one moment."""

    catalogs: Mapping[UUID, frozenset[str]]
    titles: Mapping[str, str]
    slug: str

    def desired(self, scope: Collection[str]) -> dict[str, Shown]:
        """Return content key -> course that learners should see.

        Args:
            scope: UUIDs of the catalogs that a configuration names; empty means all.
        """
        chosen = [keys for uuid, keys in self.catalogs.items() if not scope or str(uuid) in scope]
        return {key: Shown(fullname(self.titles[key]), self.slug) for key in frozenset().union(*chosen)}


@dataclass(frozen=True)
class Backup:
    """The tables of the catalog service at one moment, and the model's record of them."""

    rows: Mapping[type[Model], list[Model]]
    keys: Mapping[UUID, frozenset[str]]
    titles: Mapping[str, str]
    imported: Mapping[str, str]  #: Content key -> title in the tables.

    @classmethod
    def make(
        cls, keys: Mapping[UUID, frozenset[str]], titles: Mapping[str, str], imported: Mapping[str, str]
    ) -> Backup:
        """Return a backup of the current state."""
        rows = {model: list(model._base_manager.all()) for model in _TABLES}
        return cls(rows, dict(keys), dict(titles), imported)

    def restore_tables(self) -> None:
        """Replace all rows of the tables by the backup."""
        with connection.constraint_checks_disabled(), transaction.atomic():
            for model, rows in self.rows.items():
                every = model._base_manager.all()
                every._raw_delete(every.db)
                model._base_manager.bulk_create(rows)


def fullname(title: str) -> str:
    """Return Moodle's full name for a title."""
    return f"{title} - via edX.org (Northwind Institute)"


@dataclass
class Catalogs:
    """The catalogs. Each change takes a random number and derives its own choices from it."""

    clock: TickingClock
    keys: dict[UUID, frozenset[str]] = field(default_factory=dict)  #: Catalog UUID -> content keys.
    titles: dict[str, str] = field(default_factory=dict)
    history: list[Books] = field(default_factory=list)  #: Content after each change, oldest first.
    _edits: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)  #: Changes of titles, oldest first.
    #: Titles that were imported or restored, oldest first.
    _versions: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    _backup: Backup | None = None
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._earlier = UUID(int=0), frozenset[str]()  # The catalog last filled, and its previous content.
        self.customer = CustomerFactory.create(uuid=UUID(int=1), slug="slug-0")
        for key in ALL_KEYS:
            self._set_title(key, f"Title {next(self._numbers)}")
        self._close_books()

    @property
    def desired(self) -> dict[str, Shown]:
        """Content key -> course that learners should see now, over all catalogs."""
        return self.history[-1].desired(())

    def title_at(self, key: str, moment: datetime | None) -> str | None:
        """Return the title of an item's version of ``moment``, or ``None`` if there is no such version."""
        versions = self._versions.get(key, ())
        titles = [title for changed_at, title in versions if moment is not None and changed_at <= moment]
        return titles[-1] if titles else None

    def titles_after(self, key: str, moment: datetime | None) -> set[str]:
        """Return the titles of an item's versions after ``moment``."""
        versions = self._versions.get(key, ())
        return {title for changed_at, title in versions if moment is not None and changed_at > moment}

    def add(self, number: int) -> None:
        """Create a catalog with the items that ``number`` encodes, up to ``MOST_CATALOGS``."""
        if len(self.keys) < MOST_CATALOGS:
            uuid = UUID(int=next(self._numbers))
            CatalogFactory.create(customer=self.customer, uuid=uuid, now=self.clock())
            self._fill(uuid, _some_keys(number))

    def fill(self, number: int) -> None:
        """Replace a catalog's content with the items that ``number`` encodes."""
        if self.keys:
            self._fill(self._chosen(number // 1_024), _some_keys(number))

    def empty(self, number: int) -> None:
        """Remove all items from a catalog."""
        if self.keys:
            self._fill(self._chosen(number), ())

    def undo(self, number: int) -> None:
        """Restore the previous content of the catalog last filled. If ``number`` is odd, change an item first."""
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
        """Change the title of an item. A few titles are empty or too long for Moodle."""
        title = f"Title {next(self._numbers)}"
        self.retitle(self._a_key(number), {14: f"{title}{TOO_LONG}", 15: ""}.get(number // 8 % 16, title))

    def restore(self, _: int = 0) -> None:
        """Revert the last change of a title."""
        key = max(self._edits, key=lambda key: self._edits[key][-1])
        titles = [title for _, title in self._edits[key]]
        self.retitle(key, titles[-2:][0])

    def touch(self, number: int) -> None:
        """Change a field of an item that is not sent to Moodle."""
        self._publish(self._a_key(number), level_type=f"Level {next(self._numbers)}")

    def retitle(self, key: str, title: str) -> None:
        """Set the title of an item."""
        self._set_title(key, title)
        self._publish(key)

    def rename_customer(self, _: int = 0) -> None:
        """Change the customer's slug, and with it all enrollment URLs."""
        self.customer.slug = f"slug-{next(self._numbers)}"
        save_customer(self.customer, now=self.clock())
        self._close_books()

    def forget_changes(self, _: int = 0) -> None:
        """Delete the log of changes, as its retention does. No version is known any more."""
        ContentChange.objects.all().delete()
        CatalogVersion.objects.all().delete()

    def back_up(self, _: int = 0) -> None:
        """Make a backup of the catalog service's database."""
        imported = {key: versions[-1][1] for key, versions in self._versions.items()}
        self._backup = Backup.make(self.keys, self.titles, imported)

    def restore_backup(self, _: int = 0) -> None:
        """Restore the backup, if there is one. All changes since are lost, also their versions."""
        if self._backup is not None:
            self._backup.restore_tables()
            SNAPSHOTS.clear()  # The service restarts.
            self.keys, self.titles = dict(self._backup.keys), dict(self._backup.titles)
            self.customer.refresh_from_db()
            # An edit of the customer gives restored documents later times than those of the lost imports.
            now = self.clock()
            for key, title in self._backup.imported.items():
                self._versions[key].append((now, title))
            self._earlier = UUID(int=0), frozenset[str]()
            self._close_books()

    def _a_key(self, number: int) -> str:
        """Return a key. Keys of ``ODD_KEYS`` are only chosen if they are in the catalogs."""
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
        """Import the changes of an item. Catalogs share content, and one import updates all of them."""
        uuid = next((uuid for uuid, keys in sorted(self.keys.items()) if key in keys), None)
        if uuid is not None:
            self._import(uuid, {key: self._document(key, **fields)})
        self._close_books()

    def _document(self, key: str, **fields: str) -> dict[str, Any]:
        return CourseFactory.build(key=key, title=self.titles[key], **fields)

    def _import(self, uuid: UUID, documents: Mapping[str, dict[str, Any]], *, replace: bool = False) -> None:
        catalog = EnterpriseCatalog.objects.select_related("catalog_query").get(pk=uuid)
        now = self.clock()
        import_into(catalog, list(documents.values()), now=now, replace=replace)
        for key in documents:
            self._versions.setdefault(key, []).append((now, self.titles[key]))

    def _close_books(self) -> None:
        self.history.append(Books(dict(self.keys), dict(self.titles), self.customer.slug))


def _some_keys(number: int) -> Sequence[str]:
    """Return the keys whose bits are set in ``number``; one in four numbers may include keys of ``ODD_KEYS``."""
    odd = ODD_KEYS if number >> 8 & 3 == 3 else ()
    return [key for bit, key in enumerate((*KEYS, *odd)) if number >> bit & 1]
