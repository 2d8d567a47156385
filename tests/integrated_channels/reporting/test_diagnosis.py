"""The diagnosis of a course: each cause as runs, operators and people at the LMS bring it about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.audit import decisions, leases
from enterprise_catalog.integrated_channels.audit.transitions import MAX_FAILURES
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Action
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.diagnosis import diagnose
from enterprise_catalog.integrated_channels.reporting.live import look_up_live
from enterprise_catalog.integrated_channels.reporting.sentences import Remedy
from enterprise_catalog.integrated_channels.reporting.steps import StepName, StepState
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.courses import Course
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.syncing import acting_during_runs, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet
    from enterprise_catalog.integrated_channels.reporting.diagnosis import Diagnosis, Finding
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

    Find = Callable[..., Finding]

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = "core_course_create_courses"
RUN = "course-v1:edX+DemoX+2026"


def states(finding: Finding) -> dict[StepName, StepState]:
    return {step.name: step.state for step in finding.steps}


def use_its_name(moodle: MoodleSandbox) -> None:
    """Add a course with the short name of edX+DemoX, so that Moodle rejects edX+DemoX."""
    shortname = "Course edX+DemoX (edX+DemoX)"
    moodle.table.add(Course(fullname="Theirs", shortname=shortname, idnumber="theirs", categoryid=1))


def rows_of(key: str) -> TransmissionQuerySet:
    return ContentMetadataItemTransmission.objects.filter(content_key=key)


# --- not in the catalogs that are sent -------------------------------------------------------------------------------


def test_a_course_in_no_catalog(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+A"])
    CatalogFactory.create(customer__slug="other", content=["edX+DemoX"])

    finding = finding_of("edX+DemoX")

    assert (finding.configuration_id, finding.cause) == (configuration.pk, Cause.NOT_IN_CATALOG)
    assert finding.sentence == "The customer's catalog does not contain it."
    assert finding.next_action is None
    assert states(finding)[StepName.SOURCE] is StepState.PASSED
    assert states(finding)[StepName.CATALOG] is StepState.FAILED
    assert states(finding)[StepName.PLAN] is StepState.NOT_REACHED


@pytest.mark.usefixtures("configuration")
def test_a_key_without_content(finding_of: Find) -> None:
    finding = finding_of("edX+Nowhere")

    assert finding.sentence == "The catalog service has no content with this key."
    assert states(finding)[StepName.SOURCE] is StepState.FAILED


def test_a_catalog_that_the_configuration_does_not_send(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, finding_of: Find
) -> None:
    sent = CatalogFactory.create(customer=customer, title="Sent")
    CatalogFactory.create(customer=customer, title="Not sent", content=["edX+DemoX"])
    configure(catalog_uuids=[sent.pk])

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action) == (Cause.CATALOG_NOT_SENT, Remedy.CONFIGURE)
    assert finding.sentence == "It is in catalog “Not sent”, but this configuration sends only “Sent”."


@pytest.mark.usefixtures("configuration")
@pytest.mark.parametrize("text", ["edx+demox", " edX+DemoX", "edX DemoX"])
def test_another_spelling_of_a_key(
    text: str,
    customer: EnterpriseCustomer,
    diagnosis_of: Callable[..., Diagnosis],
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    diagnosis = diagnosis_of(text)

    assert diagnosis.findings[0].cause is Cause.OTHER_SPELLING
    assert diagnosis.findings[0].what_to_do == "Look up “edX+DemoX” instead."
    assert [suggestion.content_key for suggestion in diagnosis.suggestions] == ["edX+DemoX"]


@pytest.mark.usefixtures("configuration")
def test_the_key_of_a_run(customer: EnterpriseCustomer, finding_of: Find) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    finding = finding_of(RUN)

    assert (finding.cause, finding.what_to_do) == (Cause.RUN_KEY, "Look up “edX+DemoX” instead.")


@pytest.mark.usefixtures("configuration")
def test_a_title_leads_to_its_key(customer: EnterpriseCustomer, diagnosis_of: Callable[..., Diagnosis]) -> None:
    CatalogFactory.create(customer=customer, content=[CourseFactory.build(key="edX+DemoX", title="Data for all")])

    [suggestion] = diagnosis_of("data for").suggestions

    assert (suggestion.content_key, suggestion.title) == ("edX+DemoX", "Data for all")


# --- before a sync ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("configuration")
def test_a_configuration_that_was_never_synced(customer: EnterpriseCustomer, finding_of: Find) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action, finding.next_action) == (
        Cause.NEVER_SYNCED,
        Remedy.SYNC_NOW,
        Action.CREATE,
    )
    assert states(finding)[StepName.TRANSFORM] is StepState.PASSED


def test_an_inactive_configuration(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    configure(active=False)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action, finding.next_action) == (Cause.INACTIVE, Remedy.RESUME, None)


def test_a_course_that_came_after_the_last_sync(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    catalog = CatalogFactory.create(customer=customer, content=["edX+A"])
    run_of(configuration, clock)
    import_into(catalog, ["edX+DemoX"])

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.next_action) == (Cause.PLANNED, Action.CREATE)


def test_a_running_sync(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    leases.acquire(configuration.pk, now=clock())

    assert finding_of("edX+DemoX").cause is Cause.RUNNING


# --- after a sync ----------------------------------------------------------------------------------------------------


def test_a_course_in_the_lms(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)

    finding = finding_of("edX+DemoX", look_up_live(configuration, "edX+DemoX", clock=clock))

    assert finding.cause is Cause.IN_LMS
    assert finding.sentence.endswith("Checked now: learners see it.")
    assert states(finding) == dict.fromkeys({*StepName} - {StepName.REFRESH}, StepState.PASSED)
    [query] = [step for step in finding.steps if step.name is StepName.QUERY]
    assert query.detail.endswith("”. Filled from imported files.")


@pytest.mark.parametrize(("deleted", "cause"), [(True, Cause.MISSING_IN_LMS), (False, Cause.HIDDEN_IN_LMS)])
def test_a_course_that_was_deleted_or_hidden_by_hand(
    deleted: bool,
    cause: Cause,
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    [course] = moodle.table.with_idnumber("edX+DemoX")
    if deleted:
        moodle.table.remove(course.id)
    else:
        moodle.table.change(replace(course, visible=0))

    finding = finding_of("edX+DemoX", look_up_live(configuration, "edX+DemoX", clock=clock))

    assert (finding.cause, finding.action) == (cause, Remedy.SEND_AGAIN)
    decisions.queue_again(rows_of("edX+DemoX"), by="test", now=clock(), also_transmitted=True)
    assert finding_of("edX+DemoX").next_action is Action.UPDATE
    run_of(configuration, clock)
    assert list(moodle.offered()) == ["edX+DemoX"]


def test_a_waiting_update(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    catalog = CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    import_into(catalog, [CourseFactory.build(key="edX+DemoX", title="New")], now=DAY_TWO)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.next_action) == (Cause.UPDATE_PENDING, Action.UPDATE)
    assert finding.sentence == (
        "The LMS has the version of 2026-03-01 12:00 UTC; the catalog has the version of 2026-03-02 12:00 UTC."
    )


def test_a_change_that_the_lms_does_not_show_is_not_sent(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    catalog = CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    import_into(catalog, [CourseFactory.build(key="edX+DemoX", unused="New")], now=DAY_TWO)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.next_action) == (Cause.IN_LMS, None)
    assert finding.sentence.endswith("It has changed since, but not in what this LMS shows of it.")


def test_dead_credentials(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    moodle.expire_tokens()
    run_of(configuration, clock)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action) == (Cause.CREDENTIALS, Remedy.REPLACE_CREDENTIALS)
    assert "The token has expired" in finding.sentence


def test_a_throttling_lms(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=429))
    run_of(configuration, clock)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.next_action) == (Cause.THROTTLED, Action.CREATE)


def test_a_spent_call_budget(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+A", "edX+DemoX"])
    settings = {**moodle.channel_settings(), "calls_per_minute": 1}
    run_of(configure(settings=settings, chunk_size=1), clock)

    finding = finding_of("edX+DemoX")

    assert finding.cause is Cause.OUT_OF_CALLS
    assert "calls: 1 in 60 seconds" in finding.sentence


def test_an_item_that_was_queued_during_a_run_that_found_no_changes(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    use_its_name(moodle)
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    clock.forward(minutes=1)
    with acting_during_runs(lambda: decisions.queue_again(rows_of("edX+DemoX"), by="test", now=clock())):
        run = run_of(configuration, clock)

    finding = finding_of("edX+DemoX")

    assert (run.comparison, run.backlog) == ("unchanged", 1)
    assert finding.cause is Cause.PLANNED


def test_an_item_that_was_left_over(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+A", "edX+DemoX"])
    run_of(configure(chunk_size=1, max_chunks_per_run=1), clock)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action) == (Cause.LEFT_OVER, Remedy.SYNC_NOW)
    assert "1 item was left over" in finding.sentence


def test_an_item_that_the_channel_rejects(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    key = f"edX+{'D' * 100}"
    CatalogFactory.create(customer=customer, content=[key])
    before = finding_of(key)
    run_of(configuration, clock)

    after = finding_of(key)

    assert before.cause is after.cause is Cause.REJECTED_BY_CHANNEL
    assert before.sentence == after.sentence
    assert after.sentence.startswith("Moodle cannot hold it: ")
    assert after.next_action is None
    assert states(after)[StepName.TRANSFORM] is StepState.FAILED


def test_an_item_that_the_lms_rejects(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    use_its_name(moodle)
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.action, finding.next_action) == (Cause.REJECTED_BY_LMS, Remedy.SEND_AGAIN, None)
    assert states(finding)[StepName.ATTEMPTS] is StepState.FAILED


def test_an_item_that_waits_for_a_retry_and_then_is_a_dead_letter(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, times=MAX_FAILURES, status=503))
    run_of(configuration, clock)

    assert (finding_of("edX+DemoX").cause, finding_of("edX+DemoX").next_action) == (Cause.RETRYING, None)
    clock.forward(hours=1)
    assert finding_of("edX+DemoX").next_action is Action.CREATE
    for _ in range(MAX_FAILURES - 1):
        clock.forward(days=1)
        run_of(configuration, clock)
    assert (finding_of("edX+DemoX").cause, finding_of("edX+DemoX").action) == (Cause.DEAD_LETTER, Remedy.REQUEUE)


def test_a_deleted_course_is_held_kept_and_approved(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    finding_of: Find,
) -> None:
    configuration = configure()
    catalog = CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    import_into(catalog, [], replace=True)

    assert finding_of("edX+DemoX").cause is Cause.DELETE_PENDING
    run_of(configuration, clock)
    held = finding_of("edX+DemoX")
    assert (held.cause, held.action, held.next_action) == (Cause.HELD, Remedy.APPROVE_DELETES, None)
    decisions.decide_deletes(configuration.transmissions.all(), approved=False, by="test", now=clock())
    kept = finding_of("edX+DemoX")
    assert (kept.cause, kept.action, kept.next_action) == (Cause.KEPT, Remedy.DELETE_KEPT, None)
    decisions.delete_kept(rows_of("edX+DemoX"), by="test", now=clock())
    approved = finding_of("edX+DemoX")
    assert (approved.cause, approved.next_action) == (Cause.DELETE_APPROVED, Action.DELETE)
    assert "deletes it" in approved.what_to_do
    run_of(configuration, clock)
    assert finding_of("edX+DemoX").cause is Cause.NOT_IN_CATALOG
    assert moodle.offered() == {}


def test_an_item_in_a_feed(customer: EnterpriseCustomer, clock: Clock, finding_of: Find) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(ConfigurationFactory.create(channel_code="CSOD", enterprise_customer_uuid=customer.pk), clock)

    finding = finding_of("edX+DemoX")

    assert (finding.cause, finding.next_action) == (Cause.IN_FEED, None)
    assert finding.sentence.endswith("Cornerstone has not fetched it since.")


# --- without the catalog service --------------------------------------------------------------------------------------


def test_an_unreachable_catalog_service_leaves_what_the_last_sync_has_seen(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    clock: Clock,
    settings: Settings,
    diagnosis_of: Callable[..., Diagnosis],
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    settings.CATALOG_API_URL = "http://127.0.0.1:1"

    known, unknown = diagnosis_of("edX+DemoX"), diagnosis_of("edX+Other")

    assert known.problem == (
        "These findings are based on the last syncs only. The catalog service is unreachable: no connection. Check that"
        " it is running, and check CATALOG_API_URL."
    )
    assert (known.findings[0].cause, unknown.findings[0].cause) == (Cause.IN_LMS, Cause.UNKNOWN)


@pytest.mark.usefixtures("customer")
def test_a_customer_that_the_catalog_service_does_not_have(
    clock: Clock, diagnosis_of: Callable[..., Diagnosis]
) -> None:
    ConfigurationFactory.create(enterprise_customer_uuid=UUID(int=7))

    with CatalogClient() as catalog:
        diagnosis = diagnose(UUID(int=7), "edX+A", catalog=catalog, now=clock())

    assert diagnosis.problem.startswith("The catalog service has no customer 00000000-")
    assert diagnosis_of("edX+A").findings == []


def test_a_moodle_without_a_connection_is_named(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    configuration.base_url = "http://127.0.0.1:1"

    live = look_up_live(configuration, "edX+DemoX", clock=clock)

    assert live.problem
    assert finding_of("edX+DemoX", live).steps[-1].state is StepState.NOT_REACHED
