"""``GET …/enterprise-catalogs/`` and ``…/{uuid}/``: catalogs, their versions, and 304 for unchanged catalogs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from tests.api.endpoints import CATALOGS, address
from tests.catalog.queries import version_of
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db


def nothing(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["a", "b"], now=DAY_TWO)


def title(catalog: EnterpriseCatalog) -> None:
    catalog.title = "Some of it"
    save_catalog(catalog, now=DAY_TWO)


def content(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, [CourseFactory.build(key="a", title="Changed")], now=DAY_TWO)


def arrival(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["c"], now=DAY_TWO)


def departure(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["a"], now=DAY_TWO, replace=True)


def slug(catalog: EnterpriseCatalog) -> None:
    catalog.enterprise_customer.slug = "moved"
    save_customer(catalog.enterprise_customer, now=DAY_TWO)


def customers_name(catalog: EnterpriseCatalog) -> None:
    catalog.enterprise_customer.name = "Renamed"
    save_customer(catalog.enterprise_customer, now=DAY_TWO)


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=["a", "b"])


@pytest.fixture(params=["detail", "list", "list of customer"])
def path(request: pytest.FixtureRequest, catalog: EnterpriseCatalog) -> str:
    addresses = {
        "detail": address(catalog.pk),
        "list": CATALOGS,
        "list of customer": f"{CATALOGS}?enterprise_customer={catalog.enterprise_customer_id}",
    }
    return addresses[request.param]


def test_it_returns_a_catalog_with_its_version(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    response = operator.get(address(catalog.pk))

    assert response.status_code == 200
    assert response.json() == {
        "uuid": str(catalog.pk),
        "title": "All of it",
        "enterprise_customer": str(catalog.enterprise_customer_id),
        "enterprise_customer_name": "Acme",
        "catalog_query_uuid": str(catalog.catalog_query.uuid) if catalog.catalog_query else "",
        "query_title": "Everything",
        "catalog_version": version_of(catalog),
        "content_last_modified": "2026-03-01T12:00:00.123456Z",
        "catalog_modified": "2026-03-01T12:00:00.123456Z",
    }


@pytest.mark.parametrize("query", ["none", "empty"])
def test_nothing_of_an_empty_catalog_was_ever_modified(operator: APIClient, query: str) -> None:
    catalog = CatalogFactory.create(catalog_query=None) if query == "none" else CatalogFactory.create()

    response = operator.get(address(catalog.pk))

    assert response.json()["content_last_modified"] is None


@pytest.mark.parametrize("change", [content, arrival, departure, slug, customers_name])
def test_the_time_of_the_last_addition_change_or_removal_is_returned(
    operator: APIClient, catalog: EnterpriseCatalog, change: Callable[[EnterpriseCatalog], None]
) -> None:
    change(catalog)

    response = operator.get(address(catalog.pk))

    assert response.json()["content_last_modified"] == "2026-03-02T12:00:00.123456Z"


@pytest.mark.parametrize("change", [nothing, title])
def test_what_is_no_content_does_not_move_the_content(
    operator: APIClient, catalog: EnterpriseCatalog, change: Callable[[EnterpriseCatalog], None]
) -> None:
    change(catalog)

    response = operator.get(address(catalog.pk))

    assert response.json()["content_last_modified"] == "2026-03-01T12:00:00.123456Z"


@pytest.mark.parametrize("change", [title, content, arrival, departure, slug, customers_name])
def test_the_version_moves_with_each_change(
    operator: APIClient, catalog: EnterpriseCatalog, change: Callable[[EnterpriseCatalog], None]
) -> None:
    before = operator.get(address(catalog.pk)).json()["catalog_version"]

    change(catalog)

    after = operator.get(address(catalog.pk)).json()["catalog_version"]
    assert after != before


@pytest.mark.parametrize("change", [nothing])
def test_the_version_stays_without_a_change_of_the_catalog(
    operator: APIClient, catalog: EnterpriseCatalog, change: Callable[[EnterpriseCatalog], None]
) -> None:
    before = operator.get(address(catalog.pk)).json()["catalog_version"]

    change(catalog)

    after = operator.get(address(catalog.pk)).json()["catalog_version"]
    assert after == before


def test_an_unchanged_answer_costs_a_304(operator: APIClient, catalog: EnterpriseCatalog, path: str) -> None:
    first = operator.get(path)
    nothing(catalog)

    second = operator.get(path, headers={"If-None-Match": first["ETag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert second["ETag"] == first["ETag"]
    assert second["Cache-Control"] == first["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("change", [title, content, arrival, departure, slug, customers_name])
def test_a_changed_answer_is_given_in_full(
    operator: APIClient, catalog: EnterpriseCatalog, path: str, change: Callable[[EnterpriseCatalog], None]
) -> None:
    first = operator.get(path)
    change(catalog)

    second = operator.get(path, headers={"If-None-Match": first["ETag"]})

    assert second.status_code == 200
    assert second["ETag"] != first["ETag"]


def test_a_304_costs_two_statements(
    operator: APIClient, catalog: EnterpriseCatalog, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    etag = operator.get(address(catalog.pk))["ETag"]

    with django_assert_num_queries(2):  # user, catalog
        response = operator.get(address(catalog.pk), headers={"If-None-Match": etag})

    assert response.status_code == 304


@pytest.mark.parametrize("end", ["", "content-metadata/"])
def test_a_304_costs_a_caller_with_one_customer_three_statements(
    admin_of: Callable[[UUID], APIClient],
    catalog: EnterpriseCatalog,
    django_assert_num_queries: DjangoAssertNumQueries,
    end: str,
) -> None:
    client = admin_of(catalog.enterprise_customer_id)
    etag = client.get(address(catalog.pk, end))["ETag"]

    with django_assert_num_queries(3):  # user, roles, catalog
        response = client.get(address(catalog.pk, end), headers={"If-None-Match": etag})

    assert response.status_code == 304


@pytest.mark.parametrize("count", [1, 50])
def test_a_list_costs_as_many_statements_for_many_catalogs_as_for_one(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    customer = CustomerFactory.create()
    for _ in range(count):
        CatalogFactory.create(customer=customer)
    operator.get(CATALOGS)

    with django_assert_num_queries(2):  # user; catalogs with their count
        response = operator.get(CATALOGS)

    assert response.json()["count"] == count


def test_a_list_comes_in_pages(operator: APIClient) -> None:
    customer = CustomerFactory.create()
    catalogs = [CatalogFactory.create(customer=customer, uuid=UUID(int=number)) for number in (3, 1, 2)]

    first = operator.get(CATALOGS, {"page_size": 2}).json()
    second = operator.get(first["next"]).json()

    assert [row["uuid"] for page in (first, second) for row in page["results"]] == sorted(str(c.pk) for c in catalogs)
    assert (first["count"], first["previous"], second["next"]) == (3, None, None)
    assert second["previous"].startswith("http://testserver/api/v1/enterprise-catalogs/")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("page", ["0", "2", "-1", "first", "9" * 30])
def test_a_list_has_no_page_beyond_its_last(operator: APIClient, page: str) -> None:
    CatalogFactory.create()

    response = operator.get(CATALOGS, {"page": page})

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("customer", ["not-a-uuid", "1", ""])
def test_a_list_takes_a_uuid_for_customer_only(operator: APIClient, customer: str) -> None:
    response = operator.get(CATALOGS, {"enterprise_customer": customer})

    assert response.status_code == 400
    assert set(response.json()) == {"enterprise_customer", "code"}


def test_a_list_of_a_customer_that_does_not_exist_is_404_to_who_may_read_all(operator: APIClient) -> None:
    response = operator.get(CATALOGS, {"enterprise_customer": str(UUID(int=0))})

    assert response.status_code == 404


def test_a_list_of_a_customer_without_catalogs_is_empty(operator: APIClient) -> None:
    customer = CustomerFactory.create()

    response = operator.get(CATALOGS, {"enterprise_customer": str(customer.pk)})

    assert response.json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("page_size", ["0", "-1", "1001", "ten", "", "9" * 30])
def test_an_unusual_page_size_is_clamped(operator: APIClient, catalog: EnterpriseCatalog, page_size: str) -> None:
    response = operator.get(CATALOGS, {"page_size": page_size})

    assert [row["uuid"] for row in response.json()["results"]] == [str(catalog.pk)]
