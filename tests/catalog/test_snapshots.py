"""Snapshots: query plan, lifetime, and no stale snapshot in place of a newer state."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.models import CatalogMembership, CatalogQuery, EnterpriseCatalog
from enterprise_catalog.catalog.snapshots.cache import SnapshotCache
from enterprise_catalog.catalog.snapshots.snapshot import Keys, Snapshot, items_as_json, keys_as_json, read_diff
from enterprise_catalog.catalog.versions.state import read_state
from tests.catalog.connections import before_each_scan, in_another_connection
from tests.catalog.queries import diff_of, served_times, version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def snapshot_of(items: int, *, version: int = 1) -> Snapshot:
    """Return a snapshot with a number of items."""
    keys = Keys()
    keys += ["a"] * items
    return Snapshot(version, keys, ["{}"] * items)


def scans_of(read: Callable[[], object]) -> int:
    """Return the number of times that ``read`` scans memberships."""
    with CaptureQueriesContext(connection) as queries:
        read()
    return sum("FROM catalog_catalogmembership" in query["sql"] for query in queries)


@pytest.mark.parametrize("sent", [0, 100, 5_000])
def test_a_diff_is_one_scan_of_one_index(sent: int) -> None:
    catalog = [CatalogFactory.create(content=CourseFactory.numbered(100, prefix=f"{number}-")) for number in range(3)][
        1
    ]

    plan = plan_of(lambda: diff_of(catalog, [f"1-{number:06}" for number in range(sent)]), of=CatalogMembership)

    if connection.vendor == "mysql":
        assert "membership_diff" in plan
        assert "Using index" in plan
        assert "filesort" not in plan
    else:
        assert plan.splitlines()[0].endswith("USING COVERING INDEX membership_diff (catalog_query_id=?)")
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    "key",
    [
        "a",
        ",",
        ",2",
        "2",
        "],[",
        "],[2",
        'quote"',
        'a","b',
        '"],["',
        "back\\slash",
        "tab\t",
        "ä",
        "😀",
        "\x7f\u2028",
        "{'}",
    ],
)
def test_a_key_of_any_characters_is_written_as_json(key: str) -> None:
    keys = sorted(["A", key, "😁"])
    catalog = CatalogFactory.create(content=keys)

    written = orjson.loads(orjson.dumps(items_as_json(diff_of(catalog, keys).existing)))

    assert written == [{"content_key": each, "updated_at": "2026-03-01T12:00:00.123456Z"} for each in keys]
    assert orjson.loads(orjson.dumps(keys_as_json(diff_of(catalog).to_create))) == keys


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1_300])
def test_items_are_the_same_however_many_there_are(count: int) -> None:
    documents = CourseFactory.numbered(count)
    catalog = CatalogFactory.create(content=documents)
    keys = [document["key"] for document in documents]

    assert list(served_times(catalog)) == keys
    assert diff_of(catalog).to_create == keys
    assert orjson.loads(orjson.dumps(keys_as_json(diff_of(catalog).to_create))) == keys


def test_no_item_is_older_than_what_the_catalog_contributes() -> None:
    catalog = CatalogFactory.create(content=["a", "b"])
    catalog.enterprise_customer.slug = "moved"
    save_customer(catalog.enterprise_customer, now=DAY_TWO)
    import_into(catalog, [CourseFactory.build(key="b", title="New")], now=DAY_TWO + timedelta(days=1))

    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_TWO + timedelta(days=1)}


def test_a_second_diff_of_a_version_scans_nothing() -> None:
    catalog = CatalogFactory.create(content=["a"])

    assert scans_of(lambda: diff_of(catalog)) == 1
    assert scans_of(lambda: diff_of(catalog, ["a"])) == 0


def test_catalogs_with_the_same_query_and_customer_share_a_snapshot() -> None:
    first = CatalogFactory.create(content=["a"])
    second = CatalogFactory.create(customer=first.enterprise_customer, catalog_query=first.catalog_query)

    diff_of(first)

    assert scans_of(lambda: diff_of(second)) == 0


def change_content(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, [CourseFactory.build(key="a", title="New")], now=DAY_TWO)


def change_content_elsewhere(_: EnterpriseCatalog) -> None:
    import_into(CatalogFactory.create(content=["a"]), [CourseFactory.build(key="a", title="New")], now=DAY_TWO)


def change_membership(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["c"], now=DAY_ONE)


def remove_all(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, [], replace=True)


def change_customer(catalog: EnterpriseCatalog) -> None:
    catalog.enterprise_customer.slug = "moved"
    save_customer(catalog.enterprise_customer, now=DAY_TWO)


def swap_query(catalog: EnterpriseCatalog) -> None:
    catalog.catalog_query = CatalogQuery.objects.create(title="Another")
    save_catalog(catalog, now=DAY_TWO)
    import_into(catalog, ["z"])


def take_query_away(catalog: EnterpriseCatalog) -> None:
    catalog.catalog_query = None
    save_catalog(catalog, now=DAY_TWO)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_content, {"a": DAY_TWO, "b": DAY_ONE}),
        (change_content_elsewhere, {"a": DAY_TWO, "b": DAY_ONE}),
        (change_membership, {"a": DAY_ONE, "b": DAY_ONE, "c": DAY_ONE}),
        (remove_all, {}),
        (change_customer, {"a": DAY_TWO, "b": DAY_TWO}),
        (swap_query, {"z": DAY_ONE}),
        (take_query_away, {}),
    ],
)
def test_a_change_is_seen_by_the_next_diff(change: Callable[[EnterpriseCatalog], None], expected: object) -> None:
    catalog = CatalogFactory.create(content=["a", "b"])
    diff_of(catalog)

    change(catalog)

    assert served_times(EnterpriseCatalog.objects.get(pk=catalog.pk)) == expected


def test_a_snapshot_that_is_too_large_is_not_kept() -> None:
    cache = SnapshotCache(max_bytes=2_000)
    cache.put("large", snapshot_of(100))
    cache.put("small", snapshot_of(1))

    assert cache.get("large", version=1) is None
    assert cache.get("small", version=1) is not None


def test_the_least_recently_used_entry_is_evicted_first() -> None:
    cache = SnapshotCache(max_bytes=2 * snapshot_of(1).size_bytes)
    for place in ("a", "b"):
        cache.put(place, snapshot_of(1))
    cache.get("a", version=1)

    cache.put("c", snapshot_of(1))

    assert [place for place in "abc" if cache.get(place, version=1)] == ["a", "c"]


def test_only_the_requested_version_is_returned() -> None:
    cache = SnapshotCache(max_bytes=10_000)
    cache.put("here", snapshot_of(1, version=2))

    assert [version for version in (1, 2, 3) if cache.get("here", version=version)] == [2]


def test_without_memory_nothing_is_kept() -> None:
    cache = SnapshotCache(max_bytes=0)

    cache.put("here", Snapshot(1, Keys(), []))

    assert cache.get("here", version=1) is None


def test_a_catalog_that_is_gone_does_not_exist() -> None:
    catalog = CatalogFactory.create(content=["a"])
    state = read_state(catalog.pk)
    catalog.delete()

    with pytest.raises(EnterpriseCatalog.DoesNotExist):
        read_diff(state, [])


@pytest.mark.django_db(transaction=True)
def test_an_import_under_way_is_not_seen() -> None:
    catalog = CatalogFactory.create(content=["a"])
    before, seen = version_of(catalog), list[Any]()

    with transaction.atomic():
        import_into(catalog, ["b"])
        in_another_connection(lambda: seen.append(read_diff(read_state(catalog.pk), [])))

    [(version, diff)] = seen
    assert (version, diff.to_create) == (before, ["a"])


@pytest.mark.django_db(transaction=True)
def test_a_version_comes_with_the_items_of_that_version() -> None:
    catalog = CatalogFactory.create(content=["a"])
    before, versions = read_state(catalog.pk), list[str]()
    new_keys = iter(["b", "c"])

    def change() -> None:
        import_into(catalog, [next(new_keys)])
        versions.append(version_of(catalog))

    with before_each_scan(change):
        version, diff = read_diff(before, [])

    assert (version, diff.to_create) == (versions[0], ["a", "b"])
    assert diff_of(catalog).to_create == ["a", "b", "c"]


@pytest.mark.django_db(transaction=True)
def test_a_change_after_the_scan_gives_a_later_state_with_its_items() -> None:
    catalog = CatalogFactory.create(content=["a"])
    new_keys = iter(["b"])

    def change_after_scan(run: Callable[..., Any], sql: str, *others: Any) -> Any:
        if "catalog_enterprisecatalog" in sql and (key := next(new_keys, None)):
            in_another_connection(lambda: import_into(catalog, [key]))
        return run(sql, *others)

    before = read_state(catalog.pk)
    with connection.execute_wrapper(change_after_scan):
        version, diff = read_diff(before, [])

    assert (version, diff.to_create) == (version_of(catalog), ["a", "b"])


@pytest.mark.django_db(transaction=True)
def test_a_diff_of_an_unchanged_catalog_opens_no_transaction() -> None:
    catalog = CatalogFactory.create(content=["a"])
    before = read_state(catalog.pk)

    with CaptureQueriesContext(connection) as captured:
        read_diff(before, [])

    assert [query["sql"].split()[0] for query in captured] == ["SELECT", "SELECT"]


@pytest.mark.django_db(transaction=True)
def test_a_state_that_is_old_by_now_gives_a_later_one_with_its_items() -> None:
    catalog = CatalogFactory.create(content=["a"])
    before = read_state(catalog.pk)
    import_into(catalog, ["b"])

    version, diff = read_diff(before, [])

    assert (version, diff.to_create) == (version_of(catalog), ["a", "b"])


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_breaks_off_leaves_the_connection_usable() -> None:
    catalog = CatalogFactory.create(courses=1_200)

    class Unwritable(str):
        __slots__ = ()

        def __format__(self, _: str) -> NoReturn:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_diff(read_state(catalog.pk), [], time_name=Unwritable())

    assert version_of(catalog)
