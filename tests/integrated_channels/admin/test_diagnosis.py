"""The page "Why is a course missing?"."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from enterprise_catalog.integrated_channels.models import ConfigurationStatus
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.factories.channels import ConfigurationFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS, statements, text_of

if TYPE_CHECKING:
    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCustomer

PAGE = "/admin/diagnosis/"

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customer_is_found_by_name(customer: EnterpriseCustomer, admin_client: Client) -> None:
    CustomerFactory.create(name="Acme South", slug="south")
    CatalogFactory.create(customer=customer, content=["edX+A"])
    ConfigurationFactory.create(enterprise_customer_uuid=customer.pk)

    several = admin_client.get(PAGE, {"enterprise_customer": "acme", "content_key": "edX+A"})
    one = admin_client.get(PAGE, {"enterprise_customer": "Acme S", "content_key": "edX+A"})
    none = admin_client.get(PAGE, {"enterprise_customer": "Globex", "content_key": "edX+A"})

    assert [name for name, _ in several.context["customers"]] == ["Acme", "Acme South"]
    assert "This customer has no channel configuration" in text_of(one)
    assert "No customer has a name that starts with “Globex”." in text_of(none)


def test_without_a_customer_the_page_lists_the_customers_that_have_the_key(admin_client: Client) -> None:
    acme, globex = [ConfigurationFactory.create(enterprise_customer_uuid=uuid4()) for _ in range(2)]
    ConfigurationStatus.objects.filter(configuration=acme).update(customer_name="Acme")
    for configuration in (acme, globex):
        TransmissionFactory.create(configuration=configuration, content_key="edX+A", rejected=True)
    TransmissionFactory.create(configuration=acme, content_key="edX+B", rejected=True)

    several = admin_client.get(PAGE, {"content_key": "edX+A"})
    one = admin_client.get(PAGE, {"content_key": " edX+B"})
    none = admin_client.get(PAGE, {"content_key": "edX+C"})

    assert {name for name, _ in several.context["customers"]} == {"Acme", str(globex.enterprise_customer_uuid)}
    assert f"enterprise_customer={acme.enterprise_customer_uuid}&amp;content_key=edX%2BA" in text_of(several)
    assert "only those of Acme have this key" in text_of(one)
    assert "No transmission has exactly this key" in text_of(none)
    assert f"{TRANSMISSIONS}?q=edX%2BC" in text_of(none)


def test_the_page_needs_a_permission_and_offers_only_what_the_user_may_do(
    customer: EnterpriseCustomer, client: Client
) -> None:
    user = get_user_model().objects.create_user("support", is_staff=True)
    client.force_login(user)
    row = TransmissionFactory.create(
        configuration=ConfigurationFactory.create(enterprise_customer_uuid=customer.pk), content_key="edX+A", held=True
    )
    asked = {"enterprise_customer": str(customer.pk), "content_key": "edX+A"}
    assert client.get(PAGE, asked).status_code == 403

    user.user_permissions.set(Permission.objects.filter(codename="view_contentmetadataitemtransmission"))
    page = text_of(client.get(PAGE, asked))

    assert "its delete waits for approval" in page
    assert f"{TRANSMISSIONS}{row.pk}/change/" in page
    assert CONFIGURATIONS not in page
    assert "Look it up in the LMS now" not in page
    assert "Approve held deletes" not in page
    assert client.post(f"{PAGE}?enterprise_customer={customer.pk}&content_key=edX%2BA").status_code == 403


@pytest.mark.usefixtures("catalog_service")
def test_a_diagnosis_takes_few_statements(admin_client: Client, customer: EnterpriseCustomer) -> None:
    for number in range(8):
        configuration = ConfigurationFactory.create(enterprise_customer_uuid=customer.pk, display_name=f"{number}")
        TransmissionFactory.create(configuration=configuration, content_key="edX+A", rejected=True)

    found = statements(admin_client, PAGE, enterprise_customer=str(customer.pk), content_key="edX+A")

    assert len(found) < 30


def test_a_key_is_shown_exactly(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="edXx+a  B ")

    page = text_of(admin_client.get(f"{TRANSMISSIONS}{row.pk}/change/"))

    assert '<span class="ec-name">edXx+a  B </span>' in page
    assert "EdXx" not in page
