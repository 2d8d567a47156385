"""Actions on configurations and items: permission, exact count, decision, and effect; on pages and on lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.admin import configuration_actions
from enterprise_catalog.integrated_channels.admin.configuration_actions import ConfigurationActions
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Decision,
    Operation,
)
from tests.admin_pages.list_actions import answer, ask, count_on, messages_of, run
from tests.factories.channels import ConfigurationFactory, OperationFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS, filled_in, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

#: Action of the configurations' page -> the group's members that may run it.
OPERATOR_ONLY = (
    "sync_now",
    "compare_everything",
    "approve_deletes",
    "keep_held",
    "delete_kept",
    "resend_all",
    "pause",
    "resume",
    "check_connections",
    "check_drift",
    "adopt_items",
)


def member_of(group: str) -> Client:
    """Return a client that is logged in as a new staff user of a group."""
    user = get_user_model().objects.create_user(group, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def action_page(row: Any, action: str) -> str:
    return f"/admin/integrated_channels/{row._meta.model_name}/{row.pk}/action/{action}/"


def buttons_on(client: Client, address: str) -> list[str]:
    """Return the names of the actions that a page offers."""
    return [button.name for button in client.get(address).context["object_actions"]]


def states_of(configuration: ChannelConfiguration) -> dict[str, str]:
    return dict(ContentMetadataItemTransmission.objects.of(configuration).values_list("content_key", "state"))


@pytest.fixture
def configuration() -> ChannelConfiguration:
    """A configuration with items in each state that needs a decision."""
    configuration = ConfigurationFactory.create(display_name="Acme's Moodle")
    for state, keys in {"held": "ab", "kept": "k", "dead_letter": "d", "transmitted": "t"}.items():
        TransmissionFactory.create_for_keys(keys, configuration=configuration, **{state: True})
    return configuration


@pytest.mark.parametrize("action", [*OPERATOR_ONLY, "requeue_dead_letters", "preview"])
@pytest.mark.parametrize("group", ["Integration auditor", "Integration support"])
def test_each_action_is_refused_without_its_permission(
    configuration: ChannelConfiguration, group: str, action: str
) -> None:
    client = member_of(group)
    is_allowed = action == "preview" or (group == "Integration support" and action == "requeue_dead_letters")

    status = client.get(action_page(configuration, action)).status_code
    posted = client.post(action_page(configuration, action), {"confirmation": "x"}).status_code

    assert (status, posted) == ((200, 302) if is_allowed else (403, 403))
    assert not Decision.objects.exists()


def test_pages_offer_only_what_the_user_may_do(configuration: ChannelConfiguration) -> None:
    page = f"{CONFIGURATIONS}{configuration.pk}/change/"
    held = ContentMetadataItemTransmission.objects.get(content_key="a")

    assert buttons_on(member_of("Integration auditor"), page) == ["preview"]
    support = member_of("Integration support")
    assert buttons_on(support, page) == ["requeue_dead_letters", "preview"]
    assert buttons_on(support, f"{TRANSMISSIONS}{held.pk}/change/") == []
    operator = member_of("Integration operator")
    assert {*buttons_on(operator, page)} == {*OPERATOR_ONLY, "requeue_dead_letters", "preview"} - {"resume"}
    assert buttons_on(operator, f"{TRANSMISSIONS}{held.pk}/change/") == ["approve_chosen", "keep_chosen"]


def test_comparing_everything_is_requested_and_queued(configuration: ChannelConfiguration) -> None:
    client, page = member_of("Integration operator"), action_page(configuration, "compare_everything")

    answer(client, page, client.get(page))

    configuration.refresh_from_db()
    assert configuration.full_comparison_requested_at is not None
    assert configuration.full_comparison_requested_at == configuration.next_sync_at


def test_approving_deletes_is_a_permission_of_its_own(configuration: ChannelConfiguration) -> None:
    client = member_of("Integration operator")
    group = Group.objects.get(name="Integration operator")
    group.permissions.remove(group.permissions.get(codename="approve_deletes"))

    assert client.get(action_page(configuration, "approve_deletes")).status_code == 403
    assert client.get(action_page(configuration, "pause")).status_code == 200


@pytest.mark.parametrize(
    ("action", "count", "changed", "decided"),
    [
        ("approve_deletes", "2 transmissions", {"a": "pending", "b": "pending"}, "approve_deletes"),
        ("keep_held", "2 transmissions", {"a": "kept", "b": "kept"}, "keep_items"),
        ("delete_kept", "1 transmission", {"k": "pending"}, "delete_kept"),
        ("requeue_dead_letters", "1 transmission", {"d": "pending"}, "requeue"),
    ],
)
def test_an_action_of_a_page_asks_with_the_exact_count_and_is_recorded(
    configuration: ChannelConfiguration, action: str, count: str, changed: dict[str, str], decided: str
) -> None:
    client, before, page = (
        member_of("Integration operator"),
        states_of(configuration),
        action_page(configuration, action),
    )
    TransmissionFactory.create_for_keys("xy", held=True)

    question = client.get(page)
    unchanged = states_of(configuration) == before
    answer(client, page, question, reason="Contract ended.")

    assert (count_on(question), unchanged) == (count, True)
    assert states_of(configuration) == before | changed
    decision = Decision.objects.get()
    assert (decision.action, decision.made_by, decision.reason) == (decided, "Integration operator", "Contract ended.")
    assert (decision.items, decision.sample) == (len(changed), sorted(changed))
    entry = LogEntry.objects.get()
    assert entry.change_message.endswith("Contract ended.")


def test_one_held_item_is_approved_and_another_kept(configuration: ChannelConfiguration) -> None:
    client = member_of("Integration operator")
    first, second = ContentMetadataItemTransmission.objects.filter(state="held").order_by("content_key")

    run(client, TRANSMISSIONS, "approve_chosen", [first.pk])
    run(client, TRANSMISSIONS, "keep_chosen", [second.pk])

    assert states_of(configuration) | {"a": "pending", "b": "kept"} == states_of(configuration)


def test_all_items_that_fail_for_the_same_reason_are_sent_again_and_no_others() -> None:
    configuration, other = ConfigurationFactory.create(), ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abc", configuration=configuration, rejected=True, reason="No title.")
    TransmissionFactory.create_for_keys("d", configuration=configuration, rejected=True, reason="Too long.")
    TransmissionFactory.create_for_keys("e", configuration=other, rejected=True, reason="No title.")
    client, row = member_of("Integration support"), ContentMetadataItemTransmission.objects.get(content_key="a")

    question = client.get(action_page(row, "queue_same_failures"))
    answer(client, action_page(row, "queue_same_failures"), question)

    assert count_on(question) == "3 transmissions"
    assert states_of(configuration) == {"a": "pending", "b": "pending", "c": "pending", "d": "rejected"}
    assert states_of(other) == {"e": "rejected"}


def test_a_pause_needs_a_reason_and_stops_the_schedule_until_it_is_resumed(
    configuration: ChannelConfiguration,
) -> None:
    client, page = member_of("Integration operator"), action_page(configuration, "pause")

    refused = answer(client, page, client.get(page))
    still_active = type(configuration).objects.get().active
    answer(client, page, refused, reason="LMS migration.")

    assert "Enter a reason." in text_of(refused)
    assert still_active
    configuration.refresh_from_db()
    assert (configuration.active, configuration.pause_reason) == (False, "LMS migration.")
    assert configuration.paused_at is not None
    answer(client, action_page(configuration, "resume"), client.get(action_page(configuration, "resume")))
    configuration.refresh_from_db()
    resumed = type(configuration).objects.filter(active=True, pause_reason="", paused_at=None)
    assert resumed.exists()
    assert [*Decision.objects.order_by("pk").values_list("action", "reason")] == [
        ("pause", "LMS migration."),
        ("resume", ""),
    ]


def test_the_second_of_two_users_sees_that_everything_is_decided(configuration: ChannelConfiguration) -> None:
    first, second = member_of("Integration operator"), member_of("Integration support")
    second_user = get_user_model().objects.get(username="Integration support")
    second_user.groups.add(Group.objects.get(name="Integration operator"))
    page = action_page(configuration, "approve_deletes")
    questions = first.get(page), second.get(page)

    answer(first, page, questions[0])
    response = answer(second, page, questions[1])

    assert messages_of(response) == ["2 skipped (changed since you confirmed)."]
    assert Decision.objects.get().made_by == "Integration operator"


def test_the_confirmation_of_one_user_is_worth_nothing_to_another(configuration: ChannelConfiguration) -> None:
    first, second = member_of("Integration operator"), member_of("Integration support")
    page = action_page(configuration, "requeue_dead_letters")

    response = answer(second, page, first.get(page))

    assert "does not belong to this action" in messages_of(response)[0]
    assert not Decision.objects.exists()


def test_after_an_action_the_user_is_back_on_the_page_that_offered_it(configuration: ChannelConfiguration) -> None:
    client = member_of("Integration operator")
    button = client.get(f"{CONFIGURATIONS}{configuration.pk}/change/").context["object_actions"][0]

    response = answer(client, button.url, client.get(button.url))
    elsewhere = f"{action_page(configuration, 'keep_held')}?next=https://evil.example.org/"
    refused = client.get(elsewhere, follow=True)

    assert response.request["PATH_INFO"] == f"{CONFIGURATIONS}{configuration.pk}/change/"
    assert refused.request["PATH_INFO"] == f"{CONFIGURATIONS}{configuration.pk}/change/"


@pytest.mark.parametrize("kind", ["preview", "check_drift", "adopt_items"])
def test_a_long_action_is_started_once_and_its_page_is_shown(configuration: ChannelConfiguration, kind: str) -> None:
    client, page = member_of("Integration operator"), action_page(configuration, kind)

    first = answer(client, page, client.get(page))
    second = answer(client, page, client.get(page))

    operation = Operation.objects.get()
    assert first.request["PATH_INFO"] == second.request["PATH_INFO"] == f"/admin/operations/{operation.pk}/"
    assert "Waiting for a worker." in text_of(first)


def test_resend_all_names_the_number_of_items_and_needs_a_reason(configuration: ChannelConfiguration) -> None:
    client, page = member_of("Integration operator"), action_page(configuration, "resend_all")

    question = client.get(page)
    answer(client, page, question, reason="Restored from a backup.")

    assert "2 items are sent to the LMS again: d, t" in text_of(question)
    decision = Decision.objects.get()
    assert (decision.action, decision.items, decision.sample) == ("resend_all", 2, ["d", "t"])
    assert Operation.objects.get().decision == decision


def test_a_stopped_operation_is_shown_as_stopped(admin_client: Client) -> None:
    operation = OperationFactory.create(running=True, done=3, total=10)

    page = text_of(admin_client.get(f"/admin/operations/{operation.pk}/"))

    assert "the worker stopped" in page
    assert "data-live" not in page


def test_slow_connections_leave_others_unchecked(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [ConfigurationFactory.create(display_name=name, base_url="http://127.0.0.1:9") for name in ("A", "B")]
    monkeypatch.setattr(configuration_actions, "MAX_SECONDS", 0)

    response = run(admin_client, CONFIGURATIONS, "check_connections", [row.pk for row in rows])

    assert messages_of(response)[1] == "“B”: Not checked, because the other checks took too long. Check it again."


def test_an_action_on_several_configurations_is_recorded_for_each(admin_client: Client) -> None:
    rows = [ConfigurationFactory.create() for _ in range(2)]
    question = ask(admin_client, CONFIGURATIONS, "pause", [row.pk for row in rows])

    response = answer(admin_client, CONFIGURATIONS, question, reason="Holidays.")

    assert messages_of(response) == ["2 channel configurations paused."]
    assert {*Decision.objects.values_list("configuration", flat=True)} == {row.pk for row in rows}


def test_new_credentials_are_recorded_and_the_form_does_not_switch_a_configuration(admin_client: Client) -> None:
    configuration = ConfigurationFactory.create()
    form = filled_in(base_url=configuration.base_url, credentials={"token": "a-newer-token"})
    del form["active"]

    admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", form)
    admin_client.post(f"{CONFIGURATIONS}{configuration.pk}/change/", form | {"credentials-token": ""})

    decided = Decision.objects.order_by("pk").values_list("action", "made_by")
    assert [*decided] == [("replace_credentials", "admin")]
    configuration.refresh_from_db()
    assert configuration.active


def test_the_status_is_refreshed_once_for_all_batches_of_a_decision(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, held=True)
    options = vars(ConfigurationActions.keep_held)
    monkeypatch.setitem(options, "running", replace(options["running"], batch_size=2))

    with CaptureQueriesContext(connection) as captured:
        run(admin_client, CONFIGURATIONS, "keep_held", [configuration.pk])

    assert Decision.objects.count() == 3
    assert sum("INSERT INTO" in query["sql"] and "rank" in query["sql"] for query in captured) == 1
    assert ConfigurationStatus.objects.get(pk=configuration.pk).kept == 5
