"""Times and versions after an import: updated for changes, and only for changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.catalog.models import CatalogQuery
from tests.catalog.queries import content_of, times_in, version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

TICK: Final = timedelta(microseconds=1)


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=["a", "b"])


@pytest.fixture
def sharing(catalog: EnterpriseCatalog) -> EnterpriseCatalog:
    """A catalog with its own query that shares an item with ``catalog``."""
    return CatalogFactory.create(content=["b", "c"], customer=catalog.enterprise_customer)


def test_a_change_moves_the_items_time_in_every_catalog_that_holds_it(
    catalog: EnterpriseCatalog, sharing: EnterpriseCatalog
) -> None:
    import_into(catalog, ["a", CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)

    assert times_in(catalog) == [("a", DAY_ONE), ("b", DAY_TWO)]
    assert times_in(sharing) == [("b", DAY_TWO), ("c", DAY_ONE)]


def test_a_change_moves_the_version_of_every_catalog_that_holds_the_item(
    catalog: EnterpriseCatalog, sharing: EnterpriseCatalog
) -> None:
    apart = CatalogFactory.create(content=["c"], customer=catalog.enterprise_customer)
    before = [version_of(each) for each in (catalog, sharing, apart)]

    import_into(catalog, [CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)

    after = [version_of(each) for each in (catalog, sharing, apart)]
    assert [old != new for old, new in zip(before, after, strict=True)] == [True, True, False]


def test_a_change_that_comes_through_another_catalog_moves_them_as_well(
    catalog: EnterpriseCatalog, sharing: EnterpriseCatalog
) -> None:
    third = CatalogFactory.create(customer=catalog.enterprise_customer)
    before = [version_of(each) for each in (catalog, sharing)]

    import_into(third, [CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)

    assert all(old != version_of(each) for old, each in zip(before, (catalog, sharing), strict=True))
    assert dict(times_in(catalog))["b"] == dict(times_in(sharing))["b"] == dict(times_in(third))["b"] == DAY_TWO


def test_an_arrival_moves_the_version_of_its_own_catalog_only(
    catalog: EnterpriseCatalog, sharing: EnterpriseCatalog
) -> None:
    before = [version_of(each) for each in (catalog, sharing)]

    import_into(catalog, ["c"], now=DAY_TWO)

    assert version_of(catalog) != before[0]
    assert version_of(sharing) == before[1]
    assert dict(times_in(catalog))["c"] == DAY_ONE  # as in the catalog that already had it


def test_a_departure_moves_the_version_of_its_own_catalog_only(
    catalog: EnterpriseCatalog, sharing: EnterpriseCatalog
) -> None:
    before = [version_of(each) for each in (catalog, sharing)]

    import_into(catalog, ["a"], now=DAY_TWO, replace=True)

    assert version_of(catalog) != before[0]
    assert version_of(sharing) == before[1]


def test_catalogs_of_one_query_move_together(catalog: EnterpriseCatalog) -> None:
    twin = CatalogFactory.create(customer=catalog.enterprise_customer, catalog_query=catalog.catalog_query)
    before = version_of(twin)

    import_into(catalog, ["c"], now=DAY_TWO)

    assert version_of(twin) != before
    assert times_in(twin) == times_in(catalog)


@pytest.mark.parametrize("replace", [False, True])
def test_the_same_again_moves_nothing(catalog: EnterpriseCatalog, *, replace: bool) -> None:
    before = (version_of(catalog), times_in(catalog), content_of("a").updated_at)

    import_into(catalog, ["b", "a"], now=DAY_TWO, replace=replace)

    assert (version_of(catalog), times_in(catalog), content_of("a").updated_at) == before


def test_each_change_is_another_version() -> None:
    catalog = CatalogFactory.create()
    versions = []

    for number in range(5):
        import_into(catalog, [CourseFactory.build(key="a", title=str(number))])
        versions.append(version_of(catalog))

    assert len(set(versions)) == 5


def test_a_change_back_is_a_change(catalog: EnterpriseCatalog) -> None:
    first = version_of(catalog)
    import_into(catalog, [CourseFactory.build(key="a", title="Changed")], now=DAY_TWO)

    import_into(catalog, ["a"], now=DAY_TWO + TICK)

    assert version_of(catalog) != first
    assert dict(times_in(catalog))["a"] == DAY_TWO + TICK


@pytest.mark.parametrize("now", [DAY_ONE, DAY_ONE - timedelta(days=1)])
def test_time_only_moves_forward_even_if_the_clock_does_not(catalog: EnterpriseCatalog, now: datetime) -> None:
    import_into(catalog, [CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)
    before = version_of(catalog)

    import_into(catalog, [CourseFactory.build(key="a", title="Changed"), "b"], now=now)

    assert times_in(catalog) == [("a", DAY_ONE + TICK), ("b", DAY_TWO + TICK)]
    assert [content_of(key).updated_at for key in "ab"] == [DAY_ONE + TICK, DAY_TWO + TICK]
    assert version_of(catalog) != before


def test_a_query_made_again_never_repeats_a_version(catalog: EnterpriseCatalog) -> None:
    query = catalog.catalog_query
    assert query is not None
    old = CatalogQuery.objects.get(pk=query.pk).version

    again = CatalogFactory.create(content=["a"], customer=catalog.enterprise_customer, now=DAY_TWO)

    assert again.catalog_query is not None
    assert CatalogQuery.objects.get(pk=again.catalog_query.pk).version > old
