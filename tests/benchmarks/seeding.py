"""Catalogs of each size, loaded by our own import: courses of about 8 KB, identical in every run."""

from __future__ import annotations

import functools
import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from tests.benchmarks.results import WrongAnswerError
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from enterprise_catalog.catalog.models import CatalogQuery

#: Time of the first portion's import. The odd interval below gives each portion a different time of day.
FIRST_IMPORT: Final = datetime(2025, 1, 7, 3, 12, 44, 918_273, tzinfo=UTC)
_BETWEEN_IMPORTS: Final = timedelta(hours=29, minutes=17, seconds=5, microseconds=123_457)
_PORTIONS: Final = 100
_ORGANISATIONS: Final = 40
_SENTENCES_OF_A_COURSE: Final = (85, 105)


@dataclass(frozen=True, slots=True)
class SeededCatalog:
    """A catalog in the database."""

    uuid: UUID
    query_id: int
    keys: Sequence[str]  #: In no particular order.

    @property
    def items(self) -> int:
        """Number of items in the catalog."""
        return len(self.keys)


def seed(sizes: Sequence[int]) -> Iterator[tuple[SeededCatalog, float]]:
    """Yield a catalog of each size, without common items, and the seconds that its import took."""
    customer = CustomerFactory.create()
    start = 0
    for size in sizes:
        keys = course_keys(start, size)
        catalog = CatalogFactory.create(customer=customer, title=f"{size:,} items")
        query = catalog.catalog_query
        assert query is not None
        seconds = _fill(query, keys)
        yield SeededCatalog(catalog.pk, query.pk, keys), seconds
        start += size


def seed_alone(items: int) -> SeededCatalog:
    """Return the only catalog of a new customer, so nothing else changes the ETag of the customer's catalogs."""
    keys = course_keys(0, items, prefix=f"Alone{items}Org")
    catalog = CatalogFactory.create(title=f"{items:,} items alone", customer__slug=f"alone-{items}")
    query = catalog.catalog_query
    assert query is not None
    _fill(query, keys)
    return SeededCatalog(catalog.pk, query.pk, keys)


def seed_empty() -> SeededCatalog:
    """Return a catalog without items: its diff shows the fixed cost of any diff."""
    catalog = CatalogFactory.create(title="No items", customer__slug="unknown")
    assert catalog.catalog_query_id is not None
    return SeededCatalog(catalog.pk, catalog.catalog_query_id, [])


def course_keys(start: int, count: int, *, prefix: str = "Org") -> list[str]:
    """Return ``count`` course keys, numbered from ``start``. Key order differs from number order."""
    return [f"{prefix}{number % _ORGANISATIONS}X+COURSE{number:06}" for number in range(start, start + count)]


def course_title(key: str, edition: int) -> str:
    """Return the title of a course; each edition has a different title."""
    return f"Course {key}" if edition == 1 else f"Course {key}, edition {edition}"


def course_line(key: str, *, edition: int = 1) -> bytes:
    """Return the document of a course as one line of JSON, about 8 KB; text and title differ for each ``edition``."""
    chosen = random.Random(f"{key} {edition}")
    text = " ".join(chosen.choices(_sentences(), k=chosen.randint(*_SENTENCES_OF_A_COURSE)))
    course = CourseFactory.build(key=key, title=course_title(key, edition), full_description=f"<p>{text}</p>")
    return json.dumps(course).encode()


def timed_import(
    query: CatalogQuery, lines: Sequence[bytes], *, now: datetime, expected: ImportReport, replace: bool = False
) -> float:
    """Import ``lines`` and return the seconds it took.

    Args:
        replace: remove items that are not in ``lines``.

    Raises:
        WrongAnswerError: the import's report is not ``expected``.
    """
    started = time.perf_counter()
    report = import_documents(lambda: query, lines, now=now, replace=replace, allow_shrink=True)
    seconds = time.perf_counter() - started
    if report != expected:
        raise WrongAnswerError(f"the import did {report}, not {expected}")
    return seconds


def _fill(query: CatalogQuery, keys: Sequence[str]) -> float:
    """Import the courses in portions, as if over months, so neighboring keys have different times of change."""
    shuffled = random.Random(len(keys)).sample(keys, len(keys))
    portion = -(-len(keys) // _PORTIONS)
    seconds, now = 0.0, FIRST_IMPORT
    for start in range(0, len(keys), portion):
        lines = [course_line(key) for key in shuffled[start : start + portion]]
        seconds += timed_import(query, lines, now=now, expected=ImportReport(created=len(lines)))
        now += _BETWEEN_IMPORTS
    return seconds


@functools.cache
def _sentences() -> list[str]:
    """Return made-up sentences of 6 to 16 words."""
    chosen = random.Random("words")
    syllables = ("ba", "ce", "di", "fo", "gu", "han", "jet", "kil", "lom", "mur", "nes", "pra", "qui", "ros", "sten")
    words = ["".join(chosen.choices(syllables, k=chosen.randint(1, 4))) for _ in range(3_000)]
    return [" ".join(chosen.choices(words, k=chosen.randint(6, 16))).capitalize() + "." for _ in range(4_000)]
