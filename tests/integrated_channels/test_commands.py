"""Tests of ``create_channel``, ``sync_channels`` and ``show_transmissions``."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

pytestmark = pytest.mark.django_db(transaction=True)

#: First words of all statements of a command that writes nothing. ``BEGIN`` and ``COMMIT`` belong to consistent reads.
READING = {"BEGIN", "SELECT", "COMMIT"}

CUSTOMER = "22222222-2222-4222-8222-222222222222"


SKIP = "--skip-customer-check"


def create_channel(*flags: str, **options: str) -> None:
    arguments = {
        "--channel": "MOODLE",
        "--customer-uuid": CUSTOMER,
        "--base-url": "https://moodle.example.org",
        "--credentials": '{"token": "a token"}',
    } | options
    call_command("create_channel", *(part for pair in arguments.items() for part in pair), *flags)


def create(capsys: pytest.CaptureFixture[str], *flags: str, **options: str) -> int:
    create_channel(*flags, **options)
    return int(capsys.readouterr().out)


def synced(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of ``sync_channels --json`` and its JSON lines."""
    code = 0
    try:
        call_command("sync_channels", "--json", *arguments)
    except SystemExit as error:
        code = int(str(error.code))
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_create_channel_stores_a_name_and_refuses_one_that_is_too_long() -> None:
    create_channel("--skip-customer-check", **{"--display-name": "Acme's Moodle"})

    assert ChannelConfiguration.objects.get().display_name == "Acme's Moodle"
    with pytest.raises(CommandError, match="has more than 255 characters"):
        create_channel("--skip-customer-check", **{"--display-name": "x" * 256})


def test_create_channel_saves_a_configuration_and_prints_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    pk = create(capsys, SKIP, **{"--settings": '{"category_id": 7}', "--catalog-uuid": CUSTOMER})

    configuration = ChannelConfiguration.objects.get(pk=pk)
    assert (configuration.channel_code, configuration.settings) == ("MOODLE", {"category_id": 7})
    assert configuration.catalog_uuids == [CUSTOMER]
    assert decrypt(configuration.credentials) == {"token": "a token"}
    assert "a token" not in configuration.credentials


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--channel", "NONE", "MOODLE"),
        ("--customer-uuid", "no", "is not a UUID"),
        ("--base-url", "ftp://x", "is not an http or https URL"),
        ("--base-url", "https://user:hunter2@moodle.test", "must not contain a user name or password"),
        ("--settings", "[]", "must be a JSON object"),
        ("--settings", '{"category": 1}', "category: Extra inputs are not permitted"),
        ("--credentials", "{}", "give a token, or a username and a password"),
        ("--credentials", '{"token": 5}', "token: Input should be a valid string"),
    ],
)
def test_create_channel_names_what_is_wrong(
    capsys: pytest.CaptureFixture[str], option: str, value: str, named: str
) -> None:
    with pytest.raises(CommandError, match=named):
        create(capsys, **{option: value})

    assert not ChannelConfiguration.objects.exists()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"--base-url": "https://Moodle.example.org/"},
        {"--credentials": '{"token": "another token"}'},
        {"--settings": '{"category_id": 1}'},
    ],
)
def test_create_channel_refuses_what_exists_already(
    capsys: pytest.CaptureFixture[str], options: dict[str, str]
) -> None:
    pk = create(capsys, SKIP)

    with pytest.raises(CommandError, match=f"Configuration {pk} already syncs the same catalogs") as raised:
        create(capsys, SKIP, **options)

    assert raised.value.returncode == 2
    assert ChannelConfiguration.objects.count() == 1


@pytest.mark.parametrize(
    "options",
    [
        {"--customer-uuid": "33333333-3333-4333-8333-333333333333"},
        {"--base-url": "https://moodle.example.org/other"},
        {"--settings": '{"category_id": 2}'},
        {"--catalog-uuid": CUSTOMER},
    ],
)
def test_create_channel_makes_what_differs(capsys: pytest.CaptureFixture[str], options: dict[str, str]) -> None:
    create(capsys, SKIP)

    create(capsys, SKIP, **options)

    assert ChannelConfiguration.objects.count() == 2


def test_create_channel_detects_a_mistyped_customer_or_catalog(
    capsys: pytest.CaptureFixture[str], customer: EnterpriseCustomer
) -> None:
    mistyped = "99999999-9999-4999-8999-999999999999"
    catalog = CatalogFactory.create(courses=1, customer=customer)

    for options, problem in (
        ({"--customer-uuid": mistyped}, f"has no customer {mistyped}. Check the UUID."),
        ({"--customer-uuid": str(customer.pk), "--catalog-uuid": mistyped}, f"has no catalog {mistyped}. Check"),
    ):
        with pytest.raises(CommandError, match=problem) as raised:
            create(capsys, **options)
        assert raised.value.returncode == 2
    pk = create(capsys, **{"--customer-uuid": str(customer.pk), "--catalog-uuid": str(catalog.pk)})

    assert ChannelConfiguration.objects.get().pk == pk


def test_create_channel_warns_if_it_cannot_check_the_customer(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = f"http://127.0.0.1:{free_port()}"

    create_channel()

    printed = capsys.readouterr()
    assert printed.out.strip() == str(ChannelConfiguration.objects.get().pk)
    assert printed.err.startswith("The customer was not checked. The token endpoint")


def test_sync_channels_prints_counts_by_action_and_outcome(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(courses=2, customer=customer)

    code, [report] = synced(capsys)

    assert code == 0
    assert report.pop("run_id")
    assert report == {
        "configuration_id": configuration.pk,
        "channel": "MOODLE",
        "state": "complete",
        "reason": "",
        "comparison": "first",
        "counts": {"create": {"done": 2}},
        "matched": 0,
        "waiting": 0,
        "dead": 0,
        "held": 0,
        "kept": 0,
        "staged": 0,
        "backlog": 0,
        "pending": 0,
        "oldest_pending_since": None,
        "failing": 0,
        "oldest_failing_since": None,
    }


def test_sync_channels_exits_with_1_when_something_failed(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses"))

    code, [report] = synced(capsys, "--configuration", str(configuration.pk))

    assert (code, report["state"], report["counts"]) == (1, "incomplete", {"create": {"retry": 1}})


def test_sync_channels_exits_with_0_when_items_were_only_rejected(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(content=[CourseFactory.build(key="A", title=None)], customer=customer)

    code, [report] = synced(capsys, "--configuration", str(configuration.pk))

    assert (code, report["state"], report["counts"]) == (0, "complete_except", {"create": {"rejected": 1}})


def test_sync_channels_refuses_a_configuration_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="there is no active configuration 99") as refused:
        call_command("sync_channels", "--configuration", "99")

    assert refused.value.returncode == 2


@pytest.mark.usefixtures("configuration")
def test_a_dry_run_prints_the_plan_with_reasons_and_writes_nothing(
    customer: EnterpriseCustomer, moodle: MoodleSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)

    with CaptureQueriesContext(connection) as captured:
        code, [report] = synced(capsys, "--dry-run")

    assert code == 0
    assert report["items"] == [{"content_key": "A", "action": "create", "reason": "new in the catalogs"}]
    assert {query["sql"].split()[0] for query in captured} == READING
    assert not moodle.calls


@pytest.mark.usefixtures("configuration")
def test_a_dry_run_after_an_unchanged_run_prints_the_whole_plan_and_writes_nothing(
    customer: EnterpriseCustomer, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(courses=2, customer=customer)
    synced(capsys)
    synced(capsys)

    with CaptureQueriesContext(connection) as captured:
        _, [plan] = synced(capsys, "--dry-run")
    _, [run] = synced(capsys)

    assert (plan["state"], plan["matched"], plan["items"]) == ("planned", 2, [])
    assert {query["sql"].split()[0] for query in captured} == READING
    reason = "Nothing has changed in the catalogs since the last complete run."
    assert (run["state"], run["reason"], run["matched"]) == ("complete", reason, 2)


@pytest.mark.usefixtures("configuration")
def test_show_transmissions_shows_why_an_item_is_missing(
    customer: EnterpriseCustomer, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(content=["A", CourseFactory.build(key="B", title=None)], customer=customer)
    synced(capsys)

    call_command("show_transmissions", "--content-key", "B", "--json")

    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["content_key"], row["state"]) == ("B", "rejected")
    assert row["reason"] == "The item has no title; Moodle needs one."
    assert ContentMetadataItemTransmission.objects.count() == 2


def test_a_configuration_that_cannot_work_leaves_the_others_their_turn(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    wrong_settings, unreadable, _ = configure(), configure(), configure()
    wrong_settings.settings, unreadable.credentials = {"category_id": "first"}, "not what we encrypted"
    for configuration in (wrong_settings, unreadable):
        configuration.save()

    code, reports = synced(capsys)

    assert (code, [report["state"] for report in reports]) == (1, ["stopped", "stopped", "complete"])
    assert list(moodle.offered()) == ["A"]


@pytest.mark.parametrize(
    ("command", "during"),
    [
        ("sync_channels", "core_course_create_courses"),
        ("check_drift", "core_course_get_courses"),
        ("adopt", "core_course_get_courses"),
        ("test_channel", "core_webservice_get_site_info"),
    ],
)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_after_the_current_call_and_gives_the_lease_back(  # noqa: PLR0917  (one for each fixture)
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    capfd: pytest.CaptureFixture[str],
    command: str,
    during: str,
    number: int,
    code: int,
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure(chunk_size=1)
    moodle.faults.sleep = lambda _: os.kill(os.getpid(), number)
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation=during))

    with pytest.raises(SystemExit) as ended:
        call_command(command, configuration=configuration.pk)

    assert ended.value.code == code
    sentences = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Interrupted")]
    assert sentences == [
        "Interrupted: the command ends after the current call to the LMS, or at once if interrupted again."
    ]
    assert moodle.calls[during] == 1
    assert SyncLease.objects.get().expires_at is None


def test_explain_says_why_a_course_is_missing_and_what_to_do(
    customer: EnterpriseCustomer, configuration: ChannelConfiguration, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    call_command("explain", customer_uuid=customer.pk, content_key="edX+DemoX", ask_lms=True)
    lines = capsys.readouterr().out.splitlines()
    call_command("explain", customer_uuid=customer.pk, content_key="edx+demox", json=True)
    diagnosis = json.loads(capsys.readouterr().out)

    assert lines[0].startswith(f"{configuration.pk} MOODLE of {customer.pk} (Moodle): It belongs in the LMS, but")
    assert lines[-1] == "  [failed] In the LMS now: The LMS does not have it."
    assert [finding["cause"] for finding in diagnosis["findings"]] == ["other_spelling"]
    assert [suggestion["content_key"] for suggestion in diagnosis["suggestions"]] == ["edX+DemoX"]


def test_explain_fails_if_the_catalog_service_is_unreachable(
    configuration: ChannelConfiguration, settings: Settings
) -> None:
    settings.CATALOG_API_URL = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(CommandError, match="The catalog service is unreachable"):
        call_command("explain", customer_uuid=configuration.enterprise_customer_uuid, content_key="edX+DemoX")
