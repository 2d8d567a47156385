"""``GET /api/v1/catalog-changes/``: the customers whose catalogs changed since a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.catalog.models import CatalogVersion, EnterpriseCatalog, EnterpriseCustomer
from tests.factories import DAY_TWO
from tests.factories.catalog import (
    CatalogFactory,
    CourseFactory,
    CustomerFactory,
    allow_restricted,
    import_into,
    run_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

URL: Final = "/api/v1/catalog-changes/"


@pytest.fixture
def catalogs() -> list[EnterpriseCatalog]:
    """Catalogs of three customers; the first two share an item."""
    return [CatalogFactory.create(content=content) for content in (["a", "b"], ["b", "c"], ["d"])]


def cursor_of(client: APIClient) -> str:
    cursor: str = client.get(URL).json()["cursor"]
    return cursor


def customers_since(client: APIClient, cursor: str) -> set[str]:
    response = client.get(URL, {"since": cursor})
    assert response.status_code == 200, response.content
    return {*response.json()["customers"]}


def rename_customer(catalog: EnterpriseCatalog) -> None:
    customer = EnterpriseCustomer.objects.get(pk=catalog.enterprise_customer_id)
    customer.slug = "another"
    save_customer(customer, now=DAY_TWO)


def rename(catalog: EnterpriseCatalog) -> None:
    catalog.title = "Another"
    save_catalog(catalog, now=DAY_TWO)


def take_query(catalog: EnterpriseCatalog) -> None:
    catalog.catalog_query = None
    save_catalog(catalog, now=DAY_TWO)


ACTS: Final[dict[str, tuple[Callable[[EnterpriseCatalog], object], set[int]]]] = {
    "an item joins": (lambda catalog: import_into(catalog, ["x"]), {0}),
    "an item leaves": (lambda catalog: import_into(catalog, ["b"], replace=True), {0}),
    "an item changes": (lambda catalog: import_into(catalog, [CourseFactory.build(key="a", title="New")]), {0}),
    "a shared item changes": (
        lambda catalog: import_into(catalog, [CourseFactory.build(key="b", title="New")]),
        {0, 1},
    ),
    "a restricted run": (lambda catalog: allow_restricted(catalog, [run_document("run", "a")]), {0}),
    "another slug": (rename_customer, {0}),
    "another title": (rename, {0}),
    "no query": (take_query, {0}),
    "deleted": (lambda catalog: delete_catalog(catalog.pk, now=DAY_TWO), {0}),
    "the same content": (lambda catalog: import_into(catalog, ["a", "b"]), set()),
}


@pytest.mark.parametrize(("act", "expected"), ACTS.values(), ids=ACTS)
def test_it_returns_the_customers_whose_catalogs_changed(
    operator: APIClient,
    catalogs: list[EnterpriseCatalog],
    act: Callable[[EnterpriseCatalog], object],
    expected: set[int],
) -> None:
    cursor = cursor_of(operator)
    act(catalogs[0])

    assert customers_since(operator, cursor) == {str(catalogs[each].enterprise_customer_id) for each in expected}
    assert customers_since(operator, cursor_of(operator)) == set()


def test_a_catalog_that_moves_changes_both_customers(operator: APIClient, catalogs: list[EnterpriseCatalog]) -> None:
    cursor = cursor_of(operator)
    before, after = catalogs[0].enterprise_customer, CustomerFactory.create()
    catalogs[0].enterprise_customer = after
    save_catalog(catalogs[0], now=DAY_TWO)

    assert customers_since(operator, cursor) == {str(before.pk), str(after.pk)}


def test_without_since_it_returns_only_the_cursor(operator: APIClient, catalogs: list[EnterpriseCatalog]) -> None:
    first = operator.get(URL)
    import_into(catalogs[0], ["x"])
    second = operator.get(URL)

    assert first.json()["customers"] == second.json()["customers"] == []
    assert first.json()["cursor"] != second.json()["cursor"]
    assert second["Cache-Control"] == "private, no-cache"


def test_an_empty_catalog_service_has_a_cursor(operator: APIClient) -> None:
    cursor = cursor_of(operator)
    catalog = CatalogFactory.create()

    assert customers_since(operator, cursor) == {str(catalog.enterprise_customer_id)}


def test_an_idle_request_reads_only_the_clock(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    CatalogFactory.create()
    cursor = cursor_of(operator)

    with django_assert_num_queries(2):  # user, clock
        operator.get(URL, {"since": cursor})


@pytest.mark.parametrize("count", [1, 20])
def test_any_number_of_customers_takes_the_same_statements(
    operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    cursor = cursor_of(operator)
    for _ in range(count):
        CatalogFactory.create()

    with django_assert_num_queries(7):  # user; clock; savepoint, clock, version, customers, end of the savepoint
        response = operator.get(URL, {"since": cursor})

    assert len(response.json()["customers"]) == count


def lost(cursor: str) -> str:
    CatalogVersion.objects.filter(version=int(cursor, 16)).delete()
    return cursor


@pytest.mark.parametrize("mangle", [lost, lambda cursor: f"{int(cursor, 16) + 10**9:x}", lambda _: "1"])
def test_an_unknown_cursor_is_gone(
    operator: APIClient, catalogs: list[EnterpriseCatalog], mangle: Callable[[str], str]
) -> None:
    cursor = cursor_of(operator)
    import_into(catalogs[0], ["x"])

    response = operator.get(URL, {"since": mangle(cursor)})

    assert (response.status_code, response.json()["code"]) == (410, "version_gone")


@pytest.mark.parametrize(("cursor", "code"), [("", "blank"), ("x", "bad_version"), ("f" * 16, "bad_version")])
def test_a_malformed_cursor_is_rejected(operator: APIClient, cursor: str, code: str) -> None:
    response = operator.get(URL, {"since": cursor})

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json().keys() == {"since", "code"}


@pytest.mark.parametrize("role", ["enterprise_admin", "enterprise_catalog_admin", "enterprise_learner"])
def test_a_caller_without_the_context_of_all_customers_gets_403(
    client_with: Callable[..., APIClient], catalogs: list[EnterpriseCatalog], role: str
) -> None:
    client = client_with(f"{role}:{catalogs[0].enterprise_customer_id}")

    assert client.get(URL).status_code == 403


def test_a_caller_without_a_token_gets_401(client: Any) -> None:
    assert client.get(URL).status_code == 401


def test_it_is_also_at_the_address_without_the_final_slash(operator: APIClient) -> None:
    assert operator.get(URL.rstrip("/")).status_code == 200
