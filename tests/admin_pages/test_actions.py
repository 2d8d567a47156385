"""Actions run on exactly the rows that their confirmation page names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from enterprise_catalog.admin_pages.actions import confirmation, confirmed_actions, declaration
from enterprise_catalog.admin_pages.actions.confirmed_actions import ConfirmedActions
from enterprise_catalog.admin_pages.lists import paginator
from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment, EnterpriseCustomer
from enterprise_catalog.integrated_channels.admin import configuration_actions
from enterprise_catalog.integrated_channels.admin.transmission_actions import TransmissionActions
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from tests.admin_pages.crawler import AdminCrawler, all_models, base_of
from tests.admin_pages.list_actions import answer, ask, count_on, messages_of, run
from tests.admin_pages.rows import a_row_of_everything
from tests.factories.catalog import CustomerFactory
from tests.factories.channels import ConfigurationFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

GROUPS = "/admin/auth/group/"
CUSTOMERS = "/admin/catalog/enterprisecustomer/"
TASKS = "/admin/django_celery_beat/periodictask/"
#: Prefixes of SQL statements that write. The test below ignores writes to ``django_session``.
WRITES = ("INSERT", "UPDATE", "DELETE")


def rejected(count: int) -> list[ContentMetadataItemTransmission]:
    return TransmissionFactory.create_for_keys([f"Org+{number:05}" for number in range(count)], rejected=True)


def states() -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in ContentMetadataItemTransmission.objects.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def actions_of_all_pages() -> list[tuple[type[Any], str]]:
    """Return each action of each model's list, as the site offers it to a superuser."""
    request = RequestFactory().get("/admin/")
    request.user = get_user_model()(is_superuser=True, is_active=True, is_staff=True)
    return [(model, name) for model in all_models() for name in admin.site.get_model_admin(model).get_actions(request)]


def test_every_action_of_every_page_requires_confirmation_and_then_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration_actions, "check_connection", lambda _configuration, **_options: [])
    a_row_of_everything()
    found = actions_of_all_pages()
    crawler = AdminCrawler("root", is_superuser=True)
    asked = []

    for model, name in found:
        keys = [model._default_manager.order_by("pk").values_list("pk", flat=True).first()]
        with CaptureQueriesContext(connection) as captured:
            question = ask(crawler.client, base_of(model), name, keys)
        written = [query["sql"] for query in captured if query["sql"].startswith(WRITES)]
        assert not [sql for sql in written if "django_session" not in sql], f"{name} of {model._meta.label} did not ask"
        if "confirmation" in (question.context or {}):
            asked.append(name)
            with transaction.atomic():
                response = answer(crawler.client, base_of(model), question, reason="A test.")
                transaction.set_rollback(True)
            assert response.status_code == 200, f"{name} of {model._meta.label}"
            assert "changed since" not in "".join(messages_of(response))
    names = {name for _, name in found}

    assert {"delete_selected", "queue_again", "sync_now", "enable_tasks", "run_tasks"} <= names
    # The first configuration and its items are neither held, kept nor dead letters: nothing to confirm.
    idle = {"approve_deletes", "approve_chosen", "keep_held", "keep_chosen", "delete_kept", "requeue_dead_letters"}
    assert names - set(asked) == idle


def test_every_page_has_the_confirmation_and_no_action_besides_the_lists() -> None:
    for model in all_models():
        page: Any = admin.site.get_model_admin(model)
        assert issubclass(type(page), ConfirmedActions)
        assert not [*page.actions_list, *page.actions_row, *page.actions_detail]


def test_an_action_on_all_rows_names_their_true_number_beyond_the_lists_limit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "MAX_ROWS", 20)
    rows = rejected(75)

    page = admin_client.get(TRANSMISSIONS).content.decode()
    question = ask(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk], across=True)
    before = states()
    response = answer(admin_client, TRANSMISSIONS, question)

    assert "Select all of the more than 20 transmissions" in page
    assert "Select all 20" not in page
    assert count_on(question) == "75 transmissions"
    assert "Org+00009" in question.content.decode()
    assert "Org+00010" not in question.content.decode()
    assert "and 65 more" in question.content.decode()
    assert before == {"rejected": 75}
    assert states() == {"pending": 75}
    assert messages_of(response) == ["75 transmissions queued for the next sync."]


def test_rows_that_appear_after_the_question_are_not_touched(admin_client: Client) -> None:
    first = rejected(3)
    question = ask(admin_client, TRANSMISSIONS, "queue_again", [first[0].pk], across=True)
    later = TransmissionFactory.create_for_keys(["Org+later"], configuration=first[0].configuration, rejected=True)[-1]

    answer(admin_client, TRANSMISSIONS, question)

    later.refresh_from_db()
    assert later.state == "rejected"
    assert states() == {"pending": 3, "rejected": 1}


def test_rows_that_no_longer_match_the_filter_are_left_alone_and_reported(admin_client: Client) -> None:
    rows = rejected(3)
    address = f"{TRANSMISSIONS}?state__exact=rejected"
    question = ask(admin_client, address, "queue_again", [rows[0].pk], across=True)
    ContentMetadataItemTransmission.objects.filter(pk=rows[1].pk).update(state="transmitted")

    response = answer(admin_client, address, question)

    assert states() == {"pending": 2, "transmitted": 1}
    assert messages_of(response) == [
        "2 transmissions queued for the next sync; 1 skipped (changed since you confirmed)."
    ]


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_repeated_after_a_deadlock(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rejected(3)
    calls: list[int] = []
    queue_again = decisions.queue_again

    def fails_at_first(chosen: Any, **options: Any) -> int:
        number = queue_again(chosen, **options)
        calls.append(number)
        if len(calls) == 1:
            raise OperationalError(1213, "Deadlock found")
        return number

    monkeypatch.setattr(decisions, "queue_again", fails_at_first)

    response = run(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk], across=True)

    assert (calls, states()) == ([3, 3], {"pending": 3})
    assert messages_of(response) == ["3 transmissions queued for the next sync."]


def test_a_large_action_runs_in_batches_with_a_transaction_each(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rejected(25)
    sizes: list[int] = []
    queue_again = decisions.queue_again

    def fails_with_the_third(chosen: Any, **options: Any) -> int:
        sizes.append(chosen.count())
        number = queue_again(chosen, **options)
        if len(sizes) == 3:
            raise OperationalError(1213, "Deadlock found")
        return number

    monkeypatch.setattr(decisions, "queue_again", fails_with_the_third)
    monkeypatch.setitem(vars(TransmissionActions.queue_again), "running", declaration.Running(batch_size=10))

    response = run(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk], across=True)

    assert sizes == [10, 10, 5]
    assert states() == {"pending": 20, "rejected": 5}
    messages = messages_of(response)
    assert "20 transmissions queued for the next sync." in messages
    assert any("stopped after 20 of 25 rows" in message for message in messages)


def test_an_action_refuses_more_rows_than_it_accepts(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rejected(3)
    monkeypatch.setitem(vars(TransmissionActions.queue_again), "running", declaration.Running(max_rows=2))

    response = ask(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk], across=True)

    assert "accepts at most 2 rows at once" in messages_of(response)[0]
    assert states() == {"rejected": 3}


def test_keys_that_do_not_fit_into_a_form_are_refused(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rejected(3)
    monkeypatch.setattr(confirmation, "MAX_LENGTH", 20)

    response = ask(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk], across=True)

    assert "3 rows are too many" in messages_of(response)[0]


def test_the_keys_of_a_quarter_of_a_million_rows_fit_into_a_form() -> None:
    scattered = tuple(number * 97 + number % 89 for number in range(250_000))

    text = confirmation.Confirmation("table", scattered).sign()

    assert confirmation.Confirmation.read(text, subject="table").keys == scattered


@pytest.mark.parametrize("what", ["changed", "of another action", "of another user", "expired"])
def test_a_confirmation_that_is_not_this_ones_runs_nothing(
    admin_client: Client, client: Client, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    rows = rejected(3)
    question = ask(admin_client, TRANSMISSIONS, "queue_again", [rows[0].pk])
    text = question.context["confirmation"]
    sender, action, address = admin_client, "queue_again", TRANSMISSIONS
    match what:
        case "changed":
            text = f"{text[:-3]}abc"
        case "of another action":
            action, address = "sync_now", CONFIGURATIONS
        case "of another user":
            client.force_login(get_user_model().objects.create_superuser("other"))
            sender = client
        case "expired":
            monkeypatch.setattr(confirmation, "MAX_AGE_SECONDS", -1)
    form = {"action": action, "index": "0", "select_across": "1", "_selected_action": "1", "confirmation": text}

    response = sender.post(address, form, follow=True)

    assert "has expired or does not belong to this action" in messages_of(response)[0]
    assert states() == {"rejected": 3}


def test_held_deletes_are_counted_and_named_before_they_are_approved(admin_client: Client) -> None:
    chosen, other = (
        ConfigurationFactory.create(display_name="Chosen"),
        ConfigurationFactory.create(display_name="Other"),
    )
    for configuration in (chosen, other):
        TransmissionFactory.create_for_keys(["Org+A", "Org+B"], configuration=configuration, held=True)

    question = ask(admin_client, CONFIGURATIONS, "approve_deletes", [chosen.pk])
    TransmissionFactory.create(content_key="Org+C", configuration=chosen, held=True)
    answer(admin_client, CONFIGURATIONS, question)

    assert count_on(question) == "2 transmissions"
    assert "Org+B" in question.content.decode()
    rows = ContentMetadataItemTransmission.objects.of(chosen)
    assert dict(rows.values_list("content_key", "state")) == {"Org+A": "pending", "Org+B": "pending", "Org+C": "held"}


def test_rows_are_deleted_after_a_page_that_names_what_goes_with_them(admin_client: Client) -> None:
    role = CatalogRole.objects.create(name="auditor")
    user = get_user_model().objects.create_user("reader")
    CatalogRoleAssignment.objects.create(user=user, role=role)
    address = base_of(CatalogRole)

    question = ask(admin_client, address, "delete_selected", [role.pk])
    response = answer(admin_client, address, question)

    assert "Also deleted: catalog role assignments (1)." in question.content.decode()
    assert "1 catalog role deleted." in messages_of(response)[0]
    assert not CatalogRole.objects.filter(pk=role.pk).exists()


def test_a_deletion_is_confirmed_again_if_it_would_delete_further_rows(admin_client: Client) -> None:
    role, kept = CatalogRole.objects.create(name="auditor"), CatalogRole.objects.create(name="kept")
    address = base_of(CatalogRole)
    question = ask(admin_client, address, "delete_selected", [role.pk])
    CatalogRoleAssignment.objects.create(user=get_user_model().objects.create_user("reader"), role=role)

    again = answer(admin_client, address, question)
    exists = CatalogRole.objects.filter(pk=role.pk).exists()
    answer(admin_client, address, again)

    assert count_on(again) == "1 catalog role"
    assert CatalogRole.objects.filter(pk=kept.pk).exists()
    assert "The rows have changed since you opened this page." in again.content.decode()
    assert exists
    assert not CatalogRole.objects.filter(pk=role.pk).exists()


def test_rows_whose_deletion_takes_more_than_the_user_may_delete_are_kept() -> None:
    role = CatalogRole.objects.create(name="auditor")
    CatalogRoleAssignment.objects.create(user=get_user_model().objects.create_user("reader"), role=role)
    crawler = AdminCrawler("staff", "catalog.view_catalogrole", "catalog.delete_catalogrole")

    question = ask(crawler.client, base_of(CatalogRole), "delete_selected", [role.pk])
    again = answer(crawler.client, base_of(CatalogRole), question)

    for page in (question.content.decode(), again.content.decode()):
        assert "is not possible for 1 catalog role." in page
        assert "which would also be deleted" in page
        assert "Run on" not in page
    assert CatalogRole.objects.filter(pk=role.pk).exists()


def test_more_rows_than_a_form_has_fields_are_deleted_at_once(admin_client: Client) -> None:
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(1_100))

    response = run(admin_client, GROUPS, "delete_selected", ["1"], across=True)

    assert messages_of(response) == ["1,100 groups deleted."]
    assert not Group.objects.exists()


def test_actions_of_other_packages_are_for_those_who_may_change_rows() -> None:
    a_row_of_everything()
    viewer = AdminCrawler("viewer", "view_")
    enabled = set(PeriodicTask.objects.filter(enabled=True).values_list("pk", flat=True))

    page = viewer.client.get(TASKS).content.decode()
    ask(viewer.client, TASKS, "disable_tasks", ["1"], across=True)

    assert "disable_tasks" not in page
    assert set(PeriodicTask.objects.filter(enabled=True).values_list("pk", flat=True)) == enabled


def test_each_batch_of_a_third_party_action_reports_its_result_up_to_a_limit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmed_actions, "MAX_MESSAGES", 1)
    for number in range(3):
        ConfigurationFactory.create(display_name=f"Off {number}", active=False)

    response = run(admin_client, CONFIGURATIONS, "sync_now", ["1"], across=True)

    assert len(messages_of(response)) == 2
    assert messages_of(response)[1] == "2 more messages are not shown."


def test_a_page_of_keys_that_are_no_numbers_confirms_too(admin_client: Client) -> None:
    customers = [CustomerFactory.create(name=name) for name in ("Acme", "Globex")]

    response = run(admin_client, CUSTOMERS, "delete_selected", [customers[0].pk])

    assert messages_of(response) == ["1 enterprise customer deleted."]
    assert [customer.name for customer in EnterpriseCustomer.objects.all()] == ["Globex"]
