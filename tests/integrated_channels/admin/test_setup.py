"""Setting up a configuration in the admin: choice of channel and customer, the generated fields, test and preview."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth.models import Permission

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.exceptions import RunDeadlineError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Decision
from enterprise_catalog.integrated_channels.reporting.pages import preview as preview_module
from enterprise_catalog.integrated_channels.sync.export import translate_chunk
from enterprise_catalog.sandbox.moodle.settings import TOKEN
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.factories.channels import SECRET, ConfigurationFactory
from tests.integrated_channels.pages import CONFIGURATIONS, filled_in, text_of
from tests.services import free_port

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import Chunk
    from enterprise_catalog.integrated_channels.sync.export import Translations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

ADD: Final = f"{CONFIGURATIONS}add/"
TEST: Final = {"integrated_channels_channelconfiguration_test_and_save": ""}
UNKNOWN_CUSTOMER: Final = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def unreachable(settings: Settings) -> None:
    """Let no catalog service run."""
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = f"http://127.0.0.1:{free_port()}"


def chosen(customer: EnterpriseCustomer | str, channel_code: str = "MOODLE") -> dict[str, str]:
    """Return the parameters of the form's URL."""
    uuid = customer if isinstance(customer, str) else str(customer.pk)
    return {"channel_code": channel_code, "enterprise_customer_uuid": uuid}


def change_page(configuration: ChannelConfiguration) -> str:
    return f"{CONFIGURATIONS}{configuration.pk}/change/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- choice of channel and customer ---------------------------------------------------------------------------------


def test_a_customer_is_chosen_by_the_beginning_of_its_name(admin_client: Client, customer: EnterpriseCustomer) -> None:
    response = admin_client.get(ADD, {"channel_code": "CANVAS", "customer": " acm"})

    assert response.status_code == 302
    assert response["Location"] == f"?channel_code=CANVAS&enterprise_customer_uuid={customer.pk}"


@pytest.mark.usefixtures("catalog_service")
def test_several_customers_are_offered_to_choose_from(admin_client: Client) -> None:
    customers = [CustomerFactory.create(name=name) for name in ("Acme", "Acme Toys")]

    page = text_of(admin_client.get(ADD, {"channel_code": "CANVAS", "customer": "acme"}))

    for customer in customers:
        link = f"?channel_code=CANVAS&amp;enterprise_customer_uuid={customer.pk}"
        assert f'href="{link}">{customer.name}</a>' in page


@pytest.mark.usefixtures("catalog_service")
def test_an_unknown_name_is_named(admin_client: Client) -> None:
    page = text_of(admin_client.get(ADD, {"channel_code": "CANVAS", "customer": "Acne"}))

    assert "No customer has a name that starts with “Acne”" in page


@pytest.mark.usefixtures("unreachable")
def test_a_typed_uuid_works_without_the_catalog_service(admin_client: Client) -> None:
    by_name = text_of(admin_client.get(ADD, {"channel_code": "MOODLE", "customer": "acme"}))
    by_uuid = admin_client.get(ADD, {"channel_code": "MOODLE", "customer": UNKNOWN_CUSTOMER})
    form = text_of(admin_client.get(f"{ADD}{by_uuid['Location']}"))
    saved = admin_client.post(ADD, filled_in(enterprise_customer_uuid=UNKNOWN_CUSTOMER, catalog_uuids=UNKNOWN_CUSTOMER))

    assert "Customers cannot be found by name now." in by_name
    assert "The UUID could not be checked. The " in form
    assert saved.status_code == 302
    assert ChannelConfiguration.objects.get().catalog_uuids == [UNKNOWN_CUSTOMER]


def test_the_form_shows_customer_and_catalogs_by_name(admin_client: Client, customer: EnterpriseCustomer) -> None:
    catalogs = [CatalogFactory.create(customer=customer, title=title) for title in ("Business", "Arts")]
    entered = filled_in(catalog_uuids=str(catalogs[0].pk), skip_customer_check="") | chosen(customer)

    page = text_of(admin_client.get(ADD, chosen(customer)))
    admin_client.post(ADD, entered)

    assert "This is the customer “Acme”." in page
    assert [title for title in ("Arts", "Business") if title in page] == ["Arts", "Business"]
    assert ChannelConfiguration.objects.get().catalog_uuids == [str(catalogs[0].pk)]


# --- generated fields -----------------------------------------------------------------------------------------------

SECRETS: Final[dict[str, dict[str, str]]] = {
    "MOODLE": {"token": SECRET},
    "CSOD": {"username": "csod", "password": SECRET},
    "SAP": {"client_id": "acme", "client_secret": SECRET},
}
CLIENT: Final = {"client_id": "acme", "client_secret": SECRET}


@pytest.mark.parametrize(
    ("code", "name", "entered", "stored"),
    [
        ("MOODLE", "category_id", "7", 7),
        ("MOODLE", "site_name", "Acme", "Acme"),
        ("SAP", "window_seconds", "1.5", 1.5),
        ("BLACKBOARD", "course_view", "Classic", "Classic"),
        ("CANVAS", "enforces_scopes", "on", True),
        ("DEGREED2", "title_length", "", None),
        ("CSOD", "subjects", "Art = Arts\n\n Law=Legal ", {"Art": "Arts", "Law": "Legal"}),
        ("SAP", "additional_locales", "German\n French ", ["German", "French"]),
    ],
)
def test_each_kind_of_field_is_saved_and_shown_again(
    admin_client: Client, code: str, name: str, entered: str, stored: object
) -> None:
    required = {"company_id": "acme", "user_id": "us"} if code == "SAP" else {}
    form = filled_in(channel_code=code, settings=required, credentials=SECRETS.get(code, CLIENT))

    response = admin_client.post(ADD, form | {f"settings-{name}": entered})

    assert response.status_code == 302
    configuration = ChannelConfiguration.objects.get()
    assert configuration.settings == {**required, name: stored}
    shown = admin_client.get(change_page(configuration))
    assert shown.context["adminform"].form.initial[f"settings-{name}"] == stored


def test_a_box_that_is_unchecked_is_saved(admin_client: Client) -> None:
    form = filled_in(channel_code="CANVAS", credentials=CLIENT)
    del form["settings-is_public"]

    admin_client.post(ADD, form)

    assert ChannelConfiguration.objects.get().settings == {"is_public": False}


@pytest.mark.parametrize(
    ("code", "name", "entered", "expected"),
    [
        ("DEGREED2", "title_length", "49", "greater than or equal to 50"),
        ("DEGREED2", "token_base_url", "ftp://degreed.com", "String should match pattern"),
        ("BLACKBOARD", "course_view", "Modern", "Modern is not one of the available choices"),
        ("CSOD", "subjects", "Art", "Line 1 has no “=”."),
    ],
)
def test_a_wrong_field_of_a_channel_is_named(
    admin_client: Client, code: str, name: str, entered: str, expected: str
) -> None:
    form = filled_in(channel_code=code, credentials=SECRETS.get(code, CLIENT))

    page = text_of(admin_client.post(ADD, form | {f"settings-{name}": entered}))

    assert expected in page
    assert SECRET not in page
    assert not ChannelConfiguration.objects.exists()


def test_unchanged_settings_are_left_as_they_are(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    ChannelConfiguration.objects.update(settings={"category_id": 1, "of_a_later_version": 2})
    unchanged = filled_in(base_url=configuration.base_url, credentials={}, display_name="Renamed")

    admin_client.post(change_page(configuration), unchanged)

    configuration.refresh_from_db()
    assert configuration.display_name == "Renamed"
    assert configuration.settings == {"category_id": 1, "of_a_later_version": 2}


# --- secrets --------------------------------------------------------------------------------------------------------


def test_a_stored_secret_can_be_removed(admin_client: Client) -> None:
    stored = {"token": SECRET, "username": "us", "password": "of-the-user"}
    configuration = ConfigurationFactory.create(credentials=stored)
    form = filled_in(base_url=configuration.base_url, credentials={"username": "us"})

    page = text_of(admin_client.get(change_page(configuration)))
    admin_client.post(change_page(configuration), form | {"credentials-token-remove": "on"})

    configuration.refresh_from_db()
    assert "A value is stored and never shown." in page
    assert SECRET not in page
    assert decrypt(configuration.credentials) == {"username": "us", "password": "of-the-user"}


def test_a_stored_secret_is_not_sent_to_a_new_address(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    moved = filled_in(base_url="https://elsewhere.example.org", credentials={})

    page = text_of(admin_client.post(change_page(configuration), moved))
    saved = admin_client.post(change_page(configuration), moved | {"credentials-token": "entered-again"})

    assert "The address has changed. Enter this value again" in page
    assert saved.status_code == 302


# --- test and save --------------------------------------------------------------------------------------------------


def test_a_configuration_is_tested_before_it_is_saved(admin_client: Client, moodle_url: str) -> None:
    form = filled_in(base_url=moodle_url, credentials={"token": "wrong"}, active="") | TEST

    refused = text_of(admin_client.post(ADD, form))
    assert not ChannelConfiguration.objects.exists()
    saved = admin_client.post(ADD, form | {"credentials-token": TOKEN}, follow=True)

    assert "Invalid token" in refused
    assert "Please enter it again." in refused
    configuration = ChannelConfiguration.objects.get()
    assert saved.redirect_chain == [(change_page(configuration), 302)]
    assert "The connection works, and the configuration was saved." in messages_of(saved)
    assert not configuration.active


def test_a_change_is_tested_before_it_is_saved(admin_client: Client, moodle_url: str) -> None:
    configuration = ConfigurationFactory.create(base_url=moodle_url, credentials={"token": TOKEN})
    form = filled_in(base_url=moodle_url, credentials={}, settings={"category_id": 99}) | TEST

    refused = text_of(admin_client.post(change_page(configuration), form))
    saved = admin_client.post(change_page(configuration), form | {"settings-category_id": "1"})

    assert "99" in refused
    assert saved.status_code == 302
    configuration.refresh_from_db()
    assert configuration.settings.get("category_id", 1) == 1


def test_access_is_granted_as_a_step_after_saving(admin_client: Client) -> None:
    form = filled_in(channel_code="CANVAS", credentials=CLIENT, active="") | TEST

    page = admin_client.post(ADD, form, follow=True)

    configuration = ChannelConfiguration.objects.get()
    assert messages_of(page) == ["Saved. The connection can be tested once access to the LMS has been granted."]
    steps = re.findall(r'href="([^"]+)"', text_of(page).partition('id="setup-steps"')[2].partition("</section>")[0])
    assert steps == [
        f"/integrated-channels/authorize/{configuration.pk}/",
        f"{CONFIGURATIONS}{configuration.pk}/first-sync/",
    ]


# --- a mistyped customer --------------------------------------------------------------------------------------------


def test_a_mistyped_customer_that_was_saved_can_be_corrected(
    admin_client: Client, customer: EnterpriseCustomer
) -> None:
    configuration = ConfigurationFactory.create(enterprise_customer_uuid=UNKNOWN_CUSTOMER)
    form = filled_in(base_url=configuration.base_url, credentials={}, skip_customer_check="")

    page = text_of(admin_client.get(change_page(configuration)))
    refused = text_of(
        admin_client.post(change_page(configuration), form | {"enterprise_customer_uuid": UNKNOWN_CUSTOMER[:-1] + "8"})
    )
    saved = admin_client.post(change_page(configuration), form | {"enterprise_customer_uuid": str(customer.pk)})

    assert "The catalog service has no customer with this UUID. Correct it, or delete this configuration." in page
    assert f"has no customer {UNKNOWN_CUSTOMER[:-1]}8." in refused
    assert saved.status_code == 302
    configuration.refresh_from_db()
    assert configuration.enterprise_customer_uuid == customer.pk


@pytest.mark.usefixtures("catalog_service")
def test_a_configuration_of_a_mistyped_customer_can_be_edited(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create(enterprise_customer_uuid=UNKNOWN_CUSTOMER)
    form = filled_in(base_url=configuration.base_url, credentials={}, display_name="Renamed", skip_customer_check="")

    response = admin_client.post(change_page(configuration), form | chosen(UNKNOWN_CUSTOMER))

    assert response.status_code == 302


# --- preview --------------------------------------------------------------------------------------------------------


@pytest.fixture
def inactive(customer: EnterpriseCustomer) -> ChannelConfiguration:
    CatalogFactory.create(customer=customer, content=["Org+A", *(f"Org+{letter * 100}" for letter in "BC")])
    return ConfigurationFactory.create(enterprise_customer_uuid=customer.pk, active=False)


def preview(client: Client, configuration: ChannelConfiguration) -> Any:
    return client.get(f"{CONFIGURATIONS}{configuration.pk}/first-sync/")


def test_the_preview_counts_the_items_and_those_that_cannot_be_sent(
    admin_client: Client, inactive: ChannelConfiguration
) -> None:
    context = preview(admin_client, inactive).context

    assert context["figures"][0] == ("To create", "3")
    [(number, reason)] = context["reasons"]
    assert (number, "limited to 100" in reason) == ("2", True)
    assert {refusal.content_key[:5] for refusal in context["refusals"]} == {"Org+B", "Org+C"}


def test_a_preview_is_bounded(
    admin_client: Client, inactive: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enterprise_catalog.integrated_channels.reporting.pages.preview.MAX_ITEMS", 2)

    assert "Only the first 2 items were checked." in text_of(preview(admin_client, inactive))


def test_a_preview_ends_when_its_time_is_over(
    admin_client: Client, inactive: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline covers all requests: the first ones use up the time of the later ones."""
    seconds = iter([0.0, 0.0, *range(preview_module.MAX_SECONDS, 1_000)])
    monkeypatch.setattr(preview_module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    assert "did not return the catalogs within 20 seconds" in text_of(preview(admin_client, inactive))


def test_a_preview_shows_what_was_checked_in_time(
    admin_client: Client, inactive: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[Chunk] = []

    def slow(chunk: Chunk, catalog: CatalogClient, channel: Channel) -> Translations:
        if parts:
            raise RunDeadlineError
        parts.append(chunk)
        return translate_chunk(chunk, catalog, channel)

    monkeypatch.setattr(preview_module, "translate_chunk", slow)
    monkeypatch.setattr(preview_module, "_ITEMS_PER_REQUEST", 2)

    page = preview(admin_client, inactive)

    assert "Only the first 2 items were checked." in text_of(page)
    assert page.context["figures"][0] == ("To create", "3")


@pytest.mark.usefixtures("unreachable")
def test_a_preview_without_the_catalog_service_names_the_problem(admin_client: Client) -> None:
    page = text_of(preview(admin_client, ConfigurationFactory.create()))

    assert re.search(r'role="alert" id="problem"[^>]*>The token endpoint of', page)


def test_activation_is_an_explicit_decision(admin_client: Client, inactive: ChannelConfiguration) -> None:
    page = admin_client.post(f"{CONFIGURATIONS}{inactive.pk}/first-sync/", follow=True)

    inactive.refresh_from_db()
    assert inactive.active
    assert messages_of(page) == ["The configuration is active. Its sync starts within minutes."]
    assert [(each.action, each.made_by) for each in Decision.objects.all()] == [("resume", "admin")]


def test_a_user_who_may_only_view_cannot_activate(
    client: Client, django_user_model: Any, inactive: ChannelConfiguration
) -> None:
    viewer = django_user_model.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_channelconfiguration"))
    client.force_login(viewer)

    page = text_of(preview(client, inactive))
    response = client.post(f"{CONFIGURATIONS}{inactive.pk}/first-sync/")

    assert ">Activate<" not in re.sub(r"\s+", "", page)
    assert response.status_code == 403
