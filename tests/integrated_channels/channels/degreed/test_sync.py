"""Whole sync runs against Degreed over HTTP: the courses in Degreed and our rows after failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.integrated_channels.models import RunState
from enterprise_catalog.sandbox.degreed.api import CREATE, LIST, SKILLS, TOKEN, UPDATE, DegreedSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.channels.degreed.connection import add
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

URL_OF_A = "https://learn.example.org/acme/course/A?utm_medium=enterprise&utm_source=acme"


@pytest.fixture
def degreed(clock: Clock) -> DegreedSandbox:
    """A Degreed sandbox that counts its rate-limit windows by the test clock."""

    def now() -> float:
        return clock.now.timestamp()

    return DegreedSandbox(clock=now)


@pytest.fixture
def configure(degreed: DegreedSandbox, customer: EnterpriseCustomer) -> Iterator[Callable[..., ChannelConfiguration]]:
    """Return a function that creates a configuration for ``degreed``; its arguments are the channel's settings."""
    with on_loopback(degreed) as url:

        def make(**settings: Any) -> ChannelConfiguration:
            return ConfigurationFactory.create(
                channel_code="DEGREED2",
                enterprise_customer_uuid=customer.pk,
                base_url=url,
                settings={**degreed.channel_settings(), **settings},
                sandbox=degreed,
            )

        yield make


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """The customer's configuration for ``degreed``, with the sandbox's own settings."""
    return configure()


def skills_of(degreed: DegreedSandbox) -> dict[str, object]:
    return {str(course["external-id"]): course["skills"] for course in degreed.content()}


def test_courses_come_change_leave_and_come_back(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(
        content=[CourseFactory.build(key="A", skill_names=["Python"]), "B"], customer=customer
    )
    states = [run_of(configuration, clock).state]
    import_into(catalog, [CourseFactory.build(key="A", title="New", skill_names=["R"])], now=clock.now, replace=True)
    states.append(run_of(configuration, clock).state)
    without_b = degreed.offered()
    import_into(catalog, ["B"], now=clock.now)
    states.append(run_of(configuration, clock).state)

    assert states == [RunState.COMPLETE] * 3
    assert without_b == {"A": "New"}
    assert degreed.offered() == {"A": "New", "B": "Course B"}
    assert skills_of(degreed) == {"A": ["R"], "B": []}
    assert len(degreed.content()) == 2


def test_courses_that_another_program_put_there_are_taken_over(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    there = add(degreed, "A", url=URL_OF_A, obsolete=True)
    CatalogFactory.create(content=[CourseFactory.build(key="A", skill_names=["Python"])], customer=customer)

    run = run_of(configuration, clock)

    assert (run.state, row_of("A").remote_id) == (RunState.COMPLETE, there)
    assert degreed.offered() == {"A": "Course A"}
    assert degreed.calls == {TOKEN: 1, CREATE: 1, LIST: 1, UPDATE: 1, SKILLS: 1}


@pytest.mark.parametrize("is_unseen", [False, True])
def test_a_url_with_another_external_id_is_recorded_and_affects_no_other_item(
    configuration: ChannelConfiguration,
    degreed: DegreedSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
    is_unseen: bool,
) -> None:
    add(degreed, "A" if is_unseen else "theirs", url=URL_OF_A)
    degreed.unseen_external_ids = {"A"} if is_unseen else set()
    CatalogFactory.create(content=["A", "B"], customer=customer)

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"rejected": 1, "done": 1}}
    row = row_of("A")
    assert (row.state, row.attempt_rows.get().vendor_code) == ("rejected", "conflict")
    assert row.reason.startswith(f"Another course in Degreed has the url {URL_OF_A}.")
    assert len(degreed.content()) == 2


def test_skills_that_degreed_refuses_leave_the_course_and_a_reason_and_are_set_later(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    degreed.may_set_skills = False
    CatalogFactory.create(content=[CourseFactory.build(key="A", skill_names=["Python"]), "B"], customer=customer)

    run = run_of(configuration, clock)
    refused = row_of("A")
    degreed.may_set_skills = True
    clock.forward(days=1)
    later = run_of(configuration, clock)

    assert run.counts == {"create": {"rejected": 1, "done": 1}}
    assert degreed.offered() == {"A": "Course A", "B": "Course B"}
    [id_of_a] = [course["id"] for course in degreed.content() if course["external-id"] == "A"]  # One of two.
    assert (refused.state, refused.remote_id) == ("rejected", id_of_a)
    assert "up to date, except for its skills: the API key may not set skills" in refused.reason
    assert later.state == RunState.COMPLETE
    assert skills_of(degreed) == {"A": ["Python"], "B": []}


def test_skills_that_fail_in_passing_are_set_within_the_same_run(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    degreed.faults.add(Fault(kind=FaultKind.DROP, operation=SKILLS))
    CatalogFactory.create(content=[CourseFactory.build(key="A", skill_names=["Python"])], customer=customer)

    run = run_of(configuration, clock)

    assert run.state == RunState.COMPLETE
    assert skills_of(degreed) == {"A": ["Python"]}
    assert degreed.calls == {TOKEN: 1, CREATE: 1, SKILLS: 2, LIST: 1, UPDATE: 1}


def test_skills_that_keep_failing_wait_and_a_course_that_left_is_removed(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, operation=SKILLS, times=None))
    catalog = CatalogFactory.create(
        content=[CourseFactory.build(key="A", skill_names=["Python"]), "B"], customer=customer
    )

    run = run_of(configuration, clock)
    row = row_of("A")
    import_into(catalog, ["B"], now=clock.now, replace=True)
    run_of(configuration, clock)

    assert run.counts == {"create": {"retry": 1, "done": 1}}
    assert (row.state, bool(row.remote_id)) == ("retrying", True)
    assert degreed.offered() == {"B": "Course B"}


@pytest.mark.parametrize("parallel_calls", [1, 3])
def test_runs_keep_to_the_calls_of_a_minute_and_leave_nothing_undone(
    configure: Callable[..., ChannelConfiguration],
    degreed: DegreedSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
    parallel_calls: int,
) -> None:
    degreed.calls_per_minute = 7
    configuration = configure(parallel_calls=parallel_calls)
    CatalogFactory.create(
        content=({**course, "skill_names": ["R"]} for course in CourseFactory.numbered(8)), customer=customer
    )

    states: list[str] = []
    while not states or states[-1] != RunState.COMPLETE:
        states.append(run_of(configuration, clock).state)
        clock.forward(minutes=1)
        assert len(states) < 10

    assert set(states[:-1]) == {RunState.INCOMPLETE}  # Degreed never had to reject a call.
    assert set(map(str, skills_of(degreed).values())) == {"['R']"}
    assert len(degreed.content()) == 8


def test_a_limit_lower_than_configured_ends_the_run_until_the_next_window(
    configure: Callable[..., ChannelConfiguration], degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    configuration = configure(calls_per_minute=200)
    degreed.calls_per_minute = 5
    CatalogFactory.create(courses=8, customer=customer)

    run = run_of(configuration, clock)
    configuration.refresh_from_db()

    assert run.state == RunState.STOPPED
    assert run.reason.startswith("Rate limit exceeded. The LMS returned 429: API calls quota exceeded.")
    assert configuration.next_sync_at is not None
    assert (configuration.next_sync_at - clock.now).total_seconds() == 60
    assert len(degreed.content()) == 5


def test_a_course_that_was_deleted_for_good_is_made_again_when_it_comes_back(
    configure: Callable[..., ChannelConfiguration], degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    configuration = configure(delete_policy="delete")
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["B"], now=clock.now, replace=True)
    run_of(configuration, clock)
    left = degreed.offered()
    import_into(catalog, ["A"], now=clock.now)

    run = run_of(configuration, clock)

    assert (left, run.state) == ({"B": "Course B"}, RunState.COMPLETE)
    assert degreed.offered() == {"A": "Course A", "B": "Course B"}


def test_a_filter_that_hides_obsolete_courses_leaves_a_reason_for_returned_items(
    configuration: ChannelConfiguration, degreed: DegreedSandbox, customer: EnterpriseCustomer, clock: Clock
) -> None:
    degreed.filter_finds_obsolete = False
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["B"], now=clock.now, replace=True)
    run_of(configuration, clock)
    import_into(catalog, ["A"], now=clock.now)

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"rejected": 1}}
    assert "or is not visible to the API key" in row_of("A").reason
    assert len(degreed.content()) == 2
