"""The audit pages in the admin: their content, filters, search and permissions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from enterprise_catalog.integrated_channels.admin import attempts, lists
from enterprise_catalog.integrated_channels.models import TransmissionAttempt
from tests.admin_pages.list_actions import run
from tests.factories import DAY_ONE
from tests.factories.channels import SECRET, ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import ATTEMPTS, CONFIGURATIONS, RUNS, TRANSMISSIONS, shown, text_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

LISTS = [TRANSMISSIONS, ATTEMPTS, RUNS, CONFIGURATIONS]


def test_a_search_for_a_key_shows_state_and_reason(admin_client: Client) -> None:
    TransmissionFactory.create_for_keys(["Org+A", "Org+B"], rejected=True)

    page = text_of(admin_client.get(TRANSMISSIONS, {"q": "Org+B"}))

    assert "Org+B" in page
    assert "Org+A" not in page
    assert "rejected" in page
    assert "Invalid parameter value detected." in page


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS])
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Org+", ["Org+A", "Org+a", "Org+á"]),
        ("Org+a", ["Org+a"]),
        ("Org+%", []),
        ("Org_", []),
        ("rg+A", []),
        ("X ", ["X "]),
        ("'", []),
        ("", ["Org+A", "Org+a", "Org+á", "X", "X "]),
    ],
)
def test_keys_are_searched_exactly_from_their_start(
    admin_client: Client, address: str, typed: str, found: list[str]
) -> None:
    TransmissionFactory.create_for_keys(["Org+A", "Org+a", "Org+á", "X", "X "], rejected=True)

    rows = admin_client.get(address, {"q": typed}).context["cl"].result_list

    keys = [row.transmission.content_key if isinstance(row, TransmissionAttempt) else row.content_key for row in rows]
    assert sorted(keys) == sorted(found)


def test_a_key_is_found_in_all_configurations(admin_client: Client) -> None:
    for name in ("Acme's", "Globex's"):
        TransmissionFactory.create(
            content_key="Org+A", configuration=ConfigurationFactory.create(display_name=name), rejected=True
        )

    page = text_of(admin_client.get(TRANSMISSIONS, {"q": "Org+A"}))

    assert "Acme&#x27;s" in page
    assert "Globex&#x27;s" in page


def test_a_search_without_result_explains_that_keys_are_compared_exactly(admin_client: Client) -> None:
    page = text_of(admin_client.get(TRANSMISSIONS, {"q": "org+<a>"}))

    assert "No results for" in page
    assert "org+&lt;a&gt;" in page
    assert "Keys are compared exactly" in page


def test_attempts_of_a_wide_search_are_of_the_first_items_with_a_note(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MAX_ITEMS", 2)
    TransmissionFactory.create_for_keys(["Org+A", "Org+B", "Org+C"], rejected=True)

    page = text_of(admin_client.get(ATTEMPTS, {"q": "Org"}))

    assert "More than 2 items match" in page
    assert "Org+B" in page
    assert "Org+C" not in page


def test_the_page_of_a_transmission_shows_its_state_and_the_next_step(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)

    page = text_of(admin_client.get(f"{TRANSMISSIONS}{row.pk}/change/"))

    assert "The LMS rejected it: Invalid parameter value detected." in page
    assert "Tried once" in page
    assert "invalidparameter" in page
    assert f"{ATTEMPTS}?transmission__id__exact={row.pk}" in page


@pytest.mark.parametrize(
    "narrowed",
    [
        {"state__exact": "rejected"},
        {"state": "rejected"},
        {"action": "create"},
        {"configuration__channel_code__exact": "MOODLE"},
        {"last_attempt_at_from": "2026-02-28", "last_attempt_at_to": "2026-03-02"},
        # The filter form also sends the filters that were left empty.
        {"configuration__id__exact": "", "configuration__channel_code__exact": "", "last_attempt_at_from": ""},
    ],
    ids=str,
)
def test_transmissions_are_narrowed_down(admin_client: Client, narrowed: dict[str, str]) -> None:
    TransmissionFactory.create(content_key="Org+A", rejected=True)

    assert shown(admin_client, TRANSMISSIONS, **narrowed) == ["Org+A"]


@pytest.mark.parametrize(
    "narrowed",
    [
        {"state__exact": "pending"},
        {"action__exact": "delete"},
        {"configuration__channel_code__exact": "CANVAS"},
        {"last_attempt_at_to": "2026-02-28"},
        {"last_attempt_at_from": "2026-03-02"},
    ],
    ids=str,
)
def test_transmissions_of_another_kind_are_left_out(admin_client: Client, narrowed: dict[str, str]) -> None:
    TransmissionFactory.create(content_key="Org+A", rejected=True)

    assert shown(admin_client, TRANSMISSIONS, **narrowed) == []


@pytest.mark.parametrize("state", [["rejected"], ["rejected", "retrying"]], ids=str)
def test_several_states_can_be_looked_at_together(admin_client: Client, state: list[str]) -> None:
    for kept in ("pending", "rejected", "retrying"):
        TransmissionFactory.create(content_key=kept, **{kept: True})

    assert sorted(shown(admin_client, TRANSMISSIONS, state__exact=state)) == state


def test_a_range_of_days_holds_its_last_day(admin_client: Client) -> None:
    late = datetime.combine(DAY_ONE, datetime.max.time(), tzinfo=DAY_ONE.tzinfo)
    TransmissionFactory.create(content_key="today", rejected=True, last_attempt_at=late)
    TransmissionFactory.create(content_key="tomorrow", rejected=True, last_attempt_at=late + timedelta(seconds=1))

    assert shown(admin_client, TRANSMISSIONS, last_attempt_at_to=f"{DAY_ONE:%Y-%m-%d}") == ["today"]


def test_an_invalid_date_is_reported_and_finds_nothing(admin_client: Client) -> None:
    TransmissionFactory.create(content_key="Org+A", rejected=True)

    page = text_of(admin_client.get(TRANSMISSIONS, {"last_attempt_at_from": "yesterday"}))

    assert "in the format 2026-01-31" in page
    assert "Org+A" not in page


@pytest.mark.parametrize(
    ("address", "by"),
    [
        (TRANSMISSIONS, "configuration__id__exact"),
        (RUNS, "configuration__id__exact"),
        (ATTEMPTS, "run__configuration__id__exact"),
    ],
)
def test_one_configuration_is_found_among_others(admin_client: Client, address: str, by: str) -> None:
    wanted, other = (
        ConfigurationFactory.create(display_name="Wanted"),
        ConfigurationFactory.create(display_name="Other"),
    )
    TransmissionFactory.create(content_key="Org+A", configuration=wanted, rejected=True)
    TransmissionFactory.create(content_key="Org+B", configuration=other, rejected=True)

    response = admin_client.get(address, {by: wanted.pk})

    assert len(response.context["cl"].result_list) == 1
    assert "Wanted" in text_of(response)


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_one_channel_is_found_among_others(admin_client: Client, address: str) -> None:
    retired, *_ = [row.configuration for row in TransmissionFactory.create_batch(3, rejected=True)]
    retired.channel_code = "RETIRED"
    retired.save()
    path = "run__configuration" if address == ATTEMPTS else "configuration"

    assert len(shown(admin_client, address, **{f"{path}__channel_code__exact": "MOODLE"})) == 2


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_a_channel_with_too_many_configurations_shows_the_rows_of_some(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(lists, "MAX_VALUES", 2)
    TransmissionFactory.create_batch(3, rejected=True)
    path = "run__configuration" if address == ATTEMPTS else "configuration"

    assert len(shown(admin_client, address, **{f"{path}__channel_code__exact": "MOODLE"})) == 2


def test_attempts_of_one_transmission_name_it(admin_client: Client) -> None:
    [first, second] = TransmissionFactory.create_for_keys(["Org+A", "Org+B"], rejected=True)

    page = text_of(admin_client.get(ATTEMPTS, {"transmission__id__exact": second.pk}))

    assert "Showing only the rows of transmission" in page
    assert "Org+B" in page
    assert first.content_key not in page


def test_the_newest_attempts_come_first(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)
    for hour in (3, 1, 2):
        started_at = DAY_ONE + timedelta(hours=hour)
        TransmissionAttempt.objects.create(
            transmission=row, run=row.configuration.runs.get(), action="create", started_at=started_at
        )

    rows = admin_client.get(ATTEMPTS).context["cl"].result_list

    assert [(row.started_at - DAY_ONE) / timedelta(hours=1) for row in rows] == [3, 2, 1, 0]


def test_a_run_shows_its_counts_in_words(admin_client: Client) -> None:
    counts = {"create": {"done": 1_312, "in_doubt": 2}, "delete": {"retry": 1}}
    ended = DAY_ONE + timedelta(minutes=4, seconds=10)
    run = RunFactory.create(counts=counts, finished_at=ended, matched=12_000, backlog=17)

    page = text_of(admin_client.get(RUNS))

    assert "create: 1,312 done, 2 in doubt" in page
    assert "delete: 1 retry" in page
    assert "12,000 matched" in page
    assert "17 left for the next run" in page
    assert "4 min 10 s" in page
    assert "create: 1,312 done" in text_of(admin_client.get(f"{RUNS}{run.pk}/change/"))


@pytest.mark.parametrize("narrowed", [{}, {"configuration__id__exact": ""}, {"started_at_from": "2026-03-01"}], ids=str)
def test_the_newest_runs_come_first(admin_client: Client, narrowed: dict[str, str]) -> None:
    configuration = ConfigurationFactory.create()
    older, newer = (
        RunFactory.create(configuration=configuration),
        RunFactory.create(configuration=configuration, stopped=True),
    )

    assert shown(admin_client, RUNS, **narrowed) == [str(newer), str(older)]


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_audit_rows_can_be_neither_added_nor_changed_nor_deleted(admin_client: Client, address: str) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)
    pk = {TRANSMISSIONS: row.pk, ATTEMPTS: row.attempt_rows.get().pk, RUNS: row.configuration.runs.get().pk}[address]

    answers = [
        admin_client.get(f"{address}add/"),
        admin_client.post(f"{address}{pk}/change/", {"state": "deleted"}),
        admin_client.post(f"{address}{pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    row.refresh_from_db()
    assert row.state == "rejected"


@pytest.mark.parametrize(
    ("address", "lookup"),
    [
        (CONFIGURATIONS, "credentials__startswith"),
        (TRANSMISSIONS, "configuration__credentials__startswith"),
        (TRANSMISSIONS, "reason__contains"),
    ],
)
def test_unknown_filters_are_rejected(admin_client: Client, address: str, lookup: str) -> None:
    assert admin_client.get(address, {lookup: "g"}).status_code == 400


def test_the_secret_is_on_no_page(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    row = TransmissionFactory.create(content_key="Org+A", configuration=configuration, rejected=True)
    addresses = [
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

    for address in addresses:
        page = text_of(admin_client.get(address))
        assert SECRET not in page
        assert configuration.credentials not in page


def test_staff_without_a_permission_sees_nothing(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))

    assert [client.get(address).status_code for address in LISTS] == [403] * 4
    assert "Transmissions" not in text_of(client.get("/admin/"))


def test_staff_with_a_permission_to_view_sees_and_changes_nothing(client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)
    staff = get_user_model().objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(staff)
    configuration = f"{CONFIGURATIONS}{row.configuration_id}/change/"

    answers = [text_of(client.get(address)) for address in (*LISTS, f"{TRANSMISSIONS}{row.pk}/change/", configuration)]

    assert all(SECRET not in page and row.configuration.credentials not in page for page in answers)
    assert client.post(configuration, {"display_name": "New"}).status_code == 403
    assert "sync_now" not in answers[LISTS.index(CONFIGURATIONS)]
    assert "queue_again" not in answers[LISTS.index(TRANSMISSIONS)]
    client.post(TRANSMISSIONS, {"action": "queue_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.state == "rejected"


def test_failed_items_are_sent_again_on_demand(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    dead = TransmissionFactory.create(content_key="Org+A", configuration=configuration, dead_letter=True, attempts=10)
    [fine] = [
        row for row in TransmissionFactory.create_for_keys(["Org+B"], configuration=configuration) if row.pk != dead.pk
    ]

    response = run(admin_client, TRANSMISSIONS, "queue_again", [dead.pk, fine.pk])

    message = "1 transmission queued for the next sync; 1 skipped (already queued, or nothing to send)."
    assert message in text_of(response)
    for row, state in ((dead, "pending"), (fine, "pending")):
        row.refresh_from_db()
        assert row.state == state
    assert dead.reason == "Queued again by a user. Previous reason: Invalid parameter value detected."
