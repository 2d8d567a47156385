"""Runs with failures: the recorded results, the unaffected items, and the following runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.courses import Course
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_item_that_cannot_be_sent_is_recorded_with_its_reason_and_stops_nothing(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(
        content=["A", "L" * 101, CourseFactory.build(key="Z", title=["no", "text"])], customer=customer
    )

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE_EXCEPT, {"create": {"rejected": 2, "done": 1}})
    assert list(moodle.offered()) == ["A"]
    assert row_of("L" * 101).reason == "The content key has 101 characters; Moodle's ID number is limited to 100."
    assert row_of("Z").reason == "The content document is invalid: title: Input should be a valid string"


def test_an_item_that_the_lms_rejects_affects_no_other_item_of_its_chunk(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.table.add(
        Course(
            fullname="Theirs", shortname="Course Northwind+C000004 (Northwind+C000004)", idnumber="theirs", categoryid=1
        )
    )
    CatalogFactory.create(courses=8, customer=customer)

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"done": 7, "rejected": 1}}
    refused = row_of("Northwind+C000004")
    assert (refused.state, refused.attempts) == ("rejected", 1)
    assert refused.attempt_rows.get().vendor_code == "shortnametaken"


def test_a_rejected_item_is_tried_again_as_soon_as_its_content_changes(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A", title=None)], customer=customer)
    run_of(configuration, clock)
    clock.forward(minutes=1)
    waited = run_of(configuration, clock)
    import_into(catalog, [CourseFactory.build(key="A", title="At last")], now=clock.now)

    run = run_of(configuration, clock)

    assert (waited.counts, waited.waiting) == ({}, 1)
    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 1}})
    assert row_of("A").attempts == 0


def test_a_document_that_cannot_be_read_rests_until_it_changes(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A", title=["no", "text"])], customer=customer)
    rejected = run_of(configuration, clock)

    clock.forward(minutes=1)
    waited = run_of(configuration, clock)
    import_into(catalog, ["A"], now=clock.now)
    recovered = run_of(configuration, clock)

    assert rejected.counts == {"create": {"rejected": 1}}
    assert (waited.counts, waited.waiting) == ({}, 1)
    assert (recovered.state, recovered.counts) == (RunState.COMPLETE, {"create": {"done": 1}})


def test_a_passing_failure_rests_and_is_tried_again_when_due(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses"))

    failed = run_of(configuration, clock)
    configuration.refresh_from_db()
    due = row_of("A").next_attempt_at
    too_early = run_of(configuration, clock)
    clock.forward(minutes=5)
    again = run_of(configuration, clock)

    assert failed.counts == {"create": {"retry": 1}}
    assert configuration.next_sync_at == due
    assert (too_early.counts, too_early.waiting) == ({}, 1)
    assert (again.state, again.counts) == (RunState.COMPLETE, {"create": {"done": 1}})
    assert [attempt.outcome for attempt in row_of("A").attempt_rows.order_by("pk")] == ["retry", "done"]


def test_a_response_lost_after_the_create_leads_to_no_second_course(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.DROP, operation="core_course_create_courses"))

    lost = run_of(configuration, clock)
    in_between = row_of("A")
    clock.forward(minutes=5)
    found = run_of(configuration, clock)

    assert (lost.counts, in_between.presence) == ({"create": {"retry": 1}}, "unknown")
    assert found.counts == {"create": {"done": 1}}
    assert [course["idnumber"] for course in moodle.courses] == ["A"]


def test_a_course_whose_create_is_in_doubt_is_hidden_when_it_leaves_the_catalog(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.DROP, operation="core_course_create_courses"))
    run_of(configuration, clock)
    import_into(catalog, ["B"], replace=True)
    clock.forward(minutes=5)

    run = run_of(configuration, clock)

    assert run.counts == {"delete": {"done": 1}, "create": {"done": 1}}
    assert (sorted(moodle.offered()), len(moodle.courses)) == (["B"], 2)


def test_dead_credentials_stop_the_run_and_leave_the_items_as_they_were(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    moodle.expire_tokens()

    run = run_of(configuration, clock)

    assert (run.state, run.stop_cause) == (RunState.STOPPED, StopCause.CREDENTIALS)
    assert run.reason.startswith("Moodle: Access control exception. The token has expired or is bound to")
    assert (run.counts, run.backlog) == ({"create": {"skipped": 3}}, 3)
    rows = ContentMetadataItemTransmission.objects.all()
    assert {(row.state, row.attempts, row.next_attempt_at) for row in rows} == {("pending", 0, None)}


def test_a_row_names_the_catalog_of_what_the_lms_holds_until_it_holds_something_else(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    first = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    CatalogFactory.create(content=[CourseFactory.build(key="A", title="New")], customer=customer, now=clock.now)
    import_into(first, [], replace=True, now=clock.now)
    moodle.expire_tokens()

    run = run_of(configuration, clock)

    assert run.counts == {"update": {"skipped": 1}}
    assert (row_of("A").state, row_of("A").catalog_uuid) == ("transmitted", first.pk)


def test_an_unresponsive_lms_ends_the_run_after_three_chunks(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=8, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.REFUSE, times=None))

    run = run_of(configure(chunk_size=2), clock)

    assert run.state == RunState.STOPPED
    assert run.reason.startswith("3 calls in a row failed. Last error: The connection to the LMS failed")
    assert (run.counts, run.backlog) == ({"create": {"retry": 6}}, 2)


def test_a_catalog_that_cannot_be_read_is_not_an_empty_one(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    catalog.delete()
    customer.delete()

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert "There is no customer" in run.reason
    assert list(moodle.offered()) == ["A"]


def test_a_catalog_that_goes_away_leaves_no_answer_unrecorded(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=6, customer=customer)

    def go_away(_: float) -> None:
        catalog.delete()
        connection.close()  # Runs in the sandbox's thread.

    moodle.faults.sleep = go_away
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    run = run_of(configure(chunk_size=2), clock)

    sent = sorted(moodle.offered())
    assert len(sent) in (2, 4)  # The documents of the second chunk may be prefetched.
    assert (run.state, run.counts) == (RunState.STOPPED, {"create": {"done": len(sent)}})
    assert {attempt.outcome for attempt in run.attempts.all()} == {"done"}
    rows = ContentMetadataItemTransmission.objects.order_by("content_key")
    assert [row.content_key for row in rows.filter(state="transmitted")] == sent
    assert rows.filter(state="pending").count() == 6 - len(sent)


def test_a_catalog_of_another_customer_is_never_sent(
    configure: Callable[..., ChannelConfiguration], moodle: MoodleSandbox, clock: Clock
) -> None:
    theirs = CatalogFactory.create(content=["A"], customer__name="Other")

    run = run_of(configure(catalog_uuids=[str(theirs.pk)]), clock)

    assert run.state == RunState.STOPPED
    assert run.reason.endswith(f"has no catalog {theirs.pk}. Check the configuration's catalogs.")
    assert not moodle.courses


def test_settings_that_do_not_fit_the_channel_end_the_run_with_the_wrong_field(
    configuration: ChannelConfiguration, clock: Clock
) -> None:
    configuration.settings = {"category_id": "first"}
    configuration.save()

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert run.reason.startswith("Settings or credentials are invalid: category_id: Input should be a valid integer")
