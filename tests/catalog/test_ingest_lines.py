"""Lines of an import: empty, repeated and bad ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.ingest.import_file import BadLineError
from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata
from tests.catalog.queries import content_of, keys_in
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

A, B = json.dumps(CourseFactory.build(key="a")).encode(), json.dumps(CourseFactory.build(key="b")).encode()
OTHER_A = json.dumps(CourseFactory.build(key="a", title="Another title")).encode()


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create()


def import_lines(catalog: EnterpriseCatalog, *lines: bytes) -> tuple[ImportReport, list[tuple[int, str]]]:
    """Import ``lines``, skipping bad ones; return the counts, and number and reason of each bad line."""
    query, bad = catalog.catalog_query, list[tuple[int, str]]()
    assert query is not None
    lines = tuple(line + b"\n" for line in lines)
    report = import_documents(
        lambda: query, lines, now=DAY_ONE, on_bad_line=lambda number, reason: bad.append((number, reason))
    )
    return report, bad


def never() -> CatalogQuery:
    raise AssertionError("the database was reached")


def test_empty_lines_are_passed_over(catalog: EnterpriseCatalog) -> None:
    report, bad = import_lines(catalog, b"\n", A + b"\r\n", b"  \t\n", b"", B)

    assert (report, bad) == (ImportReport(created=2), [])


def test_the_same_document_twice_counts_once(catalog: EnterpriseCatalog) -> None:
    report, bad = import_lines(
        catalog, A, json.dumps(CourseFactory.build(key="a"), indent=1).replace("\n", "").encode(), A
    )

    assert (report, bad) == (ImportReport(created=1), [])


def test_the_first_of_two_documents_of_one_key_counts(catalog: EnterpriseCatalog) -> None:
    report, bad = import_lines(catalog, B, A, OTHER_A, A)

    assert report == ImportReport(created=2, rejected=1)
    assert bad == [(3, "a is already on line 2, with different content")]
    assert content_of("a").title == "Course a"


def test_bad_lines_are_reported_with_number_and_reason_and_skipped(catalog: EnterpriseCatalog) -> None:
    report, bad = import_lines(catalog, b"{", b"", A, b"[]", b'{"content_type": "video"}', B)

    assert report == ImportReport(created=2, rejected=3)
    assert [number for number, _ in bad] == [1, 4, 5]
    assert bad[1] == (4, "must be a JSON object, not a list")
    assert keys_in(catalog) == ["a", "b"]


@pytest.mark.parametrize(
    ("bad_line", "reason"),
    [
        (b"{", "not JSON"),
        (b"null", "must be a JSON object, not null"),
        (b'{"content_type": "course"}', "key must be a string of 1 to 255 characters, not None"),
        (b'{"content_type": "course", "key": "c", "x": ' + b"[" * 300 + b"]" * 300 + b"}", "c: nested too deeply"),
        (OTHER_A, "a is already on line 1, with different content"),
    ],
)
def test_the_first_bad_line_stops_an_import_before_it_reaches_the_database(bad_line: bytes, reason: str) -> None:
    with pytest.raises(BadLineError, match=f"^line 3: {reason}"):
        import_documents(never, [A, B, bad_line + b"\n", b"{"], now=DAY_ONE)

    assert not ContentMetadata.objects.exists()


def test_an_import_that_breaks_off_leaves_nothing_behind(catalog: EnterpriseCatalog) -> None:
    def lines() -> Iterator[bytes]:
        yield A
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        import_documents(never, lines(), now=DAY_ONE)

    assert keys_in(catalog) == []
