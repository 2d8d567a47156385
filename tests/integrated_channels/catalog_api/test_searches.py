"""Customers, catalogs and content by what people type, from the real catalog service over HTTP."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.models import EnterpriseCustomer
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.catalog_api.lookups import (
    Customer,
    LookedUpCatalog,
    LookedUpQuery,
    Match,
    Suggestion,
)
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalog_service")]


@pytest.fixture
def client() -> Iterator[CatalogClient]:
    with CatalogClient() as client:
        yield client


def test_content_is_found_by_its_key(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A+B", title="Data")])

    found = client.look_up(catalog.enterprise_customer_id, "A+B")

    assert (found.is_known, found.title, found.content_type, found.updated_at) == (True, "Data", "course", DAY_ONE)
    query = LookedUpQuery(title="Everything", content_source="import")
    assert found.catalogs == (LookedUpCatalog(uuid=catalog.pk, title="All of it", contains=True, query=query),)


@pytest.mark.parametrize(("text", "match"), [("a+b & é", Match.CASE), ("data", Match.TITLE)])
def test_similar_content_is_suggested(client: CatalogClient, text: str, match: Match) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A+B & é", title="Data")])

    found = client.look_up(catalog.enterprise_customer_id, text)

    assert not found.is_known
    assert found.suggestions == (
        Suggestion(
            content_key="A+B & é", title="Data", content_type="course", match=match, catalogs=frozenset([catalog.pk])
        ),
    )


def test_a_lookup_for_a_customer_that_does_not_exist_is_an_error(client: CatalogClient) -> None:
    with pytest.raises(CatalogUnavailableError) as raised:
        client.look_up(uuid.uuid4(), "A+B")

    assert raised.value.status_code == 404


def test_customers_are_found_by_name(client: CatalogClient) -> None:
    customer = CustomerFactory.create(name="Acme & Sons")

    assert client.find_customers("acme &") == [Customer(uuid=customer.pk, name="Acme & Sons", slug="acme-sons")]


def test_the_name_of_a_customer_is_cached(client: CatalogClient) -> None:
    customer = CustomerFactory.create(name="Acme")
    before = client.customer_name(customer.pk)
    EnterpriseCustomer.objects.all().delete()

    assert (before, client.customer_name(customer.pk)) == ("Acme", "Acme")


def test_a_customer_that_does_not_exist_has_no_name(client: CatalogClient) -> None:
    assert client.customer_name(uuid.uuid4()) is None


def test_a_customers_catalogs_are_listed_by_title(client: CatalogClient) -> None:
    customer = CustomerFactory.create(name="Acme")
    last, first = (CatalogFactory.create(customer=customer, title=title) for title in ("B", "A"))

    listed = [(each.uuid, each.title, each.enterprise_customer_name) for each in client.catalogs_of(customer.pk)]
    assert listed == [(each.pk, each.title, "Acme") for each in (first, last)]
