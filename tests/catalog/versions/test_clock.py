"""One source of all versions: the order of versions is the order of commits."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from enterprise_catalog.catalog.customers import save_catalog
from enterprise_catalog.catalog.models import CatalogQuery, CatalogVersion, EnterpriseCatalog, VersionClock
from enterprise_catalog.catalog.versions import clock, reads, versioned
from tests.catalog.connections import in_another_connection, is_blocked, wait_until
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.django_db(transaction=True)

DAY_ZERO = DAY_ONE - timedelta(days=1)


def version_of_query(catalog: EnterpriseCatalog) -> int:
    return CatalogQuery.objects.get(catalogs=catalog).version


def revision_of(catalog: EnterpriseCatalog) -> int:
    return EnterpriseCatalog.objects.get(pk=catalog.pk).revision


@pytest.mark.parametrize("now", [DAY_TWO, DAY_ONE, DAY_ZERO])
def test_versions_increase_across_catalogs_whatever_the_time(now: Any) -> None:
    first, second = CatalogFactory.create(), CatalogFactory.create()

    versions = []
    for number in range(2):
        import_into(first, [f"a{number}"], now=now)
        versions.append(version_of_query(first))
        save_catalog(first, now=now)
        versions.append(revision_of(first))
        import_into(second, [f"b{number}"], now=now)
        versions.append(version_of_query(second))

    assert versions == sorted(set(versions))
    assert set(versions) <= set(CatalogVersion.objects.values_list("version", flat=True))
    assert VersionClock.objects.get().version == versions[-1]


def test_a_transaction_has_one_version() -> None:
    catalog = CatalogFactory.create(content=["a"])
    count = CatalogVersion.objects.count()

    with versioned.versioned(DAY_TWO):
        import_into(catalog, ["b"])
        save_catalog(catalog, now=DAY_TWO)
        import_into(catalog, ["c"])

    assert CatalogVersion.objects.count() == count + 1
    assert version_of_query(catalog) == revision_of(catalog)


def test_a_failed_transaction_has_none() -> None:
    catalog = CatalogFactory.create(content=["a"])
    before = VersionClock.objects.get().version, version_of_query(catalog)

    def fail() -> None:
        with versioned.versioned(DAY_TWO):
            import_into(catalog, ["b"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert (VersionClock.objects.get().version, version_of_query(catalog)) == before
    import_into(catalog, ["c"])  # Later transactions record their own changes.
    assert version_of_query(catalog) > before[1]


def test_it_is_above_versions_that_earlier_code_wrote_with_a_wrong_clock() -> None:
    catalog = CatalogFactory.create(content=["a"])
    CatalogQuery.objects.update(version=10**16)

    import_into(catalog, ["b"])

    assert version_of_query(catalog) == VersionClock.objects.get().version == 10**16 + 1


def test_it_starts_in_a_database_that_was_emptied() -> None:
    VersionClock.objects.all().delete()

    catalog = CatalogFactory.create(content=["a"])

    assert version_of_query(catalog) == VersionClock.objects.get().version


class PausedWriter:
    """A writer in its own thread, which has its version and waits before its commit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, catalog: EnterpriseCatalog, key: str) -> None:
        self.has_version, self.may_commit = threading.Event(), threading.Event()
        self.errors: list[BaseException] = []
        take = clock.next_version

        def take_and_wait(*arguments: Any, **named: Any) -> int:
            version = take(*arguments, **named)
            if threading.current_thread() is self.thread:
                self.has_version.set()
                self.may_commit.wait(60)
            return version

        monkeypatch.setattr(versioned, "next_version", take_and_wait)
        self.thread = threading.Thread(target=self._run, args=[catalog, key])
        self.thread.start()
        assert self.has_version.wait(60)

    def _run(self, catalog: EnterpriseCatalog, key: str) -> None:
        try:
            import_into(catalog, [key], now=DAY_TWO)
        except BaseException as error:  # noqa: BLE001  (checked by end())
            self.errors.append(error)
        finally:
            connection.close()

    def end(self) -> None:
        self.may_commit.set()
        self.thread.join()
        assert self.errors == []


@pytest.mark.only_on("mariadb")
def test_no_customer_is_missed_while_two_writers_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first writer to get a version commits late. The second would otherwise commit a later version before it."""
    first, second = CatalogFactory.create(content=["a"]), CatalogFactory.create(content=["b"])
    cursor = reads.read_cursor()
    writer = PausedWriter(monkeypatch, first, "x")
    other = threading.Thread(target=lambda: in_another_connection(lambda: import_into(second, ["y"], now=DAY_TWO)))
    other.start()
    wait_until(is_blocked)  # The second writer waits for the clock.

    meanwhile, cursor = reads.read_changed_customers(cursor)
    writer.end()
    other.join()
    later, _ = reads.read_changed_customers(cursor)

    assert meanwhile == []
    assert {*later} == {first.enterprise_customer_id, second.enterprise_customer_id}
    assert version_of_query(first) < version_of_query(second)


@pytest.fixture
def refused_old_snapshots() -> Iterator[None]:
    """Enable MariaDB's default since 11.6.2, on this connection: rows that changed later cannot be locked."""
    with connection.cursor() as cursor:
        cursor.execute("/*M!101108 SET SESSION innodb_snapshot_isolation = ON */")
    yield
    connection.close()


@pytest.mark.only_on("mariadb")
@pytest.mark.usefixtures("refused_old_snapshots")
def test_writers_of_other_content_do_not_make_an_import_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a long import would never end on a busy site: the clock always changes after its start."""
    mine, other = CatalogFactory.create(content=["a"]), CatalogFactory.create(content=["b"])
    # New keys: if an earlier test has deleted an item, MariaDB may still have its entry in the index of keys. An insert
    # of the same key then also locks the keys after it.
    new, others_new = "new in this test", "new of the other writer"
    move_versions, attempts = versioned.move_versions, list[str]()

    def after_another_writer(changes: versioned.Changes) -> None:
        if not attempts:
            attempts.append("other")
            in_another_connection(lambda: import_into(other, [others_new], now=DAY_TWO))
        attempts.append("mine")
        move_versions(changes)

    monkeypatch.setattr(versioned, "move_versions", after_another_writer)

    import_into(mine, [new], now=DAY_TWO)

    assert attempts == ["other", "mine", "mine"]
    assert clock._prefix()
