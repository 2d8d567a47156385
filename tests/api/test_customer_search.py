"""``GET …/enterprise-customers/``: customers by the beginning of their name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.catalog.models import EnterpriseCustomer
from tests.factories.catalog import CustomerFactory
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

CUSTOMERS: Final = "/api/v1/enterprise-customers/"


@pytest.fixture(autouse=True)
def customers() -> list[EnterpriseCustomer]:
    return [CustomerFactory.create(name=name) for name in ("Bolt", "Acme", "ACME Toys", "bolts & nuts")]


def names(client: APIClient, text: str) -> list[str]:
    return [customer["name"] for customer in client.get(CUSTOMERS, {"q": text}).json()["results"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("acme", ["Acme", "ACME Toys"]),
        (" BOLT ", ["Bolt", "bolts & nuts"]),
        ("", ["Acme", "ACME Toys", "Bolt", "bolts & nuts"]),
        ("cme", []),
        ("%", []),
    ],
)
def test_customers_are_found_by_the_beginning_of_their_name(operator: APIClient, text: str, found: list[str]) -> None:
    assert names(operator, text) == found


def test_a_customer_is_found_by_its_uuid(operator: APIClient, customers: list[EnterpriseCustomer]) -> None:
    response = operator.get(CUSTOMERS, {"q": str(customers[0].pk).upper()})

    assert response.json() == {"results": [{"uuid": str(customers[0].pk), "name": "Bolt", "slug": "bolt"}]}


def test_at_most_twenty_are_returned(operator: APIClient) -> None:
    for number in range(25):
        CustomerFactory.create(name=f"Numbered {number}")

    assert len(names(operator, "numbered")) == 20


@pytest.mark.parametrize("text", ["", "acme", "bolt"])
def test_a_caller_finds_only_customers_that_the_caller_has_a_role_for(
    admin_of: Callable[[UUID], APIClient], customers: list[EnterpriseCustomer], text: str
) -> None:
    client = admin_of(customers[0].pk)

    assert names(client, text) == ([] if text == "acme" else ["Bolt"])
    assert names(client, str(customers[1].pk)) == []


def test_a_caller_without_a_role_is_refused(client_with: Callable[..., APIClient]) -> None:
    assert client_with().get(CUSTOMERS).status_code == 403


@pytest.mark.parametrize("text", ["n" * 256, "a\0b"])
def test_a_bad_text_is_named(operator: APIClient, text: str) -> None:
    response = operator.get(CUSTOMERS, {"q": text})

    assert response.status_code == 400
    assert set(response.json()) == {"q", "code"}


def test_customers_are_found_with_an_index() -> None:
    for number in range(500):
        CustomerFactory.create(name=f"Numbered {number}")

    plan = plan_of(lambda: list(EnterpriseCustomer.objects.named("acme")[:20]), of=EnterpriseCustomer)

    assert "customer_search_name" in plan
