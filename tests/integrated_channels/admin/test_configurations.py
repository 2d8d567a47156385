"""The configuration pages in the admin: validation, secrecy of credentials, concurrent edits and "sync now"."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
)
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from tests.admin_pages.list_actions import run
from tests.factories.channels import SECRET, ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, filled_in, shown, text_of
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.test import Client
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


def edited(
    configuration: ChannelConfiguration, credentials: Mapping[str, str] | None = None, **fields: str
) -> dict[str, str]:
    """Return the form data of a stored configuration, with these changes."""
    stored = {
        "base_url": configuration.base_url,
        "enterprise_customer_uuid": str(configuration.enterprise_customer_uuid),
    }
    return filled_in(settings=configuration.settings, credentials=credentials or {}, **{**stored, **fields})


def test_a_new_configuration_is_saved_with_its_credentials_encrypted(admin_client: Client) -> None:
    response = admin_client.post(f"{CONFIGURATIONS}add/", filled_in(settings={"category_id": 3}))

    assert response.status_code == 302
    configuration = ChannelConfiguration.objects.get()
    assert configuration.settings == {"category_id": 3}
    assert decrypt(configuration.credentials) == {"token": SECRET}
    assert SECRET not in configuration.credentials


def test_a_configuration_that_exists_already_is_refused(admin_client: Client) -> None:
    admin_client.post(f"{CONFIGURATIONS}add/", filled_in())

    page = text_of(admin_client.post(f"{CONFIGURATIONS}add/", filled_in(base_url="https://MOODLE.example.org/")))

    existing = ChannelConfiguration.objects.get()
    assert f"Configuration {existing.pk} already syncs the same catalogs" in page


@pytest.mark.django_db(transaction=True)
def test_a_mistyped_customer_is_refused_and_a_known_one_is_saved(
    admin_client: Client, customer: EnterpriseCustomer
) -> None:
    mistyped = "99999999-9999-4999-8999-999999999999"

    page = text_of(
        admin_client.post(f"{CONFIGURATIONS}add/", filled_in(enterprise_customer_uuid=mistyped, skip_customer_check=""))
    )
    saved = admin_client.post(
        f"{CONFIGURATIONS}add/", filled_in(enterprise_customer_uuid=str(customer.pk), skip_customer_check="")
    )

    assert f"has no customer {mistyped}. Check the UUID." in page
    assert saved.status_code == 302
    assert ChannelConfiguration.objects.get().enterprise_customer_uuid == customer.pk


def test_an_unreachable_catalog_service_is_named(admin_client: Client, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = f"http://127.0.0.1:{free_port()}"

    page = text_of(admin_client.post(f"{CONFIGURATIONS}add/", filled_in(skip_customer_check="")))

    assert "The customer could not be checked. The token endpoint of" in page
    assert not ChannelConfiguration.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("settings-category_id", "0", "greater than or equal to 1"),
        ("settings-category_id", "x", "Enter a whole number."),
        ("settings-site_name", "n" * 51, "at most 50 characters"),
        ("catalog_uuids", "x", "&#x27;x&#x27; is not a UUID"),
        ("credentials-token", "", "Give a token, or a username and a password"),
        ("base_url", "https://user:hunter2@moodle.example.org", "must not contain a user name or password"),
        ("sync_interval_minutes", "0", "greater than or equal to 1"),
        ("freshness_goal_minutes", "4", "greater than or equal to 5"),
        ("freshness_goal_minutes", "43201", "less than or equal to 43200"),
        ("enterprise_customer_uuid", "acme", "Enter a valid UUID."),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(
    admin_client: Client, field: str, value: str, expected: str
) -> None:
    page = text_of(admin_client.post(f"{CONFIGURATIONS}add/", filled_in() | {field: value}))

    assert expected in page
    assert SECRET not in page
    assert not ChannelConfiguration.objects.exists()


def of_sap(**settings: str) -> dict[str, str]:
    """Return the form data for a complete new SAP configuration."""
    return filled_in(
        channel_code="SAP",
        settings={"company_id": "acme", "user_id": "us", **settings},
        credentials={"client_id": "acme", "client_secret": SECRET},
    )


def test_credentials_have_to_match_the_settings(admin_client: Client) -> None:
    other_kind = of_sap(token_kind="saml_bearer")

    refused = text_of(admin_client.post(f"{CONFIGURATIONS}add/", other_kind))
    admin_client.post(f"{CONFIGURATIONS}add/", of_sap())
    address = f"{CONFIGURATIONS}{ChannelConfiguration.objects.get().pk}/change/"
    refused_later = text_of(admin_client.post(address, other_kind | {"credentials-client_secret": ""}))

    for page in (refused, refused_later):
        assert "requires private_key." in page
        assert SECRET not in page
    assert ChannelConfiguration.objects.get().settings == {"company_id": "acme", "user_id": "us"}


@pytest.mark.parametrize("unusable", [{"credentials": "unreadable"}, {"channel_code": "RETIRED"}])
def test_an_unusable_configuration_can_be_paused_and_renamed(admin_client: Client, unusable: dict[str, str]) -> None:
    configuration = ConfigurationFactory.create()
    ChannelConfiguration.objects.update(**unusable)
    address = f"{CONFIGURATIONS}{configuration.pk}/change/"

    page = text_of(admin_client.get(address))
    response = admin_client.post(address, filled_in(credentials={}, settings=configuration.settings) | {"active": ""})

    assert "action/pause/" in page
    assert 'name="active"' not in page
    assert response.status_code == 302
    configuration.refresh_from_db()
    assert (configuration.display_name, configuration.active) == ("Acme's Moodle", True)


def test_credentials_left_empty_stay_and_given_ones_replace_them(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    address = f"{CONFIGURATIONS}{configuration.pk}/change/"

    admin_client.post(address, edited(configuration, display_name="Renamed"))
    configuration.refresh_from_db()
    kept = decrypt(configuration.credentials)
    admin_client.post(address, edited(configuration, {"token": "a-newer-token"}))
    configuration.refresh_from_db()

    assert (configuration.display_name, kept) == ("Acme's Moodle", {"token": SECRET})
    assert decrypt(configuration.credentials) == {"token": "a-newer-token"}


def test_saving_a_form_does_not_undo_what_a_sync_wrote_meanwhile(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()

    with CaptureQueriesContext(connection) as captured:
        admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", edited(configuration))

    [update, make_due] = [
        sql
        for sql in (query["sql"] for query in captured)
        if sql.startswith("UPDATE") and "channelconfiguration" in sql
    ]
    assert "next_sync_at" not in update
    assert "last_full_sync_at" not in update
    assert "display_name" not in make_due


def test_a_configuration_that_sent_something_cannot_be_deleted(admin_client: Client) -> None:
    configuration = TransmissionFactory.create().configuration

    response = admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert shown(admin_client, CONFIGURATIONS) == [str(configuration)]


def test_a_configuration_that_sent_nothing_can_be_deleted(admin_client: Client) -> None:
    configuration = RunFactory.create(stopped=True).configuration

    page = text_of(admin_client.get(f"{CONFIGURATIONS}{configuration.pk}/delete/"))
    admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/delete/", {"post": "yes"})

    configuration.refresh_from_db()
    assert "Are you sure" in page
    assert (configuration.active, shown(admin_client, CONFIGURATIONS)) == (False, [])


def test_right_credentials_have_to_be_entered_again_after_another_field_was_wrong(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    entered = edited(configuration, {"token": "a-newer-token"}, base_url="nowhere")

    page = text_of(admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", entered))

    assert "Please enter it again." in page
    assert "a-newer-token" not in page


def test_channel_and_customer_stay_once_something_was_sent(admin_client: Client) -> None:
    configuration = TransmissionFactory.create().configuration
    customer_uuid = configuration.enterprise_customer_uuid

    form = edited(
        configuration, display_name="Renamed", enterprise_customer_uuid="22222222-2222-4222-8222-222222222222"
    )
    admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", form)

    configuration.refresh_from_db()
    assert (configuration.display_name, configuration.enterprise_customer_uuid) == ("Renamed", customer_uuid)


def test_the_history_names_changed_fields_and_not_the_credentials_themselves(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    form = edited(configuration, {"token": "a-newer-token"})

    admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", form)

    entry = LogEntry.objects.get()
    assert "Token" in entry.get_change_message()
    assert "a-newer-token" not in entry.change_message
    assert "a-newer-token" not in text_of(admin_client.get(f"{CONFIGURATIONS}{configuration.pk}/history/"))


@pytest.mark.parametrize("typed", ["Acme", "acme", "00000000-0000-0000-0000-000000000007", " Acme "])
def test_a_configuration_is_found_by_name_or_customer(admin_client: Client, typed: str) -> None:
    ConfigurationFactory.create(display_name="Acme's Moodle")
    ConfigurationFactory.create(display_name="Globex", enterprise_customer_uuid="22222222-2222-4222-8222-222222222222")

    assert shown(admin_client, CONFIGURATIONS, q=typed) == ["Acme's Moodle"]


def test_the_page_shows_the_result_of_the_last_run(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    older = RunFactory.create(configuration=configuration, started_at=timezone.now() - timedelta(hours=2))
    newest = RunFactory.create(configuration=configuration, started_at=timezone.now(), stopped=True)

    page = text_of(admin_client.get(f"{CONFIGURATIONS}{configuration.pk}/change/"))

    assert f"/syncrun/{newest.pk}/change/" in page
    assert "stopped" in page
    # Each run is in the strip, and only the newest one also in the fields.
    assert (page.count(f"/syncrun/{newest.pk}/change/"), page.count(f"/syncrun/{older.pk}/change/")) == (2, 1)


@pytest.mark.parametrize(
    ("lease_minutes", "expected"),
    [
        (5, "Yes (lease expires"),
        (-5, "No (the worker stopped responding)"),
        (None, "No (the worker stopped responding)"),
    ],
)
def test_the_page_shows_if_a_sync_is_running(admin_client: Client, lease_minutes: int | None, expected: str) -> None:
    configuration = ConfigurationFactory.create()
    RunFactory.create(configuration=configuration, running=True)
    expires_at = None if lease_minutes is None else timezone.now() + timedelta(minutes=lease_minutes)
    SyncLease.objects.create(configuration=configuration, expires_at=expires_at)

    assert expected in text_of(admin_client.get(f"{CONFIGURATIONS}{configuration.pk}/change/"))


def queued() -> list[int]:
    """Remove and return the IDs of the configurations queued for a sync in the broker."""
    taken = []
    with app.connection_for_read() as broker:
        queue = broker.SimpleQueue("interactive")
        while len(queue):
            message = queue.get(block=False)
            message.ack()
            [arguments, *_] = message.payload
            taken += arguments
        queue.close()
    return taken


@pytest.fixture
def _empty_queue() -> None:
    queued()


@pytest.mark.usefixtures("_empty_queue")
def test_sync_now_queues_the_chosen_configurations_once_the_request_is_committed(
    admin_client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    chosen, off, _ = (
        ConfigurationFactory.create(),
        ConfigurationFactory.create(active=False, display_name="Off"),
        ConfigurationFactory.create(),
    )
    with django_capture_on_commit_callbacks() as callbacks:
        response = run(admin_client, CONFIGURATIONS, "sync_now", [chosen.pk, off.pk])
    before = queued()
    [callback] = callbacks
    callback()

    assert "“Off” is inactive and was not queued." in text_of(response)
    assert (before, queued()) == ([], [chosen.pk])


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [("approve_deletes", "pending", "approved for deletion in the next sync"), ("keep_held", "kept", "kept")],
)
def test_held_deletes_are_decided_on_for_the_chosen_configurations(
    admin_client: Client, action: str, state: str, expected: str
) -> None:
    chosen, other = ConfigurationFactory.create(display_name="Chosen"), ConfigurationFactory.create()
    for configuration in (chosen, other):
        TransmissionFactory.create_for_keys(["a", "b"], configuration=configuration, held=True)

    response = run(admin_client, CONFIGURATIONS, action, [chosen.pk])

    assert f"2 transmissions {expected}." in text_of(response)
    rows = ContentMetadataItemTransmission.objects
    assert set(rows.of(chosen).values_list("state", flat=True)) == {state}
    assert set(rows.of(other).values_list("state", flat=True)) == {"held"}


@pytest.mark.usefixtures("_empty_queue")
def test_a_configuration_can_be_saved_and_synced_at_once(
    admin_client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    configuration = ConfigurationFactory.create()
    button = {"integrated_channels_channelconfiguration_save_and_sync": ""}
    form = edited(configuration, display_name="Renamed") | button

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", form)

    configuration.refresh_from_db()
    assert configuration.display_name == "Renamed"
    assert queued() == [configuration.pk]


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_broker_is_reported(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(sync_configuration, "apply_async", no_answer)
    page = text_of(run(admin_client, CONFIGURATIONS, "sync_now", [ConfigurationFactory.create().pk]))

    assert "the message broker is unreachable" in page
    assert "queued.</" not in page


def test_the_page_shows_how_many_items_a_call_has_now(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    page = f"{CONFIGURATIONS}{configuration.pk}/change/"
    before = text_of(admin_client.get(page))
    SyncLease.objects.create(configuration=configuration, batch_sizes={"update": 100, "create": 12})

    after = text_of(admin_client.get(page))

    assert "update: 100" not in before
    assert "create: 12, update: 100" in after
