"""What a catalog holds at one moment: how the database finds it, and that all of an answer is of the same moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.models import CatalogMembership, EnterpriseCatalog
from enterprise_catalog.catalog.snapshots import read_diff, read_items, read_numbered_page, read_page
from tests.catalog.reading import version_of
from tests.factories import a_catalog, a_course, courses, import_into

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db


def plan_of(read: Callable[[], object]) -> str:
    """Return how the database carries out the statement by which ``read`` scans memberships."""
    with CaptureQueriesContext(connection) as queries:
        read()
    [sql] = [query["sql"] for query in queries if f"FROM {quoted_memberships()}" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'mysql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())


def quoted_memberships() -> str:
    return connection.ops.quote_name(CatalogMembership._meta.db_table)


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """Return one of three catalogs of a hundred items each."""
    first, second, _ = (a_catalog(*courses(100, prefix=f"{number}-")) for number in range(3))
    assert first.pk != second.pk
    return second


@pytest.mark.parametrize("sent", [0, 100, 5_000])
def test_a_diff_is_one_scan_of_one_index(catalog: EnterpriseCatalog, sent: int) -> None:
    plan = plan_of(lambda: read_diff(catalog.pk, [f"1-{number:06}" for number in range(sent)]))

    if connection.vendor == "mysql":
        assert "membership_diff" in plan
        assert "Using index" in plan
        assert "filesort" not in plan
    else:
        assert plan.splitlines()[0].endswith("USING COVERING INDEX membership_diff (catalog_query_id=?)")
        assert "TEMP B-TREE" not in plan


def test_a_page_starts_where_the_last_one_ended(catalog: EnterpriseCatalog) -> None:
    plan = plan_of(lambda: read_page(catalog.pk, after="1-000050", size=10))

    assert "membership_diff" in plan
    assert "filesort" not in plan
    assert "TEMP B-TREE" not in plan
    if connection.vendor == "sqlite":
        assert "(catalog_query_id=? AND content_key>?)" in plan


@pytest.mark.parametrize(
    "read",
    [
        lambda uuid: read_diff(uuid, ["a"]),
        lambda uuid: read_items(uuid, ["a"]),
        lambda uuid: read_page(uuid, after="", size=10),
        lambda uuid: read_numbered_page(uuid, keys=(), start=0, size=10),
    ],
)
def test_a_catalog_that_is_gone_does_not_exist(read: Callable[[Any], object]) -> None:
    catalog = a_catalog(a_course("a"))
    uuid = catalog.pk
    catalog.delete()

    with pytest.raises(EnterpriseCatalog.DoesNotExist):
        read(uuid)


@pytest.mark.django_db(transaction=True)
def test_an_import_under_way_is_not_seen() -> None:
    catalog = a_catalog(a_course("a"))
    before, seen = version_of(catalog), list[Any]()

    with transaction.atomic():
        import_into(catalog, [a_course("b")])
        in_another_connection(lambda: seen.append(read_diff(catalog.pk, [])))

    [(version, diff)] = seen
    assert (version, diff.to_create) == (before, ["a"])


@pytest.mark.django_db(transaction=True)
def test_a_version_comes_with_the_items_of_that_version() -> None:
    catalog = a_catalog(a_course("a"))
    before = version_of(catalog)
    keys = KeysThatTakeTime(lambda: in_another_connection(lambda: import_into(catalog, [a_course("b")])))

    version, diff = read_diff(catalog.pk, keys)

    assert (version, diff.to_create) == (before, ["a"])
    assert read_diff(catalog.pk, [])[1].to_create == ["a", "b"]


class KeysThatTakeTime(list[str]):
    """No keys; while they are read, between the catalog's version and its items, something else happens."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act

    def __iter__(self) -> Iterator[str]:
        self.act()
        return super().__iter__()


def in_another_connection(act: Callable[[], object]) -> None:
    """Run ``act`` to its end on a connection of its own."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  (raised below)
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
