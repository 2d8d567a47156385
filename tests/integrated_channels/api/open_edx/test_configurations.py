"""Configurations in the shapes that the Open edX admin portal expects (both plug-ins)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.api.throttles import LMSThrottle
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Decision
from tests.factories import DAY_ONE
from tests.factories.catalog import CustomerFactory
from tests.factories.channels import SECRET, ConfigurationFactory, RunFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries, Settings

    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

pytestmark = pytest.mark.django_db

ACME: Final = UUID(int=7)
OLD: Final = "/integrated_channels/api/v1/"
NEW: Final = "/channel_integrations/api/v1/"
CHANNELS: Final = {
    "moodle": "MOODLE",
    "canvas": "CANVAS",
    "blackboard": "BLACKBOARD",
    "cornerstone": "CSOD",
    "degreed2": "DEGREED2",
    "sap_success_factors": "SAP",
}
COMMON: Final = {
    *("id", "display_name", "channel_code", "enterprise_customer", "idp_id", "active", "is_valid"),
    *("last_sync_attempted_at", "last_content_sync_attempted_at", "last_learner_sync_attempted_at"),
    *("last_sync_errored_at", "last_content_sync_errored_at", "last_learner_sync_errored_at"),
    *("transmission_chunk_size", "last_modified_at", "uuid"),
}
#: Channel -> its further members in the new plug-in.
MEMBERS: Final = {
    "moodle": {"moodle_base_url", "service_short_name", "category_id", "username", "password", "token"},
    "canvas": {
        *("client_id", "client_secret", "canvas_account_id", "canvas_base_url", "refresh_token"),
        "oauth_authorization_url",
    },
    "blackboard": {
        *("client_id", "client_secret", "blackboard_base_url", "refresh_token"),
        "oauth_authorization_url",
    },
    "cornerstone": {"cornerstone_base_url", "session_token", "session_token_modified", "username", "password"},
    "degreed2": {"client_id", "client_secret", "degreed_base_url", "degreed_token_fetch_base_url"},
    "sap_success_factors": {
        *("key", "secret", "sapsf_base_url", "sapsf_company_id", "sapsf_user_id", "user_type"),
        *("additional_locales", "show_course_price", "transmit_total_hours", "prevent_self_submit_grades"),
    },
}
COMPLETE: Final[list[dict[str, list[str]]]] = [{"missing": []}, {"incorrect": []}]
CANVAS: Final = {
    "display_name": "Canvas",
    "enterprise_customer": str(ACME),
    "client_id": "10",
    "client_secret": SECRET,
    "canvas_account_id": 3,
    "canvas_base_url": "https://canvas.example.com",
}


@pytest.fixture
def admin(admin_of: Callable[[UUID], APIClient]) -> APIClient:
    """The admin of the customer, as the portal's users are."""
    return admin_of(ACME)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_configuration_has_the_members_of_its_channel(admin: APIClient, channel: str) -> None:
    configuration = ConfigurationFactory.create(channel_code=CHANNELS[channel])

    found = admin.get(f"{NEW}{channel}/configuration/{configuration.pk}/").json()

    assert found.keys() == COMMON | MEMBERS[channel]
    assert found == found | {"id": configuration.pk, "channel_code": CHANNELS[channel], "active": True}
    assert SECRET not in str(found)


def test_the_old_plug_in_has_its_own_names_and_hides_those_of_moodle(admin: APIClient) -> None:
    canvas = ConfigurationFactory.create(channel_code="CANVAS")
    moodle = ConfigurationFactory.create()

    found = admin.get(f"{OLD}canvas/configuration/{canvas.pk}/").json()
    hidden = admin.get(f"{OLD}moodle/configuration/{moodle.pk}/").json()

    assert found == found | {"encrypted_client_id": "acme", "encrypted_client_secret": "********"}
    assert hidden.keys() & {"token", "encrypted_token", "username", "password"} == set()


@pytest.mark.parametrize("prefix", [OLD, NEW])
def test_all_configurations_of_a_customer_are_one_list(admin: APIClient, prefix: str) -> None:
    for code in CHANNELS.values():
        ConfigurationFactory.create(channel_code=code)
    ConfigurationFactory.create(enterprise_customer_uuid=UUID(int=8))

    found = admin.get(f"{prefix}configs/", {"enterprise_customer": str(ACME)}).json()

    assert [row["channel_code"] for row in found] == [*CHANNELS.values()]


def test_the_list_takes_two_statements(admin: APIClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ConfigurationFactory.create_batch(3)
    query = {"enterprise_customer": str(ACME)}
    admin.get(f"{NEW}configs/", query)  # Creates the caller's user.

    with django_assert_num_queries(2):  # The user, and the rows with their runs.
        admin.get(f"{NEW}configs/", query)


def test_the_times_are_those_of_the_runs(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    RunFactory.create(configuration=configuration, stopped=True, started_at=DAY_ONE.replace(hour=1))
    RunFactory.create(configuration=configuration, started_at=DAY_ONE.replace(hour=2))

    found = admin.get(f"{NEW}moodle/configuration/{configuration.pk}/").json()

    assert "T02:00" in found["last_sync_attempted_at"] == found["last_content_sync_attempted_at"]
    assert "T01:00" in found["last_sync_errored_at"] == found["last_content_sync_errored_at"]
    assert found["last_learner_sync_attempted_at"] is found["last_learner_sync_errored_at"] is None


@pytest.mark.usefixtures("catalog_service")
def test_a_new_configuration_is_inactive_and_waits_for_the_consent(admin: APIClient) -> None:
    CustomerFactory.create(pk=ACME)

    response = admin.post(f"{NEW}canvas/configuration/", CANVAS)

    assert response.status_code == 201, response.content
    made = ChannelConfiguration.objects.get()
    assert response.json() == response.json() | {
        "id": made.pk,
        "active": False,
        "is_valid": [{"missing": ["refresh_token"]}, {"incorrect": []}],
        "canvas_account_id": 3,
        "client_id": "10",
        "client_secret": "********",
        "refresh_token": "",
        "oauth_authorization_url": f"http://testserver/integrated-channels/authorize/{made.pk}/",
    }
    assert decrypt(made.credentials) == {"client_id": "10", "client_secret": SECRET}


@pytest.mark.usefixtures("catalog_service")
def test_a_customer_that_does_not_exist_gets_no_configuration(operator: APIClient) -> None:
    response = operator.post(f"{NEW}canvas/configuration/", CANVAS)

    assert (response.status_code, [*response.json()]) == (400, ["enterprise_customer", "code"])
    assert not ChannelConfiguration.objects.exists()


def test_an_unreachable_catalog_service_is_reported(operator: APIClient, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:9"

    response = operator.post(f"{NEW}canvas/configuration/", CANVAS)

    assert (response.status_code, response.json()["code"]) == (503, "catalog_unavailable")
    assert not ChannelConfiguration.objects.exists()


def test_switching_a_configuration_off_is_a_pause_with_a_reason(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()

    admin.put(f"{NEW}moodle/configuration/{configuration.pk}/", {"active": False})

    decision = Decision.objects.get()
    assert (decision.action, decision.reason) == ("pause", "Changed in the admin portal of Open edX.")


def test_a_put_of_a_subset_switches_a_configuration_on(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(active=False, settings={"category_id": 3})

    response = admin.put(
        f"{NEW}moodle/configuration/{configuration.pk}/", {"active": True, "enterprise_customer": str(ACME)}
    )

    assert response.json() == response.json() | {"active": True, "category_id": 3, "is_valid": COMPLETE}
    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == {"token": SECRET}


def test_a_put_of_a_whole_response_changes_nothing(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="CANVAS", settings={"account_id": 3})
    place = f"{NEW}canvas/configuration/{configuration.pk}/"
    before = admin.get(place).json()

    after = admin.put(place, before).json()

    assert after == before
    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == {"client_id": "acme", "client_secret": SECRET}
    assert configuration.chunk_size is None


@pytest.mark.parametrize("name", ["client_secret", "encrypted_client_secret"])
def test_a_new_secret_replaces_the_old_one_only(admin: APIClient, name: str) -> None:
    configuration = ConfigurationFactory.create(channel_code="CANVAS")

    admin.patch(f"{NEW}canvas/configuration/{configuration.pk}/", {name: "new"})

    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == {"client_id": "acme", "client_secret": "new"}


def test_stored_secrets_are_not_sent_to_another_host(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="CANVAS")
    place = f"{NEW}canvas/configuration/{configuration.pk}/"

    responses = [
        admin.put(place, {"canvas_base_url": "https://attacker.example.com", **changes})
        for changes in ({}, {"client_id": "10"})
    ]

    assert [response.status_code for response in responses] == [400, 400]
    configuration.refresh_from_db()
    assert configuration.base_url == "https://canvas.example.org"


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"canvas_base_url": "x"}, "canvas_base_url"),
        ({"canvas_base_url": 5}, "canvas_base_url"),
        ({"canvas_account_id": "x"}, "settings"),
        ({"client_secret": ""}, "credentials"),
        ({"enterprise_customer": ""}, "enterprise_customer"),
        ({"transmission_chunk_size": 0}, "transmission_chunk_size"),
    ],
)
def test_a_wrong_member_is_named(admin: APIClient, change: dict[str, Any], member: str) -> None:
    response = admin.post(f"{NEW}canvas/configuration/", CANVAS | change)

    assert (response.status_code, [*response.json()]) == (400, [member, "code"])
    assert not ChannelConfiguration.objects.exists()


def test_a_long_name_is_incorrect(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(display_name="x" * 21)

    found = admin.get(f"{NEW}moodle/configuration/{configuration.pk}/").json()

    assert found["is_valid"] == [{"missing": []}, {"incorrect": ["display_name"]}]


def test_missing_and_incorrect_settings_are_named(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(channel_code="SAP")
    ChannelConfiguration.objects.update(settings={"user_type": "robot"}, credentials="")

    found = admin.get(f"{NEW}sap_success_factors/configuration/{configuration.pk}/").json()

    assert found["is_valid"] == [{"missing": ["sapsf_company_id", "key"]}, {"incorrect": ["user_type"]}]


def test_a_deleted_configuration_leaves_the_lists(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()

    response = admin.delete(f"{NEW}moodle/configuration/{configuration.pk}/")

    assert response.status_code == 204
    assert admin.get(f"{NEW}configs/", {"enterprise_customer": str(ACME)}).json() == []
    assert admin.get(f"{NEW}moodle/configuration/").json()["results"] == []
    assert not ChannelConfiguration.objects.get().active


def test_a_list_of_one_channel_has_pages(admin: APIClient) -> None:
    ConfigurationFactory.create_batch(11)
    ConfigurationFactory.create(channel_code="CANVAS")

    page = admin.get(f"{NEW}moodle/configuration/").json()

    assert (page["count"], len(page["results"]), page["previous"]) == (11, 10, None)
    assert len(admin.get(page["next"]).json()["results"]) == 1


def test_the_page_of_global_configurations_is_empty(admin: APIClient) -> None:
    found = admin.get(f"{NEW}blackboard/global-configuration/").json()

    assert found == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("prefix", [OLD, NEW])
def test_another_customers_configuration_cannot_be_distinguished_from_none(
    admin_of: Callable[[UUID], APIClient], prefix: str
) -> None:
    configuration = ConfigurationFactory.create()
    client = admin_of(UUID(int=8))

    for method in ("get", "put", "patch", "delete"):
        known, unknown = (
            getattr(client, method)(f"{prefix}moodle/configuration/{pk}/") for pk in (configuration.pk, 999)
        )
        assert known.status_code == unknown.status_code == 403
        assert known.content == unknown.content
    assert client.get(f"{prefix}configs/", {"enterprise_customer": str(ACME)}).status_code == 403
    assert client.post(f"{prefix}canvas/configuration/", CANVAS).status_code == 403


@pytest.mark.parametrize("roles", [(), ("enterprise_learner:*",)])
def test_learners_see_nothing(client_with: Callable[..., APIClient], roles: tuple[str, ...]) -> None:
    configuration = ConfigurationFactory.create()
    places = ["configs/", "moodle/configuration/", f"moodle/configuration/{configuration.pk}/"]

    assert {client_with(*roles).get(NEW + place).status_code for place in places} == {403}
    assert {APIClient().get(NEW + place).status_code for place in places} == {401}


def test_a_channel_that_does_not_exist_is_not_found(operator: APIClient) -> None:
    assert operator.get(f"{NEW}no_lms/configuration/").status_code == 404


# --- health --------------------------------------------------------------------------------------------------------


def health_of(client: APIClient, configuration: ChannelConfiguration) -> Any:
    query = {"channel_code": configuration.channel_code, "uuid": str(UUID(int=configuration.pk))}
    return client.get(f"{NEW}configs/health-check", query).json()


def test_a_configuration_that_works_is_healthy(admin: APIClient, moodle: MoodleSandbox, moodle_url: str) -> None:
    configuration = ConfigurationFactory.create(sandbox=moodle, base_url=moodle_url)

    assert health_of(admin, configuration) == {"is_healthy": True, "health_status": "HEALTHY"}


def test_an_unreachable_lms_is_not_healthy(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create(base_url="http://127.0.0.1:9")

    assert health_of(admin, configuration) == {"is_healthy": False, "health_status": "CONNECTION_FAILURE"}


def test_health_is_checked_a_limited_number_of_times(admin: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = ConfigurationFactory.create(base_url="http://127.0.0.1:9")
    monkeypatch.setattr(LMSThrottle, "rate", "1/day")

    assert "health_status" in health_of(admin, configuration)
    assert health_of(admin, configuration)["code"] == "throttled"


def test_an_invalid_configuration_is_not_healthy(admin: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    ChannelConfiguration.objects.update(credentials="")

    assert health_of(admin, configuration) == {"is_healthy": False, "health_status": "INVALID_CONFIG"}


@pytest.mark.parametrize(("code", "status"), [("NO_LMS", 400), ("CANVAS", 403), ("MOODLE", 403)])
def test_the_health_of_nothing_is_refused(admin: APIClient, code: str, status: int) -> None:
    configuration = ConfigurationFactory.create()
    uuid = UUID(int=configuration.pk if code == "CANVAS" else 2**127)

    response = admin.get(f"{NEW}configs/health-check", {"channel_code": code, "uuid": str(uuid)})

    assert response.status_code == status
