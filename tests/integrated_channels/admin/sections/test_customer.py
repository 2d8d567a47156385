"""The page of a customer: catalogs, configurations with their states, and the search for a course."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.models import ConfigurationStatus, SyncRun
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, RUNS, TRANSMISSIONS, statements, text_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)


def address_of(customer_uuid: UUID) -> str:
    """Return the path of the customer's page."""
    return f"/admin/customers/{customer_uuid}/"


@pytest.mark.usefixtures("catalog_service")
def test_a_customer_has_a_name_catalogs_and_configurations_with_their_states(admin_client: Client) -> None:
    customer = CustomerFactory.create(name="Acme")
    catalog = CatalogFactory.create(customer=customer, title="All courses")
    configuration = ConfigurationFactory.create(enterprise_customer_uuid=customer.pk, display_name="Acme's Moodle")
    RunFactory.create(configuration=configuration)

    page = text_of(admin_client.get(address_of(customer.pk)))

    assert "Acme" in page
    assert f'/enterprisecatalog/{catalog.pk}/change/">All courses</a>' in page
    assert f"/channelconfiguration/{configuration.pk}/change/" in page
    assert "Up to date." in page
    assert f'name="enterprise_customer" value="{customer.pk}"' in page


def test_the_page_opens_without_the_catalog_service(admin_client: Client, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:1"
    configuration = ConfigurationFactory.create()

    page = text_of(admin_client.get(address_of(configuration.enterprise_customer_uuid)))

    assert "Name and catalogs are unknown." in page
    assert "Never synced yet." in page


def test_an_unknown_customer_is_reported(admin_client: Client, catalog_service: LiveServer) -> None:
    assert catalog_service.url
    page = text_of(admin_client.get(address_of(uuid4())))

    assert "The catalog service has no such customer." in page
    assert "This customer has no channel configuration" in page


def test_a_deleted_configuration_is_not_listed(admin_client: Client, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:1"
    configuration = ConfigurationFactory.create(active=False, deleted_at=timezone.now())

    page = text_of(admin_client.get(address_of(configuration.enterprise_customer_uuid)))

    assert "This customer has no channel configuration" in page


def test_a_user_without_permission_is_refused(client: Client, django_user_model: type) -> None:
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))  # type: ignore[attr-defined]  # the user model

    assert client.get(address_of(uuid4())).status_code == 403


def test_five_configurations_take_fewer_than_30_statements(admin_client: Client, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:1"
    for _ in range(6):
        configuration = ConfigurationFactory.create()

    assert len(statements(admin_client, address_of(configuration.enterprise_customer_uuid))) < 30


@pytest.mark.parametrize("name", ["Acme", ""])
def test_other_pages_link_to_the_customer_by_its_stored_name(admin_client: Client, name: str) -> None:
    row = TransmissionFactory.create(rejected=True)
    run, uuid = SyncRun.objects.get(), row.configuration.enterprise_customer_uuid
    ConfigurationStatus.objects.update(customer_name=name)
    pages = (f"{TRANSMISSIONS}{row.pk}", f"{CONFIGURATIONS}{row.configuration_id}", f"{RUNS}{run.pk}")

    for page in pages:
        text = text_of(admin_client.get(f"{page}/change/"))
        assert f'href="{address_of(uuid)}" title="{uuid}">{name or uuid}</a>' in text
