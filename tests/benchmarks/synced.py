"""A catalog that is synced to an LMS, and the kinds of syncs: first, after changes, and three without changes.

The engine runs in this process; catalog service, LMS and database have their own processes. Every run is checked: its
counts, and the courses in the LMS afterwards.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.utils import timezone

from enterprise_catalog.catalog.customers import save_catalog
from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Comparison, RunState
from enterprise_catalog.integrated_channels.sync.engine import sync
from tests.benchmarks.results import WrongAnswerError
from tests.benchmarks.seeding import course_keys, course_line, course_title, timed_import
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.models import SyncRun
    from tests.benchmarks.lms import LMS
    from tests.benchmarks.seeding import SeededCatalog

FIRST: Final = "first"
CHANGED: Final = "changed"
SAME_ITEMS: Final = "unchanged, other ETag"
ALL_COMPARED: Final = "unchanged, all compared"
UNCHANGED: Final = "unchanged"

CHUNK_SIZE: Final = 100

#: Kind of sync -> what it compares.
_COMPARISONS: Final = {
    FIRST: Comparison.FIRST,
    CHANGED: Comparison.CHANGES,
    SAME_ITEMS: Comparison.CHANGES,
    ALL_COMPARED: Comparison.REQUESTED,
    UNCHANGED: Comparison.UNCHANGED,
}

#: Changes for every 20 items of the catalog: 1 new, 2 changed, 1 removed.
_CHANGES: Final = {"create": 1, "update": 2, "delete": 1}
_CHANGES_OF: Final = 20


@dataclass(frozen=True, slots=True)
class Run:
    """The counts and times of one run."""

    sent: Mapping[str, int]  #: Action -> items.
    seconds: float
    lms_seconds: float
    statements: int  #: As counted by the database server.


@dataclass(slots=True)
class Synced:
    """A catalog and its newest configuration. Each run ends with the LMS up to date."""

    catalog: SeededCatalog
    lms: LMS
    keys: list[str]  #: The keys in the catalog now.
    configuration_id: int = 0
    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    _editions: Counter[str] = field(default_factory=Counter)  #: Key -> number of changes to its document.

    @classmethod
    def once(cls, catalog: SeededCatalog, lms: LMS) -> Synced:
        """Return a catalog after one sync, which loads all code and is not counted in ``runs``."""
        synced = cls(catalog, lms, list(catalog.keys))
        synced.first()
        synced.runs.clear()
        return synced

    def first(self) -> float:
        """Sync a new configuration to an empty LMS."""
        self.lms.reset()
        self.configuration_id = configured(self.catalog, self.lms)
        return self._timed(FIRST, {"create": len(self.keys)})

    def changed(self) -> float:
        """Sync after items were added, changed and removed."""
        return self._timed(CHANGED, self.change())

    def same_items(self) -> float:
        """Sync after the catalog's ETag has changed, but none of its items."""
        save_catalog(EnterpriseCatalog.objects.with_parts().get(pk=self.catalog.uuid), now=timezone.now())
        return self._timed(SAME_ITEMS, {})

    def all_compared(self) -> float:
        """Sync without any change, but compare all items, as each channel does once a day."""
        return self._timed(ALL_COMPARED, {})

    def unchanged(self) -> float:
        """Sync without any change."""
        return self._timed(UNCHANGED, {})

    def _timed(self, how: str, expected: Mapping[str, int]) -> float:
        configuration = ChannelConfiguration.objects.get(pk=self.configuration_id)
        self.lms.take_seconds()
        before = statements_so_far()
        started = time.perf_counter()
        ended = sync(configuration, clock=timezone.now, compare_all=how == ALL_COMPARED)
        seconds = time.perf_counter() - started
        statements = statements_so_far() - before - 1  # Without the statement that counts.
        self.runs[how].append(Run(expected, seconds, self.lms.take_seconds(), statements))
        row = checked(ended, expected)
        if row.comparison != _COMPARISONS[how]:
            raise WrongAnswerError(f"a sync ({how}) did not compare what it should have, but {row.comparison}")
        if not self.is_offered():
            raise WrongAnswerError(f"after a sync ({how}) the LMS does not offer the content of the catalog")
        return seconds

    def is_offered(self) -> bool:
        """Return True if the LMS has exactly the catalog's courses, each with the title of its newest edition."""
        names = self.lms.offered()
        return names.keys() == set(self.keys) and all(
            name.startswith(f"{course_title(key, 1 + self._editions[key])} - ") for key, name in names.items()
        )

    def change(self) -> dict[str, int]:
        """Remove some of the oldest items, change others and add new ones. Return action -> number of items."""
        numbers = {action: number * len(self.keys) // _CHANGES_OF for action, number in _CHANGES.items()}
        kept = self.keys[numbers["delete"] :]
        changed = kept[: numbers["update"]]
        new = course_keys(len(self.runs[CHANGED]) * numbers["create"], numbers["create"], prefix="New")
        self._editions.update(changed)
        self.keys = kept + new
        lines = [course_line(key, edition=1 + self._editions[key]) for key in self.keys]
        expected = ImportReport(
            created=len(new), updated=len(changed), unchanged=len(kept) - len(changed), removed=numbers["delete"]
        )
        query = CatalogQuery.objects.get(pk=self.catalog.query_id)
        timed_import(query, lines, now=timezone.now(), expected=expected, replace=True)
        return numbers


def configured(catalog: SeededCatalog, lms: LMS) -> int:
    """Create a configuration that syncs the catalog to ``lms`` and return its id."""
    customer = EnterpriseCatalog.objects.get(pk=catalog.uuid).enterprise_customer_id
    return ConfigurationFactory.create(
        channel_code=lms.channel_code,
        enterprise_customer_uuid=customer,
        base_url=lms.base_url,
        settings=lms.settings,
        credentials=lms.credentials,
        chunk_size=CHUNK_SIZE,
    ).pk


def checked(row: SyncRun | None, expected: Mapping[str, int]) -> SyncRun:
    """Return ``row`` after checking that the run is complete and its counts are exactly ``expected`` (action -> items).

    Raises:
        WrongAnswerError: the run is incomplete, or its counts differ.
    """
    assert row is not None  # no one else holds the lease
    if row.state != RunState.COMPLETE or row.counts != {action: {"done": n} for action, n in expected.items()}:
        raise WrongAnswerError(f"a sync is {row.state} with {row.counts}, not with {expected}; {row.reason}")
    return row


def statements_so_far() -> int:
    """Return the statements sent by this process's connection, including this one, as counted by the server.

    A transaction adds two, BEGIN and COMMIT; the driver's return to autocommit after each is not counted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS WHERE Variable_name IN ('Questions', 'Com_commit')")
        counts = {name: int(count) for name, count in cursor.fetchall()}
    return counts["Questions"] - counts["Com_commit"]
