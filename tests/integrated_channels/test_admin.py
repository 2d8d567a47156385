"""The audit view: what it shows, what it refuses, and that no page grows with its table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.admin_pages import paginator
from enterprise_catalog.integrated_channels.credentials import decrypt
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.integrated_channels.records import SECRET, a_configuration, a_run, transmissions

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponseBase
    from django.test import Client

pytestmark = pytest.mark.django_db

ADMIN = "/admin/integrated_channels"
TRANSMISSIONS = f"{ADMIN}/contentmetadataitemtransmission/"
ATTEMPTS = f"{ADMIN}/transmissionattempt/"
RUNS = f"{ADMIN}/syncrun/"
CONFIGURATIONS = f"{ADMIN}/channelconfiguration/"


def text_of(response: HttpResponseBase) -> str:
    assert response.status_code == 200
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def filled_in(**fields: str) -> dict[str, str]:
    """Return what a browser sends for a new configuration."""
    return {
        "channel_code": "MOODLE",
        "display_name": "Acme's Moodle",
        "active": "on",
        "enterprise_customer_uuid": "22222222-2222-4222-8222-222222222222",
        "catalog_uuids": "[]",
        "base_url": "https://moodle.example.org",
        "settings": "{}",
        "new_credentials": json.dumps({"token": SECRET}),
        "sync_interval_minutes": "60",
        "chunk_size": "",
        "max_chunks_per_run": "",
        **fields,
    }


def test_a_search_for_a_key_tells_state_and_reason(admin_client: Client) -> None:
    transmissions(a_configuration(), ["Org+A", "Org+B"])

    page = text_of(admin_client.get(TRANSMISSIONS, {"q": "Org+B"}))

    assert "Org+B" in page
    assert "Org+A" not in page
    assert "rejected" in page
    assert "Moodle said no." in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Org+", ["Org+A", "Org+a", "Org+á"]),
        ("Org+a", ["Org+a"]),
        ("Org+%", []),
        ("Org_", []),
        ("rg+A", []),
        ("X ", ["X "]),
    ],
)
def test_keys_are_searched_exactly_from_their_start(admin_client: Client, typed: str, found: list[str]) -> None:
    transmissions(a_configuration(), ["Org+A", "Org+a", "Org+á", "X", "X "])

    response = admin_client.get(TRANSMISSIONS, {"q": typed})

    shown = sorted(row.content_key for row in response.context["cl"].result_list)
    assert shown == sorted(found)


def test_the_page_of_a_transmission_says_what_holds_and_what_happens_next(admin_client: Client) -> None:
    [row] = transmissions(a_configuration(), ["Org+A"])

    page = text_of(admin_client.get(f"{TRANSMISSIONS}{row.pk}/change/"))

    assert "Rejected: Moodle said no." in page
    assert "Tried once" in page
    assert "invalidparameter" in page


@pytest.mark.parametrize(
    "narrowed",
    [
        {"state__exact": "rejected"},
        {"state": "rejected"},
        {"action": "create"},
        {"configuration__channel_code__exact": "MOODLE"},
        {"last_attempt_at_from": "2026-02-28", "last_attempt_at_to": "2026-03-02"},
    ],
    ids=str,
)
def test_transmissions_are_narrowed_down(admin_client: Client, narrowed: dict[str, str]) -> None:
    transmissions(a_configuration(), ["Org+A"])

    assert "Org+A" in text_of(admin_client.get(TRANSMISSIONS, narrowed))


def test_transmissions_of_one_configuration_are_found_among_others(admin_client: Client) -> None:
    wanted, other = a_configuration(), a_configuration()
    transmissions(wanted, ["Org+A"])
    transmissions(other, ["Org+B"])

    page = text_of(admin_client.get(TRANSMISSIONS, {"configuration__id__exact": wanted.pk}))

    assert "Org+A" in page
    assert "Org+B" not in page


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_audit_rows_can_be_neither_added_nor_changed_nor_deleted(admin_client: Client, address: str) -> None:
    [row] = transmissions(a_configuration(), ["Org+A"])
    pk = {TRANSMISSIONS: row.pk, ATTEMPTS: row.attempt_rows.get().pk, RUNS: row.configuration.runs.get().pk}[address]

    answers = [
        admin_client.get(f"{address}add/"),
        admin_client.post(f"{address}{pk}/change/", {"state": "deleted"}),
        admin_client.post(f"{address}{pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    row.refresh_from_db()
    assert row.state == "rejected"


def statements(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        text_of(client.get(address))
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS, CONFIGURATIONS])
def test_a_list_takes_as_many_statements_for_300_rows_as_for_3(admin_client: Client, address: str) -> None:
    configuration = a_configuration()
    transmissions(configuration, ["a", "b", "c"])
    few = statements(admin_client, address)

    transmissions(a_configuration(), [f"k{number}" for number in range(297)])
    for _ in range(60):
        a_run(configuration)
        a_configuration()

    assert len(statements(admin_client, address)) == len(few)


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_a_list_counts_no_more_than_its_limit(admin_client: Client, address: str) -> None:
    transmissions(a_configuration(), ["a", "b", "c"])

    counts = [sql for sql in statements(admin_client, address) if "COUNT(" in sql]

    assert counts
    assert all(f"LIMIT {paginator.MAX_ROWS + 1}" in sql for sql in counts)


def test_a_new_configuration_is_saved_with_its_credentials_encrypted(admin_client: Client) -> None:
    response = admin_client.post(f"{CONFIGURATIONS}add/", filled_in(settings='{"category_id": 3}'))

    assert response.status_code == 302
    configuration = ChannelConfiguration.objects.get()
    assert configuration.settings == {"category_id": 3}
    assert decrypt(configuration.credentials) == {"token": SECRET}
    assert SECRET not in configuration.credentials


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("settings", '{"category": 3}', "category: Extra inputs are not permitted"),
        ("settings", "{", "Enter a valid JSON."),
        ("catalog_uuids", '["x"]', "&#x27;x&#x27; is not a UUID"),
        ("new_credentials", "{}", "give a token, or a username and a password"),
        ("new_credentials", '{"token": 5}', "token: Input should be a valid string"),
        ("new_credentials", "hunter2", "This is not JSON; see line 1, column 1."),
        ("new_credentials", "", "This field is required."),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(admin_client: Client, field: str, value: str, told: str) -> None:
    page = text_of(admin_client.post(f"{CONFIGURATIONS}add/", filled_in(**{field: value})))

    assert told in page
    assert SECRET not in page
    assert "hunter2" not in page
    assert not ChannelConfiguration.objects.exists()


def test_credentials_left_empty_stay_and_given_ones_replace_them(admin_client: Client) -> None:
    configuration = a_configuration()
    address = f"{CONFIGURATIONS}{configuration.pk}/change/"

    admin_client.post(address, filled_in(new_credentials="", display_name="Renamed"))
    configuration.refresh_from_db()
    kept = decrypt(configuration.credentials)
    admin_client.post(address, filled_in(new_credentials='{"token": "another"}'))
    configuration.refresh_from_db()

    assert (configuration.display_name, kept) == ("Acme's Moodle", {"token": SECRET})
    assert decrypt(configuration.credentials) == {"token": "another"}


def test_saving_a_form_does_not_undo_what_a_sync_wrote_meanwhile(admin_client: Client) -> None:
    configuration = a_configuration()

    with CaptureQueriesContext(connection) as captured:
        admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", filled_in(new_credentials=""))

    [update] = [
        query["sql"] for query in captured if "UPDATE" in query["sql"] and "channelconfiguration" in query["sql"]
    ]
    assert "next_sync_at" not in update
    assert "last_full_sync_at" not in update


def test_a_configuration_cannot_be_deleted(admin_client: Client) -> None:
    configuration = a_configuration()

    response = admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert ChannelConfiguration.objects.exists()


def test_sync_now_queues_the_chosen_configurations_once_the_request_is_committed(
    admin_client: Client, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(
        "enterprise_catalog.integrated_channels.admin.configurations.sync_configuration.delay", queued.append
    )
    chosen, _ = a_configuration(), a_configuration()

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(CONFIGURATIONS, {"action": "sync_now", "_selected_action": [chosen.pk]})

    assert queued == [chosen.pk]


def test_the_secret_is_on_no_page(admin_client: Client) -> None:
    configuration = a_configuration()
    [row] = transmissions(configuration, ["Org+A"])
    pages = [
        CONFIGURATIONS,
        f"{CONFIGURATIONS}{configuration.pk}/change/",
        f"{CONFIGURATIONS}{configuration.pk}/history/",
        TRANSMISSIONS,
        f"{TRANSMISSIONS}{row.pk}/change/",
        ATTEMPTS,
        f"{ATTEMPTS}{row.attempt_rows.get().pk}/change/",
        RUNS,
        f"{RUNS}{configuration.runs.get().pk}/change/",
    ]

    for address in pages:
        page = text_of(admin_client.get(address))
        assert SECRET not in page
        assert configuration.credentials not in page


def test_staff_without_a_permission_sees_nothing(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))

    assert client.get(TRANSMISSIONS).status_code == 403
