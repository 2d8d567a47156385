"""Customer and catalog fields in the documents, and the times and versions that change with them."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.customers import (
    OtherCustomersCatalogError,
    ensure_catalog_query,
    save_catalog,
    save_customer,
)
from enterprise_catalog.catalog.items.pages import read_items
from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer
from tests.catalog.queries import content_of, served_times, version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

pytestmark = pytest.mark.django_db

DAY_THREE: Final = DAY_ONE + timedelta(days=2)


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=["a", "b"])


def edit(customer: EnterpriseCustomer, values: dict[str, str], *, now: datetime = DAY_TWO) -> None:
    for name, value in values.items():
        setattr(customer, name, value)
    save_customer(customer, now=now)


@pytest.mark.parametrize(
    "values",
    [
        {"slug": "moved"},
        {"learner_portal_url": "https://elsewhere.example.org"},
        {"learner_portal_enabled": False},
        {"name": "Renamed"},  # The URLs name the customer that sends the learner.
    ],
)
def test_another_address_moves_every_item_of_the_customers_catalogs(
    catalog: EnterpriseCatalog, values: dict[str, str]
) -> None:
    before = version_of(catalog)

    edit(catalog.enterprise_customer, values)

    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_TWO}
    assert version_of(catalog) != before


@pytest.mark.parametrize("slug", ["ACME", "acmé", "acme "])
def test_an_address_that_differs_in_little_is_another_address(catalog: EnterpriseCatalog, slug: str) -> None:
    before = version_of(catalog)

    edit(catalog.enterprise_customer, {"slug": slug})

    [(_, document)] = read_items(catalog.pk, ["a"]).documents
    assert f"/{slug}/course/a".encode() in b"".join(document)
    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_TWO}
    assert version_of(catalog) != before


@pytest.mark.parametrize("values", [{"name": "ACME!"}, {"learner_portal_url": "https://learn.example.org/"}, {}])
def test_other_edits_of_a_customer_move_nothing(catalog: EnterpriseCatalog, values: dict[str, str]) -> None:
    before = version_of(catalog)

    edit(catalog.enterprise_customer, values)

    assert served_times(catalog) == {"a": DAY_ONE, "b": DAY_ONE}
    assert version_of(catalog) == before


def test_another_address_moves_nothing_of_other_customers(catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(customer__name="Other", catalog_query=catalog.catalog_query, title="The same content")
    before = version_of(other)

    edit(catalog.enterprise_customer, {"slug": "moved"})

    assert served_times(other) == {"a": DAY_ONE, "b": DAY_ONE}
    assert version_of(other) == before
    assert content_of("a").updated_at == DAY_ONE


def test_what_changes_after_the_address_has_its_own_time(catalog: EnterpriseCatalog) -> None:
    edit(catalog.enterprise_customer, {"slug": "moved"})

    import_into(catalog, [CourseFactory.build(key="b", title="Changed")], now=DAY_THREE)

    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_THREE}


@pytest.mark.parametrize("now", [DAY_ONE, DAY_ONE - timedelta(days=1)])
def test_times_only_move_forward_even_if_the_clock_does_not(catalog: EnterpriseCatalog, now: datetime) -> None:
    served = [served_times(catalog)]

    for slug in ("moved", "acme", "moved"):
        edit(catalog.enterprise_customer, {"slug": slug}, now=now)
        served.append(served_times(catalog))

    assert all(earlier[key] < later[key] for earlier, later in pairwise(served) for key in "ab")


def test_a_catalog_that_was_read_long_ago_undoes_nothing(catalog: EnterpriseCatalog) -> None:
    read_long_ago = EnterpriseCatalog.objects.select_related("enterprise_customer").get(pk=catalog.pk)
    edit(catalog.enterprise_customer, {"slug": "moved"})
    before = version_of(catalog)
    read_long_ago.enterprise_customer.refresh_from_db()
    read_long_ago.title = "Another title"

    save_catalog(read_long_ago, now=DAY_ONE)

    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_TWO}
    assert int(version_of(catalog).split("-")[0], 16) > int(before.split("-")[0], 16)


def test_a_catalog_that_moves_to_another_customer_has_other_documents(catalog: EnterpriseCatalog) -> None:
    before = version_of(catalog)
    catalog.enterprise_customer = CustomerFactory.create(name="Other")

    save_catalog(catalog, now=DAY_TWO)

    [(_, document)] = read_items(catalog.pk, ["a"]).documents
    assert b"https://learn.example.org/other/course/a" in b"".join(document)
    assert served_times(catalog) == {"a": DAY_TWO, "b": DAY_TWO}
    assert version_of(catalog) != before


def test_another_title_moves_the_version_but_no_item(catalog: EnterpriseCatalog) -> None:
    before = version_of(catalog)
    catalog.title = "Another title"

    save_catalog(catalog, now=DAY_TWO)

    assert served_times(catalog) == {"a": DAY_ONE, "b": DAY_ONE}
    assert version_of(catalog) != before


def test_another_query_moves_the_version(catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(content=["a"], customer=catalog.enterprise_customer)
    before = version_of(catalog)
    catalog.catalog_query = other.catalog_query

    save_catalog(catalog, now=DAY_TWO)

    assert version_of(catalog) != before
    assert served_times(catalog) == {"a": DAY_ONE}


def test_a_catalog_made_again_never_repeats_a_version(catalog: EnterpriseCatalog) -> None:
    customer, query, old = catalog.enterprise_customer, catalog.catalog_query, version_of(catalog)
    uuid = catalog.pk
    catalog.delete()

    again = CatalogFactory.create(customer=customer, catalog_query=query, uuid=uuid, now=DAY_TWO)

    assert version_of(again) != old


def test_a_new_catalog_serves_its_items_times(catalog: EnterpriseCatalog) -> None:
    new = CatalogFactory.create(
        customer=catalog.enterprise_customer, catalog_query=catalog.catalog_query, now=DAY_THREE
    )

    assert served_times(new) == {"a": DAY_ONE, "b": DAY_ONE}


def test_an_import_makes_what_is_missing(settings: Settings) -> None:
    customer_uuid, catalog_uuid = uuid4(), uuid4()

    query = ensure_catalog_query(catalog_uuid, customer_uuid=customer_uuid, title="All of it", now=DAY_ONE)

    catalog = EnterpriseCatalog.objects.get()
    assert (catalog.pk, catalog.title, catalog.catalog_query) == (catalog_uuid, "All of it", query)
    assert catalog.enterprise_customer_id == customer_uuid
    assert f'"{settings.LEARNER_PORTAL_URL}/customer-{customer_uuid}"' in catalog.enrollment_urls


def test_a_new_catalog_without_a_title_is_named_after_its_uuid() -> None:
    uuid = UUID(int=1)

    ensure_catalog_query(uuid, customer_uuid=uuid4(), title=None, now=DAY_ONE)

    assert EnterpriseCatalog.objects.get().title == f"Catalog {uuid}"


@pytest.mark.parametrize("title", [None, "", "All of it"])
def test_an_import_writes_nothing_where_all_is_there(catalog: EnterpriseCatalog, title: str | None) -> None:
    with CaptureQueriesContext(connection) as queries:
        query = ensure_catalog_query(catalog.pk, customer_uuid=catalog.enterprise_customer_id, title=title, now=DAY_TWO)

    assert query == catalog.catalog_query
    assert {sql["sql"].split()[0] for sql in queries} <= {"SELECT", "SAVEPOINT", "RELEASE"}


def test_an_import_may_change_the_title(catalog: EnterpriseCatalog) -> None:
    before = version_of(catalog)

    ensure_catalog_query(catalog.pk, customer_uuid=catalog.enterprise_customer_id, title="Another title", now=DAY_TWO)

    assert EnterpriseCatalog.objects.get().title == "Another title"
    assert version_of(catalog) != before


def test_an_import_gives_a_catalog_the_query_that_it_lacks() -> None:
    catalog = CatalogFactory.create(catalog_query=None)

    query = ensure_catalog_query(catalog.pk, customer_uuid=catalog.enterprise_customer_id, title=None, now=DAY_TWO)

    assert EnterpriseCatalog.objects.get().catalog_query == query == CatalogQuery.objects.get()
    assert EnterpriseCatalog.objects.get().title == "All of it"


def test_an_import_takes_no_catalog_from_another_customer(catalog: EnterpriseCatalog) -> None:
    with pytest.raises(OtherCustomersCatalogError, match=f"^catalog {catalog.pk} belongs to customer "):
        ensure_catalog_query(catalog.pk, customer_uuid=uuid4(), title=None, now=DAY_TWO)

    assert EnterpriseCustomer.objects.count() == 1


def test_an_import_creates_a_deleted_catalog_again(catalog: EnterpriseCatalog) -> None:
    delete_catalog(catalog.pk, now=DAY_TWO)

    query = ensure_catalog_query(catalog.pk, customer_uuid=catalog.enterprise_customer_id, title=None, now=DAY_THREE)

    restored = EnterpriseCatalog.objects.get()
    assert (restored.deleted_at, restored.catalog_query) == (None, query)


def test_without_course_discovery_an_import_fills_a_catalog_of_the_lms(settings: Settings) -> None:
    settings.DISCOVERY_SERVICE_API_URL = ""
    created = CatalogQuery.objects.create(title="Courses", source="discovery", content_filter={"key": ["a"]})
    catalog = CatalogFactory.create(catalog_query=created)

    query = ensure_catalog_query(catalog.pk, customer_uuid=catalog.enterprise_customer_id, title=None, now=DAY_TWO)

    assert (query.source, query.content_filter) == ("import", {"key": ["a"]})
    assert EnterpriseCatalog.objects.get().catalog_query == query


def test_with_an_lms_an_import_guesses_no_slug(settings: Settings) -> None:
    settings.LMS_BASE_URL = "https://lms.example.org"

    ensure_catalog_query(uuid4(), customer_uuid=uuid4(), title=None, now=DAY_ONE)

    assert EnterpriseCustomer.objects.get().slug == ""
