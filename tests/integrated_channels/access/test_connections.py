"""Operations outside of runs: check connection, drift report, adoption and key rotation."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from structlog.testing import capture_logs

from enterprise_catalog.integrated_channels.access import connections
from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState, SyncLease
from enterprise_catalog.integrated_channels.sync.drift import Adoption, Difference, adopt, check_drift
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle import settings
from enterprise_catalog.sandbox.moodle.courses import Course
from tests.admin_pages.list_actions import run
from tests.factories.catalog import CatalogFactory, import_into
from tests.integrated_channels.endless_lms import endless_lms
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


# --- check connection -------------------------------------------------------------------------------------------------


def test_a_connection_that_works_needs_nothing(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    clock.now = timezone.now()

    assert check_connection(configuration, clock=clock) == []
    assert moodle.courses == []


def test_a_clock_skew_is_reported(configuration: ChannelConfiguration, clock: Clock) -> None:
    [sentence] = check_connection(configuration, clock=clock)  # The test clock is set to another year.

    assert sentence.startswith("The LMS's clock shows ")


def test_missing_permissions_of_the_account_are_reported(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    clock.now = timezone.now()
    moodle.functions = settings.FUNCTIONS - {"core_course_create_courses"}

    assert check_connection(configuration, clock=clock) == ["The service lacks core_course_create_courses. Add it."]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind=FaultKind.ANSWER, status=401, body="no"), "Moodle returned 401"),
        (Fault(kind=FaultKind.ANSWER, status=404, body="no"), "The base URL has no Moodle web service"),
        (Fault(kind=FaultKind.ANSWER, status=302, body=""), "The LMS redirects to"),
        (Fault(kind=FaultKind.REFUSE), "The connection to the LMS failed"),
    ],
)
def test_the_problem_is_reported(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, fault: Fault, expected: str
) -> None:
    moodle.faults.add(fault)

    [sentence] = check_connection(configuration, clock=clock)

    assert sentence.startswith(expected)


@pytest.mark.parametrize("kind", ["silence", "body"])
def test_an_endless_response_does_not_hold_a_check_longer_than_its_limit(
    configuration: ChannelConfiguration, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(connections, "MAX_SECONDS", 0.5)
    began = time.monotonic()

    with endless_lms(kind) as url:
        configuration.base_url = url
        problems = check_connection(configuration, clock=clock)

    assert problems == ["The LMS did not respond within 0.5 seconds. Check that it is running, then try again."]
    assert time.monotonic() - began < 5
    assert SyncLease.objects.get().expires_at is None


def test_the_connection_is_not_checked_during_a_run(configuration: ChannelConfiguration, clock: Clock) -> None:
    leases.acquire(configuration.pk, now=clock.now)

    assert check_connection(configuration, clock=clock) == [
        "A sync of this configuration is running; try again when it has ended."
    ]


def test_a_run_continues_after_a_connection_check(configuration: ChannelConfiguration, clock: Clock) -> None:
    check_connection(configuration, clock=clock)

    assert run_of(configuration, clock).state == RunState.COMPLETE


def test_the_command_prints_the_problems(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("test_channel", configuration=configuration.pk)
    assert capsys.readouterr().out == ""

    moodle.service_enabled = False
    with pytest.raises(SystemExit) as ended:
        call_command("test_channel", configuration=configuration.pk)
    assert ended.value.code == 1
    assert "Access control exception" in capsys.readouterr().out
    with pytest.raises(CommandError, match="there is no configuration 7"):
        call_command("test_channel", configuration=7)


def test_the_admin_shows_the_problems(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, admin_client: Client
) -> None:
    page = "/admin/integrated_channels/channelconfiguration/"

    assert "The connection works." in run(admin_client, page, "check_connections", [configuration.pk]).content.decode()
    moodle.service_enabled = False
    refused = run(admin_client, page, "check_connections", [configuration.pk])
    assert "Access control exception" in refused.content.decode()


# --- drift ------------------------------------------------------------------------------------------------------------


def differences(configuration: ChannelConfiguration, clock: Clock) -> dict[str, Difference]:
    return {drift.content_key: drift.difference for drift in check_drift(configuration, clock=clock).differences}


def test_an_lms_without_manual_changes_has_no_drift(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    assert differences(configuration, clock) == {}  # Items that were never sent are not drift.
    run_of(configuration, clock)
    held = moodle.courses

    assert differences(configuration, clock) == {}
    assert moodle.courses == held


def test_manual_changes_in_the_lms_are_reported(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    configuration.delete_limit_percent = 100
    configuration.save()
    catalog = CatalogFactory.create(content=("Gone", "Hidden", "Other", "Left", "Same"), customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ("Gone", "Hidden", "Other", "Same"), now=clock.now, replace=True)
    run_of(configuration, clock)
    there = {course.idnumber: course for course in moodle.table.all()}
    moodle.table.remove(there["Gone"].id)
    moodle.table.change(replace(there["Hidden"], visible=0))
    moodle.table.change(replace(there["Other"], fullname="Renamed by hand"))
    moodle.table.change(replace(there["Left"], visible=1))
    moodle.table.add(Course(shortname="theirs", fullname="Theirs", idnumber="Theirs", categoryid=1))
    moodle.table.add(Course(shortname="no key", fullname="No key", categoryid=1))
    runs = configuration.runs.count()

    report = check_drift(configuration, clock=clock)

    drift = report.differences
    assert {each.content_key: each.difference.value for each in drift} == {
        "Gone": "missing",
        "Hidden": "missing",
        "Other": "changed",
        "Left": "left",
    }
    assert report.others == 1  # A course of others; courses without a key do not count.
    assert [each.details for each in drift if each.content_key == "Other"] == ["Different in the LMS: fullname."]
    assert configuration.runs.count() == runs


def test_the_command_counts_what_is_not_ours_in_one_line(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    for number in range(1_006):
        name = f"Theirs {number}"
        moodle.table.add(Course(shortname=name, fullname=name, idnumber=name, categoryid=1))

    call_command("check_drift", configuration=configuration.pk)

    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "The LMS has 1,006 other items with keys that were never sent from here.\n")


def test_the_command_lists_drift(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    call_command("check_drift", configuration=configuration.pk)
    assert capsys.readouterr().out == ""

    moodle.reset()
    with pytest.raises(SystemExit) as ended:
        call_command("check_drift", "--json", configuration=configuration.pk)

    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out) == {
        "content_key": "A",
        "difference": "missing",
        "details": "The LMS does not have this item.",
    }


# --- adoption ---------------------------------------------------------------------------------------------------------


def test_what_is_there_already_is_taken_over_and_updated_by_the_next_run(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    theirs = moodle.table.add(Course(shortname="old", fullname="Old", idnumber="A", categoryid=1, visible=0))
    moodle.table.add(Course(shortname="x", fullname="X", idnumber="Not in the catalogs", categoryid=1))
    CatalogFactory.create(content=["A", "B"], customer=customer)

    assert adopt(configuration, by="ada", clock=clock) == Adoption(1, [])
    row = row_of("A")
    assert (row.state, row.presence, row.remote_id) == ("pending", "present", str(theirs.id))

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"done": 1}, "update": {"done": 1}}
    assert moodle.offered().keys() == {"A", "B", "Not in the catalogs"}
    assert adopt(configuration, by="ada", clock=clock).items == 0


def test_of_two_courses_with_one_key_all_take_the_oldest_and_name_both(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("first", "second"):
        moodle.table.add(Course(shortname=name, fullname=name, idnumber="A", categoryid=1))
        moodle.table.add(Course(shortname=f"{name} X", fullname=name, idnumber="Not ours", categoryid=1))
    CatalogFactory.create(content=["A"], customer=customer)
    warning = "The LMS has 2 items with the key 'A': 2 is used, 4 is not."

    call_command("adopt", configuration=configuration.pk)

    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("1\n", 1)
    assert output.err.startswith(warning)
    assert row_of("A").remote_id == "2"
    run_of(configuration, clock)
    [drift] = check_drift(configuration, clock=clock).differences
    assert (drift.content_key, drift.difference) == ("A", Difference.DUPLICATE)
    assert drift.details.startswith(warning)


def test_an_older_course_that_gets_our_key_later_is_no_difference_but_a_duplicate(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    theirs = moodle.table.add(Course(shortname="theirs", fullname="Theirs", categoryid=1))
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    moodle.table.change(replace(theirs, idnumber="A"))

    [drift] = check_drift(configuration, clock=clock).differences

    assert drift.difference == Difference.DUPLICATE
    assert "with the key 'A': 3 is used, 2 is not." in drift.details


def test_a_sync_takes_the_oldest_of_two_courses_and_logs_both(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    for name in ("first", "second"):
        moodle.table.add(Course(shortname=name, fullname=name, idnumber="A", categoryid=1))
    CatalogFactory.create(content=["A"], customer=customer)

    with capture_logs() as logs:
        run_of(configuration, clock)

    assert row_of("A").remote_id == "2"
    [warning] = [entry for entry in logs if entry["event"] == "lms_has_duplicates"]
    assert (warning["content_key"], warning["used"], warning["unused"]) == ("A", "2", ["3"])


def test_what_was_sent_is_not_taken_over(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(courses=2, customer=customer)
    run_of(configuration, clock)

    assert adopt(configuration, by="ada", clock=clock).items == 0
    assert run_of(configuration, clock).state == RunState.COMPLETE


def test_the_adopt_command_prints_how_many(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    moodle.table.add(Course(shortname="old", fullname="Old", idnumber="A", categoryid=1))
    CatalogFactory.create(content=["A"], customer=customer)

    call_command("adopt", configuration=configuration.pk)

    assert capsys.readouterr().out == "1\n"


# --- key rotation -----------------------------------------------------------------------------------------------------


def test_credentials_are_encrypted_again_with_the_newest_key(
    configuration: ChannelConfiguration, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    [old], new = settings.CREDENTIALS_ENCRYPTION_KEYS, Fernet.generate_key().decode()
    known = decrypt(configuration.credentials)
    settings.CREDENTIALS_ENCRYPTION_KEYS = [new, old]

    call_command("rotate_credentials")

    assert capsys.readouterr().out == "1\n"
    settings.CREDENTIALS_ENCRYPTION_KEYS = [new]
    configuration.refresh_from_db()
    assert decrypt(configuration.credentials) == known


def test_credentials_that_no_key_fits_are_named_and_left(
    configuration: ChannelConfiguration, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CREDENTIALS_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    before = configuration.credentials

    with pytest.raises(SystemExit) as ended_with:
        call_command("rotate_credentials")

    assert ended_with.value.code == 1
    assert f"configuration {configuration.pk}: no key can decrypt its credentials" in capsys.readouterr().err
    configuration.refresh_from_db()
    assert configuration.credentials == before
