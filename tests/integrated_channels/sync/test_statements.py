"""The number of SQL statements of a run in the channels' database depends on the chunks and not on the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.customers import save_catalog
from enterprise_catalog.integrated_channels.models import Comparison, SyncRun
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

#: SQLite writes one table per statement.
MOST_PER_CHUNK = {"mysql": 8, "sqlite": 9}  #: In addition to ``MOST_WHEN_UNCHANGED``.
MOST_WHEN_NOTHING_IS_TO_DO = {"mysql": 8, "sqlite": 10}
MOST_WHEN_ALL_IS_COMPARED = {"mysql": 11, "sqlite": 13}
MOST_WHEN_UNCHANGED = {"mysql": 7, "sqlite": 9}


def statements_of(configuration: ChannelConfiguration, clock: Clock) -> int:
    """Sync and return the number of statements, including BEGIN and COMMIT."""
    with CaptureQueriesContext(connection) as captured:
        run_of(configuration, clock)
    return len(captured)


def temporary_tables_on_disk() -> int:
    """Return the temporary tables that MariaDB has written to disk for this connection, because of a long text."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'")
        return sum(int(count) for _, count in cursor.fetchall())


def test_a_first_sync_takes_a_fixed_number_of_statements_per_chunk(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=1000, customer=customer)

    taken = statements_of(configuration, clock)

    assert len(moodle.offered()) == 1000
    assert taken <= MOST_PER_CHUNK[connection.vendor] * 10 + MOST_WHEN_UNCHANGED[connection.vendor]


@pytest.mark.only_on("mariadb")
def test_no_chunk_of_a_first_sync_makes_mariadb_write_a_temporary_table_to_disk(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    chunks = 10
    CatalogFactory.create(courses=100 * chunks, customer=customer)
    before = temporary_tables_on_disk()

    run_of(configuration, clock)

    assert len(moodle.offered()) == 100 * chunks
    assert temporary_tables_on_disk() - before < chunks


def test_updates_and_deletes_take_no_more_than_creates(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    configuration = configure(delete_limit_percent=100)
    catalog = CatalogFactory.create(courses=600, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    changed = [course | {"title": "New"} for course in CourseFactory.numbered(300)]
    import_into(catalog, changed, now=clock.now, replace=True)

    most = MOST_PER_CHUNK[connection.vendor] * 6 + MOST_WHEN_UNCHANGED[connection.vendor]
    assert statements_of(configuration, clock) <= most
    assert len(moodle.offered()) == 300


@pytest.mark.parametrize("count", [0, 10, 1000])
def test_an_unchanged_sync_takes_at_most_7_statements_in_all(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, count: int
) -> None:
    CatalogFactory.create(courses=count, customer=customer)
    run_of(configuration, clock)

    assert statements_of(configuration, clock) <= MOST_WHEN_UNCHANGED[connection.vendor]


@pytest.mark.parametrize("count", [0, 10, 1000])
def test_a_sync_with_nothing_to_do_in_changed_catalogs_takes_few_statements(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, count: int
) -> None:
    catalog = CatalogFactory.create(courses=count, customer=customer)
    run_of(configuration, clock)
    save_catalog(catalog, now=clock.now)

    assert statements_of(configuration, clock) <= MOST_WHEN_NOTHING_IS_TO_DO[connection.vendor]


@pytest.mark.parametrize("count", [0, 10, 1000])
def test_a_comparison_of_all_items_takes_a_fixed_number_of_statements(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, count: int
) -> None:
    CatalogFactory.create(courses=count, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=25)

    assert statements_of(configuration, clock) <= MOST_WHEN_ALL_IS_COMPARED[connection.vendor]
    assert SyncRun.objects.latest("pk").comparison == Comparison.DAILY


def test_refused_items_take_a_transaction_and_two_statements_more_than_accepted_ones(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> None:
    accepted = CatalogFactory.create(courses=100, customer=customer)
    half_refused = CatalogFactory.create(
        courses=50, content=CourseFactory.numbered(50, prefix="K" * 100), customer=customer
    )

    taken = [statements_of(configure(catalog_uuids=[str(catalog.pk)]), clock) for catalog in (accepted, half_refused)]

    their_own_transaction, their_number, when_they_are_due_again = 3, 1, 1
    assert taken[1] <= taken[0] + their_own_transaction + their_number + when_they_are_due_again
