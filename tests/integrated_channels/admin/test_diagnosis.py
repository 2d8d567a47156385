"""The page "Why is a course missing?"."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from enterprise_catalog.integrated_channels.admin import diagnosis
from enterprise_catalog.integrated_channels.models import ConfigurationStatus
from tests.admin_pages.crawler import MAX_BYTES
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


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("catalog_service")
def test_64_findings_are_on_small_pages_the_most_urgent_first(
    admin_client: Client, customer: EnterpriseCustomer
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+A"])
    rows = [
        TransmissionFactory.create(
            configuration=ConfigurationFactory.create(
                enterprise_customer_uuid=customer.pk, display_name=f"Northwind University's Moodle, site {number}"
            ),
            content_key="edX+A",
            **({"rejected": True, "reason": "The LMS rejected the course."} if number > 60 else {}),
        )
        for number in range(64)
    ]
    asked = {"enterprise_customer": str(customer.pk), "content_key": "edX+A"}

    pages = [admin_client.get(PAGE, {**asked, "page": number}) for number in (1, 2, 3, 4)]

    shown = [view.finding.configuration_id for page in pages for view in page.context["findings"]]
    assert len(statements(admin_client, PAGE, **asked)) < 30
    assert sorted(shown) == [row.configuration_id for row in rows]
    assert set(shown[:3]) == {row.configuration_id for row in rows[61:]}
    assert max(len(page.content) for page in pages) <= MAX_BYTES
    assert "Page 1 of 4" in text_of(pages[0])
    assert f"{PAGE}?{urlencode(asked)}&page=2".replace("&", "&amp;") in text_of(pages[0])


@pytest.mark.usefixtures("catalog_service")
def test_the_finding_of_the_lms_that_was_asked_is_on_the_first_page(
    admin_client: Client, customer: EnterpriseCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "FINDINGS_PER_PAGE", 1)
    CatalogFactory.create(customer=customer, content=["edX+A"])
    configurations = ConfigurationFactory.create_batch(3, enterprise_customer_uuid=customer.pk)
    for configuration in configurations:
        TransmissionFactory.create(configuration=configuration, content_key="edX+A", rejected=True)
    address = f"{PAGE}?{urlencode({'enterprise_customer': customer.pk, 'content_key': 'edX+A'})}"

    page = admin_client.post(address, {"configuration": configurations[2].pk})

    assert [view.finding.configuration_id for view in page.context["findings"]] == [configurations[2].pk]


def test_a_key_is_shown_exactly(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="edXx+a  B ")

    page = text_of(admin_client.get(f"{TRANSMISSIONS}{row.pk}/change/"))

    assert '<span class="ec-name">edXx+a  B </span>' in page
    assert "EdXx" not in page
