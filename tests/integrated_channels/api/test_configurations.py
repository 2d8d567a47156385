"""``configurations/``: list, create, read, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.audit import status
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Decision
from tests.factories.channels import SECRET, ConfigurationFactory
from tests.integrated_channels.api.endpoints import CONFIGURATIONS, OVERVIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCustomer

pytestmark = pytest.mark.django_db

ACME: Final = UUID(int=7)  #: The customer of the factory's configurations.
NEW: Final = {
    "channel": "MOODLE",
    "enterprise_customer": str(ACME),
    "display_name": "Moodle of Acme",
    "base_url": "https://moodle.example.com",
    "settings": {"category_id": 3},
    "credentials": {"token": SECRET},
    "skip_customer_check": True,
}


@pytest.fixture
def admin(admin_of: Callable[[UUID], APIClient]) -> APIClient:
    """The admin of the customer of the factory's configurations."""
    return admin_of(ACME)


def place_of(configuration: ChannelConfiguration) -> str:
    return f"{CONFIGURATIONS}{configuration.pk}/"


def test_an_operator_creates_a_configuration(operator: APIClient) -> None:
    response = operator.post(CONFIGURATIONS, NEW)

    assert response.status_code == 201, response.content
    made = ChannelConfiguration.objects.get()
    assert response.json()["id"] == made.pk
    assert (made.channel_code, made.enterprise_customer_uuid, made.settings) == ("MOODLE", ACME, {"category_id": 3})
    assert decrypt(made.credentials) == {"token": SECRET}


def test_a_configuration_is_returned_without_its_credentials(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()

    assert operator.get(place_of(configuration)).json() == {
        "id": configuration.pk,
        "channel": "MOODLE",
        "display_name": "",
        "enterprise_customer": str(ACME),
        "catalog_uuids": [],
        "active": True,
        "paused_at": None,
        "pause_reason": "",
        "state": "never_synced",
        "base_url": "https://moodle.example.org",
        "settings": {},
        "has_credentials": True,
        "chunk_size": None,
        "max_chunks_per_run": None,
        "max_seconds_per_run": None,
        "sync_interval_minutes": 1440,
        "freshness_goal_minutes": None,
        "delete_limit_items": 50,
        "delete_limit_percent": 20,
        "next_sync_at": None,
        "last_full_sync_at": None,
        "created_at": operator.get(CONFIGURATIONS).json()["results"][0]["created_at"],
    }


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"channel": "NO_LMS"}, "channel", "channel"),
        ({"enterprise_customer": "acme"}, "enterprise_customer", "invalid"),
        ({"base_url": "moodle"}, "base_url", "invalid"),
        ({"base_url": "https://user:password@moodle.example.org"}, "base_url", "invalid"),
        ({"base_url": "ftp://moodle.example.org"}, "base_url", "invalid"),
        ({"settings": {"category": 3}}, "settings", "invalid"),
        ({"settings": []}, "settings", "not_a_dict"),
        ({"credentials": {}}, "credentials", "invalid"),
        ({"credentials": None}, "credentials", "null"),
        ({"catalog_uuids": ["x"]}, "catalog_uuids", "invalid"),
        ({"freshness_goal_minutes": 4}, "freshness_goal_minutes", "min_value"),
        ({"freshness_goal_minutes": 43_201}, "freshness_goal_minutes", "max_value"),
        ({"delete_limit_percent": 101}, "delete_limit_percent", "max_value"),
        ({"setings": {}}, "setings", "unknown_field"),
    ],
)
def test_an_invalid_field_is_named(operator: APIClient, change: dict[str, Any], field: str, code: str) -> None:
    response = operator.post(CONFIGURATIONS, NEW | change)

    assert response.status_code == 400
    assert response.json().keys() == {field, "code"}
    assert response.json()["code"] == code
    assert SECRET not in response.content.decode()
    assert not ChannelConfiguration.objects.exists()


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1", "http://10.0.0.8:8080/moodle", "http://[::1]", "http://169.254.169.254"]
)
def test_a_private_address_is_refused(operator: APIClient, settings: Settings, address: str) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False

    response = operator.post(CONFIGURATIONS, NEW | {"base_url": address})

    assert (response.status_code, [*response.json()]) == (400, ["base_url", "code"])


def test_a_second_configuration_of_the_same_target_is_refused(operator: APIClient) -> None:
    twin = ConfigurationFactory.create()

    response = operator.post(CONFIGURATIONS, NEW | {"base_url": twin.base_url, "settings": {}})

    assert response.status_code == 400
    assert f"Configuration {twin.pk} already syncs" in response.json()["base_url"][0]


def test_an_admin_creates_configurations_of_the_own_customer_only(admin_of: Callable[[UUID], APIClient]) -> None:
    body = {name: value for name, value in NEW.items() if name != "skip_customer_check"}

    response = admin_of(UUID(int=8)).post(CONFIGURATIONS, body)

    assert response.status_code == 403
    assert not ChannelConfiguration.objects.exists()


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "change", [{"skip_customer_check": True}, {"skip_customer_check": False, "delete_limit_percent": 100}]
)
def test_only_an_operator_decides_on_limits_and_checks(admin: APIClient, change: dict[str, Any]) -> None:
    response = admin.post(CONFIGURATIONS, NEW | change)

    assert (response.status_code, response.json()["code"]) == (403, "operator_required")


@pytest.mark.django_db(transaction=True)
def test_the_customer_and_the_catalogs_are_looked_up(
    customer: EnterpriseCustomer, admin_of: Callable[[UUID], APIClient]
) -> None:
    body = NEW | {"enterprise_customer": str(customer.pk), "skip_customer_check": False}

    refused = admin_of(customer.pk).post(CONFIGURATIONS, body | {"catalog_uuids": [str(UUID(int=9))]})
    made = admin_of(customer.pk).post(CONFIGURATIONS, body)

    assert "has no catalog" in refused.json()["enterprise_customer"][0]
    assert made.status_code == 201


def test_an_unreachable_catalog_service_is_reported(operator: APIClient, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:9"

    response = operator.post(CONFIGURATIONS, NEW | {"skip_customer_check": False})

    assert (response.status_code, response.json()["code"]) == (503, "catalog_unavailable")


def test_a_change_keeps_the_other_fields(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(display_name="Moodle")

    response = admin.patch(place_of(configuration), {"sync_interval_minutes": 15})

    assert response.status_code == 200
    assert (response.json()["display_name"], response.json()["sync_interval_minutes"]) == ("Moodle", 15)
    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == {"token": SECRET}


@pytest.mark.parametrize("minutes", [5, 43_200, None])
def test_an_admin_sets_the_freshness_goal(admin: APIClient, minutes: int | None) -> None:
    configuration = ConfigurationFactory.create(freshness_goal_minutes=60)

    response = admin.patch(place_of(configuration), {"freshness_goal_minutes": minutes})

    assert (response.status_code, response.json()["freshness_goal_minutes"]) == (200, minutes)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("field", ["channel", "enterprise_customer"])
def test_channel_and_customer_cannot_be_changed(admin: APIClient, field: str) -> None:
    configuration = ConfigurationFactory.create()

    response = admin.patch(place_of(configuration), {field: NEW[field]})

    assert (response.status_code, response.json()["code"]) == (400, "unknown_field")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("field", ["delete_limit_items", "delete_limit_percent"])
def test_an_admin_cannot_lift_the_limit_of_deletes(admin: APIClient, field: str) -> None:
    response = admin.patch(place_of(ConfigurationFactory.create()), {field: 100})

    assert (response.status_code, response.json()["code"]) == (403, "operator_required")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("address", ["https://attacker.example.com", "http://moodle.example.org"])
def test_stored_credentials_are_not_sent_to_another_host(admin: APIClient, address: str) -> None:
    configuration = ConfigurationFactory.create()

    refused = admin.patch(place_of(configuration), {"base_url": address})
    changed = admin.patch(place_of(configuration), {"base_url": address, "credentials": {"token": "new"}})

    assert (refused.status_code, [*refused.json()]) == (400, ["credentials", "code"])
    assert changed.json()["base_url"] == address
    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == {"token": "new"}


def test_a_token_endpoint_on_another_host_needs_new_credentials(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="DEGREED2")

    refused = admin.patch(place_of(configuration), {"settings": {"token_base_url": "https://attacker.example.com"}})

    assert (refused.status_code, [*refused.json()]) == (400, ["credentials", "code"])


def test_settings_that_do_not_fit_the_credentials_are_refused(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="SAP")

    response = admin.patch(place_of(configuration), {"settings": {"company_id": "acme", "token_kind": "saml_bearer"}})

    assert response.status_code == 400
    assert "requires private_key" in response.json()["credentials"][0]


def test_a_configuration_that_no_longer_fits_its_channel_can_be_deactivated(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    ChannelConfiguration.objects.update(settings={"from an": "older version"})

    changed = admin.patch(place_of(configuration), {"active": False, "reason": "Retired."})

    assert changed.json()["active"] is False


def test_a_change_of_credentials_and_a_pause_are_logged(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()

    changes = {"active": False, "credentials": {"token": "new"}}
    refused = admin.patch(place_of(configuration), changes)
    assert not Decision.objects.exists()
    admin.patch(place_of(configuration), changes | {"reason": "Holidays."})

    assert (refused.status_code, [*refused.json()]) == (400, ["reason", "code"])
    logged = Decision.objects.order_by("pk").values_list("action", "made_by", "reason")
    assert [*logged] == [("replace_credentials", "caller", "Holidays."), ("pause", "caller", "Holidays.")]
    assert ChannelConfiguration.objects.get().pause_reason == "Holidays."


def test_a_deleted_configuration_is_inactive_and_no_longer_found(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()

    response = admin.delete(place_of(configuration))

    assert (response.status_code, response.content) == (204, b"")
    configuration.refresh_from_db()
    assert not configuration.active
    assert admin.get(place_of(configuration)).status_code == 403
    assert admin.get(CONFIGURATIONS).json()["results"] == []


def test_the_deletion_of_an_inactive_configuration_is_recorded(admin: APIClient, operator: APIClient) -> None:
    configuration = ConfigurationFactory.create(active=False)
    status.refresh([configuration.pk], now=timezone.now())

    admin.delete(place_of(configuration))

    assert Decision.objects.get().reason == "Deleted through the API."
    assert operator.get(OVERVIEW).json()["counts"]["paused"] == 0


def test_a_configuration_can_be_created_again_after_its_deletion(operator: APIClient) -> None:
    deleted = operator.post(CONFIGURATIONS, NEW).json()["id"]
    operator.delete(f"{CONFIGURATIONS}{deleted}/")

    assert operator.post(CONFIGURATIONS, NEW).status_code == 201


def test_a_token_endpoint_without_a_valid_host_is_refused(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="DEGREED2")

    response = admin.patch(place_of(configuration), {"settings": {"token_base_url": "https://["}})

    assert (response.status_code, [*response.json()]) == (400, ["settings", "code"])


def test_a_deleted_configuration_returns_if_a_user_activates_it(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    admin.delete(place_of(configuration))

    ChannelConfiguration.objects.update(active=True)

    assert admin.get(place_of(configuration)).status_code == 200


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"enterprise_customer": str(ACME)}, ["a", "b"]),
        ({"channel": "CANVAS"}, ["b"]),
        ({"active": "false"}, ["c"]),
        ({"state": "never_synced"}, ["a", "b", "c"]),
        ({"state": "failing"}, []),
        ({"page_size": "2"}, ["a", "b"]),
    ],
)
def test_the_list_is_filtered(operator: APIClient, query: dict[str, str], names: list[str]) -> None:
    ConfigurationFactory.create(display_name="a")
    ConfigurationFactory.create(display_name="b", channel_code="CANVAS")
    ConfigurationFactory.create(display_name="c", enterprise_customer_uuid=UUID(int=8), active=False)

    found = operator.get(CONFIGURATIONS, query).json()

    assert [row["display_name"] for row in found["results"]] == names


def test_the_next_page_continues_after_the_last_row(operator: APIClient) -> None:
    ConfigurationFactory.create_batch(3)

    first = operator.get(CONFIGURATIONS, {"page_size": 2}).json()
    second = operator.get(first["next"]).json()

    assert [len(page["results"]) for page in (first, second)] == [2, 1]
    assert second["results"][0]["id"] > first["results"][-1]["id"]
    assert second["next"] is None


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "query", [{"page_size": "501"}, {"cursor": "x"}, {"cursor": "WzFd!"}, {"channel": "x"}, {"active": "x"}]
)
def test_a_wrong_parameter_is_named(operator: APIClient, query: dict[str, str]) -> None:
    response = operator.get(CONFIGURATIONS, query)

    assert (response.status_code, [*response.json()]) == (400, [*query, "code"])


def test_a_list_takes_two_statements(operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ConfigurationFactory.create_batch(3)
    operator.get(CONFIGURATIONS)  # Creates the caller's user.

    with django_assert_num_queries(3):  # The user, and the ids and the rows.
        assert len(operator.get(CONFIGURATIONS).json()["results"]) == 3


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', '{"settings": NaN}'])
def test_a_body_that_is_not_an_object_is_refused(operator: APIClient, body: str) -> None:
    response = operator.generic("POST", CONFIGURATIONS, body, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
