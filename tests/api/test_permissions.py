"""Callers may read only the catalogs of customers that they have a role for, at every endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.conf import settings

from enterprise_catalog.api.v1.urls import urlpatterns
from tests.api.endpoints import CATALOGS, address
from tests.factories.catalog import CatalogFactory, CustomerFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

ADMINS: Final = ("enterprise_catalog_admin", "enterprise_openedx_operator", "enterprise_admin")
READERS: Final = (*ADMINS, "enterprise_learner")
METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
NOWHERE: Final = UUID(int=0)

POSTED: Final = {"content-diff/", "generate_diff", "generate_diff/", "refresh_metadata", "refresh_metadata/"}

#: The path after a catalog's UUID, for each endpoint of the API.
ENDS: Final = [
    str(pattern.pattern).removeprefix("enterprise-catalogs/<uuid:uuid>/")
    for pattern in urlpatterns
    if "<uuid:uuid>" in str(pattern.pattern)
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", ENDS)
def test_a_role_for_another_customer_opens_nothing(
    admin_of: Callable[[UUID], APIClient], end: str, method: str
) -> None:
    catalog, other = CatalogFactory.create(courses=1), CustomerFactory.create(name="Other")
    client = admin_of(other.pk)

    known, unknown = (client.generic(method, address(uuid, end), "{}") for uuid in (catalog.pk, NOWHERE))

    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content


@pytest.mark.parametrize("end", ENDS)
def test_only_a_role_for_all_learns_that_there_is_no_catalog(operator: APIClient, end: str) -> None:
    method = operator.post if end in POSTED else operator.get

    response = method(address(NOWHERE, end))

    assert response.status_code == 404
    assert response.json() == {"detail": f"There is no catalog {NOWHERE}.", "code": "not_found"}


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("context", ["*", "the customer", "THE CUSTOMER"])
def test_readers_compare_the_catalogs_of_their_customer(
    client_with: Callable[..., APIClient], role: str, context: str
) -> None:
    catalog = CatalogFactory.create(courses=1)
    customer = str(catalog.enterprise_customer_id)
    contexts = {"*": "*", "the customer": customer, "THE CUSTOMER": customer.upper()}
    client = client_with(f"{role}:{contexts[context]}")

    diff = client.post(address(catalog.pk, "content-diff/"), {"content_keys": []})

    assert diff.json()["to_create"] == ["Northwind+C000000"]


@pytest.mark.parametrize("role", ADMINS)
def test_admins_list_the_catalogs_of_their_customer(client_with: Callable[..., APIClient], role: str) -> None:
    catalog, _ = CatalogFactory.create(), CatalogFactory.create()

    page = client_with(f"{role}:{catalog.enterprise_customer_id}").get(CATALOGS)

    assert [row["uuid"] for row in page.json()["results"]] == [str(catalog.pk)]


def test_there_is_a_test_for_each_role() -> None:
    assert {*READERS, "enterprise_provisioning_admin"} == set(settings.SYSTEM_TO_FEATURE_ROLE_MAPPING)


@pytest.mark.parametrize(
    "roles",
    [
        (),
        ("enterprise_admin",),
        ("enterprise_admin:",),
        ("enterprise_openedx_operator",),
        ("role_of_another_service:*",),
        (":*",),
        ("enterprise_admin: *",),
        ("enterprise_admin:not-a-uuid",),
    ],
)
@pytest.mark.parametrize("end", ENDS)
def test_a_token_without_a_role_for_a_customer_opens_nothing(
    client_with: Callable[..., APIClient], roles: tuple[str, ...], end: str
) -> None:
    catalog = CatalogFactory.create(courses=1)

    response = client_with(*roles).get(address(catalog.pk, end))

    assert response.status_code == 403
    assert response.json()["code"] == "permission_denied"


@pytest.mark.parametrize("roles", [(), ("enterprise_admin",), ("enterprise_admin:not-a-uuid",)])
@pytest.mark.parametrize("query", [{}, {"enterprise_customer": str(NOWHERE)}])
def test_a_token_without_a_role_for_a_customer_lists_nothing(
    client_with: Callable[..., APIClient], roles: tuple[str, ...], query: dict[str, Any]
) -> None:
    CatalogFactory.create()

    response = client_with(*roles).get(CATALOGS, query)

    assert response.status_code == 403


def test_a_list_holds_the_catalogs_of_the_callers_customers_only(client_with: Callable[..., APIClient]) -> None:
    acme, bolt, other = (CustomerFactory.create(name=name) for name in ("Acme", "Bolt", "Other"))
    catalogs = {name: CatalogFactory.create(customer=name) for name in (acme, bolt, other)}

    response = client_with(f"enterprise_admin:{acme.pk}", f"enterprise_catalog_admin:{bolt.pk}").get(CATALOGS)

    assert {row["uuid"] for row in response.json()["results"]} == {str(catalogs[acme].pk), str(catalogs[bolt].pk)}


def test_a_list_of_another_customer_is_refused_whether_it_exists_or_not(
    admin_of: Callable[[UUID], APIClient],
) -> None:
    own, other = CustomerFactory.create(), CustomerFactory.create(name="Other")
    client = admin_of(own.pk)

    known, unknown = (client.get(CATALOGS, {"enterprise_customer": str(uuid)}) for uuid in (other.pk, NOWHERE))

    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content


def test_a_list_of_ones_own_customer_is_given(admin_of: Callable[[UUID], APIClient]) -> None:
    catalog = CatalogFactory.create()

    response = admin_of(catalog.enterprise_customer_id).get(
        CATALOGS, {"enterprise_customer": str(catalog.enterprise_customer_id)}
    )

    assert [row["uuid"] for row in response.json()["results"]] == [str(catalog.pk)]


@pytest.mark.parametrize("end", ENDS)
def test_a_caller_without_a_role_is_refused_without_a_look_at_the_catalogs(
    client_with: Callable[..., APIClient], end: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_with()
    client.get(address(NOWHERE, end))

    with django_assert_max_num_queries(3) as asked:
        response = client.get(address(NOWHERE, end))

    assert response.status_code == 403
    assert not [query for query in asked.captured_queries if "catalog_enterprisecatalog" in query["sql"]]
