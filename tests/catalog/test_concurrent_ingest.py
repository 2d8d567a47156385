"""Two concurrent imports: in any interleaving, both succeed, and every change gets a new time and version."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
from django.db import connection

from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from enterprise_catalog.catalog.items.pages import read_page
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata
from tests.catalog.queries import keys_in, times_in
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db(transaction=True)

DAY_THREE: Final = DAY_ONE + timedelta(days=2)


@dataclass(slots=True)
class Rival:
    """Runs ``act`` on a second connection as soon as an import has started to read.

    On MariaDB the rival finishes first. SQLite allows one writer at a time, so there it waits until the import is done.
    """

    act: Callable[[], object]
    errors: list[BaseException] = field(default_factory=list)
    thread: threading.Thread | None = None

    def query_of(self, catalog: EnterpriseCatalog) -> CatalogQuery:
        """Return the catalog's query, for an import to write into; the first call starts the rival."""
        query = CatalogQuery.objects.get(catalogs=catalog)
        list(ContentMetadata.objects.all())
        if self.thread is None:
            self.thread = threading.Thread(target=self._run)
            self.thread.start()
            if connection.vendor == "mysql":
                self.thread.join()
        return query

    def finish(self) -> None:
        assert self.thread is not None
        self.thread.join()
        assert self.errors == []

    def _run(self) -> None:
        try:
            self.act()
        except BaseException as error:  # noqa: BLE001  (checked in finish())
            self.errors.append(error)
        finally:
            connection.close()


def import_against(rival: Rival, catalog: EnterpriseCatalog, *documents: dict[str, Any]) -> ImportReport:
    """Import ``documents`` on the second day, while ``rival`` runs."""
    report = import_documents(lambda: rival.query_of(catalog), map(orjson.dumps, documents), now=DAY_TWO)
    rival.finish()
    return report


def seen(catalog: EnterpriseCatalog) -> dict[str, Any]:
    """Return the catalog as a client sees it: its version, and each document with its time of change."""
    page = read_page(catalog.pk, after="", size=1_000)
    return {
        "version": page.version,
        "documents": {key: orjson.loads(b"".join(document)) for key, document in page.documents},
    }


def test_both_may_bring_the_same_new_content() -> None:
    mine = CatalogFactory.create()
    theirs = CatalogFactory.create(customer=mine.enterprise_customer)
    rival = Rival(lambda: import_into(theirs, ["a", "b"], now=DAY_TWO))

    report = import_against(rival, mine, CourseFactory.build(key="b"), CourseFactory.build(key="c"))

    assert report == ImportReport(created=2)
    assert (keys_in(mine), keys_in(theirs)) == (["b", "c"], ["a", "b"])


def test_both_may_bring_the_same_content_into_the_same_catalog() -> None:
    catalog = CatalogFactory.create(content=["a"])
    rival = Rival(lambda: import_into(catalog, ["a", "b"], now=DAY_TWO))

    import_against(rival, catalog, CourseFactory.build(key="a"), CourseFactory.build(key="b"))

    assert keys_in(catalog) == ["a", "b"]


@pytest.mark.parametrize("rivals_now", [DAY_ONE, DAY_TWO, DAY_THREE])
def test_the_last_of_two_concurrent_imports_has_the_later_time(rivals_now: Any) -> None:
    catalog, after_rival = CatalogFactory.create(content=["a"]), dict[str, Any]()

    def act() -> None:
        import_into(catalog, [CourseFactory.build(key="a", title="Theirs")], now=rivals_now)
        after_rival.update(seen(catalog)["documents"]["a"])

    import_against(Rival(act), catalog, CourseFactory.build(key="a", title="Mine"))

    last = seen(catalog)["documents"]["a"]
    assert last["title"] in {"Mine", "Theirs"}
    assert last == after_rival or last["content_last_modified"] > after_rival["content_last_modified"]


def test_the_same_change_by_both_is_one_change() -> None:
    catalog = CatalogFactory.create(content=["a"])
    rival = Rival(lambda: import_into(catalog, [CourseFactory.build(key="a", title="Changed")], now=DAY_TWO))

    import_against(rival, catalog, CourseFactory.build(key="a", title="Changed"))

    assert times_in(catalog) == [("a", DAY_TWO)]


@pytest.mark.parametrize("rivals_now", [DAY_ONE, DAY_TWO, DAY_THREE])
def test_a_change_moves_the_version_of_a_catalog_that_the_item_just_joined(rivals_now: Any) -> None:
    mine = CatalogFactory.create(content=["a"])
    theirs = CatalogFactory.create(customer=mine.enterprise_customer)
    after_rival = dict[str, Any]()

    def act() -> None:
        import_into(theirs, ["a"], now=rivals_now)
        after_rival.update(seen(theirs))

    import_against(Rival(act), mine, CourseFactory.build(key="a", title="Changed"))

    last = seen(theirs)
    assert last == after_rival or last["version"] != after_rival["version"]
