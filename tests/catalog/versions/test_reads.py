"""A page of changes costs one range of the log, however large the catalog and the log."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.models import (
    CatalogQuery,
    CatalogVersion,
    ContentChange,
    ContentChangeKind,
    EnterpriseCatalog,
    EnterpriseCustomer,
)
from enterprise_catalog.catalog.versions import reads
from enterprise_catalog.catalog.versions.reads import Position, UnknownVersionError
from enterprise_catalog.catalog.versions.state import Version, read_state
from tests.catalog.connections import in_another_connection
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, allow_restricted, import_into, run_document
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

# ANALYZE TABLE commits.
pytestmark = pytest.mark.django_db(transaction=True)

ITEMS, VERSIONS, SIZE = 30, 40, 10


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """A catalog with a log of 1,200 rows, next to another log of that size."""
    catalog, other = CatalogFactory.create(courses=1), CatalogFactory.create(courses=1)
    for each in (other, catalog):
        fill_log(CatalogQuery.objects.get(catalogs=each))
    with connection.cursor() as cursor:
        table = ContentChange._meta.db_table
        cursor.execute(f"ANALYZE {'TABLE ' if connection.vendor == 'mysql' else ''}{table}")
        cursor.fetchall()
    return catalog


def fill_log(query: CatalogQuery) -> None:
    first = query.version
    versions = range(first + 1, first + 1 + VERSIONS)
    CatalogVersion.objects.bulk_create(
        (CatalogVersion(version=version, recorded_at=DAY_ONE) for version in versions), ignore_conflicts=True
    )
    ContentChange.objects.bulk_create(
        ContentChange(
            catalog_query=query,
            version=version,
            content_key=key,
            kind=ContentChangeKind.CHANGED,
            updated_at=DAY_ONE + timedelta(microseconds=version - first),
        )
        for version in versions
        for key in CourseFactory.keys(ITEMS)
    )
    CatalogQuery.objects.filter(pk=query.pk).update(version=versions[-1], logged_to=versions[-1])


def since_and_positions(catalog: EnterpriseCatalog) -> tuple[Version, list[Position | None]]:
    """Return a version in the middle of the log, and positions at its start and in the middle of a version."""
    state = read_state(catalog.pk).version_parts
    middle = state.query_version - VERSIONS // 2
    return state._replace(query_version=middle), [None, Position(middle, CourseFactory.keys(ITEMS)[ITEMS // 2])]


def rows_read(read: Callable[[], object]) -> int:
    """Return the number of rows and index entries that the database read, besides lookups by a whole key."""
    with connection.cursor() as cursor:
        cursor.execute("FLUSH STATUS")
    read()
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
        counters = {name: int(value) for name, value in cursor.fetchall()}
    return sum(value for name, value in counters.items() if name != "Handler_read_key")


@pytest.mark.only_on("mariadb")
def test_a_page_reads_its_own_rows_only(catalog: EnterpriseCatalog) -> None:
    since, positions = since_and_positions(catalog)
    state = read_state(catalog.pk)

    for after in positions:
        found = rows_read(lambda after=after: reads.read_changes(state, since, after=after, size=SIZE))  # type: ignore[misc]
        assert found <= SIZE + 1


def test_a_page_is_one_range_of_the_index_in_its_order(catalog: EnterpriseCatalog) -> None:
    since, positions = since_and_positions(catalog)
    state = read_state(catalog.pk)

    for after in positions:
        plan = plan_of(
            lambda after=after: reads.read_changes(state, since, after=after, size=SIZE),  # type: ignore[misc]
            of=ContentChange,
        )
        assert "filesort" not in plan
        assert "temporary" not in plan
        assert "TEMP B-TREE" not in plan
        assert ("range PRIMARY PRIMARY" in plan) if connection.vendor == "mysql" else ("SEARCH entry USING" in plan)


def test_pages_join_to_all_changes(catalog: EnterpriseCatalog) -> None:
    since, _ = since_and_positions(catalog)
    state, after, count = read_state(catalog.pk), None, 0

    while True:
        page = reads.read_changes(state, since, after=after, size=SIZE)
        count += len(page.changed)
        if page.version:
            break
        after = page.end

    assert count == VERSIONS // 2 * ITEMS
    assert page.version == state.version_parts


@pytest.mark.only_on("mariadb")
def test_changed_customers_are_found_in_indexes() -> None:
    catalogs = [CatalogFactory.create(courses=1) for _ in range(30)]
    cursor = reads.read_cursor()
    import_into(catalogs[0], ["x"])
    with connection.cursor() as statement:
        tables = (EnterpriseCatalog, CatalogQuery, EnterpriseCustomer)
        statement.execute(f"ANALYZE TABLE {', '.join(model._meta.db_table for model in tables)}")
        statement.fetchall()

    found = rows_read(lambda: reads.read_changed_customers(cursor))

    assert found <= 12  # With reads of the temporary table of a UNION.
    assert reads.read_changed_customers(cursor)[0] == [catalogs[0].enterprise_customer_id]


def add_an_item(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["c"])


def change_title(catalog: EnterpriseCatalog) -> None:
    catalog.title = "New"
    save_catalog(catalog, now=DAY_ONE)


def change_slug(catalog: EnterpriseCatalog) -> None:
    catalog.enterprise_customer.slug = "new"
    save_customer(catalog.enterprise_customer, now=DAY_ONE)


def switch_query(catalog: EnterpriseCatalog) -> None:
    catalog.catalog_query = CatalogFactory.create(content=["d"]).catalog_query
    save_catalog(catalog, now=DAY_ONE)


@pytest.mark.only_on("mariadb")
@pytest.mark.parametrize("moment", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("edit", "created"), [(add_an_item, ["c"]), (change_title, []), (change_slug, None), (switch_query, None)]
)
def test_a_page_is_one_state_whatever_is_committed_while_it_is_read(
    edit: Callable[[EnterpriseCatalog], None], created: list[str] | None, moment: int
) -> None:
    """An edit is committed before one of the reader's statements; the page has its version with all its changes.

    Args:
        edit: what is committed.
        created: the changes since, if they are known after the edit.
        moment: number of the statement.
    """
    catalog = CatalogFactory.create(content=["a", "b"])
    since = read_state(catalog.pk).version_parts
    allow_restricted(catalog, [run_document("run", "a")])  # A new version without changes of members.
    state, statements, ran = read_state(catalog.pk), 0, False

    def edit_once(execute: Any, sql: str, *arguments: Any) -> Any:
        nonlocal statements, ran
        statements += 1
        if statements == moment:
            ran = True
            in_another_connection(lambda: edit(catalog))
        return execute(sql, *arguments)

    page = None
    with connection.execute_wrapper(edit_once), suppress(UnknownVersionError):
        page = reads.read_changes(state, since, after=None, size=SIZE)

    before, after = state.version_parts, read_state(catalog.pk).version_parts
    allowed = [([], before), None if created is None else (created, after)]
    assert (page and ([key for key, _ in page.created], page.version)) in allowed
    assert ran == (before != after)
