"""Whole sync runs against Blackboard over HTTP: consent, stored tokens, interrupted runs and daily limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.access import connections
from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState
from enterprise_catalog.sandbox.blackboard.api import CLIENT_ID, CLIENT_SECRET, BlackboardSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

REDIRECT = "https://catalog.example.org/consented"


@pytest.fixture
def blackboard(clock: Clock) -> BlackboardSandbox:
    """A Blackboard sandbox that counts its daily calls by the test clock."""

    def now() -> float:
        return clock.now.timestamp()

    return BlackboardSandbox(clock=now)


@pytest.fixture
def configure(
    blackboard: BlackboardSandbox, customer: EnterpriseCustomer, clock: Clock
) -> Iterator[Callable[..., ChannelConfiguration]]:
    """Return a function that creates an authorized configuration; its arguments are the channel's settings."""
    with on_loopback(blackboard) as url:

        def make(**settings: Any) -> ChannelConfiguration:
            configuration = ConfigurationFactory.create(
                channel_code="BLACKBOARD",
                enterprise_customer_uuid=customer.pk,
                base_url=url,
                settings=settings,
                credentials={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            )
            consent(configuration, clock)
            return configuration

        yield make


def consent(configuration: ChannelConfiguration, clock: Clock) -> None:
    """Give consent as a user does, and redeem the authorization code."""
    place = connections.authorization_url(configuration, redirect_uri=REDIRECT, state="x", clock=clock)
    code = httpx.URL(httpx.get(place).headers["Location"]).params["code"]
    connections.redeem(configuration, code, redirect_uri=REDIRECT, clock=clock)


def stored_token(configuration: ChannelConfiguration) -> str:
    """Return the refresh token stored in the database."""
    return str(decrypt(ChannelConfiguration.objects.get(pk=configuration.pk).credentials)["refresh_token"])


def is_one_page_each(blackboard: BlackboardSandbox) -> bool:
    return all(len(course.contents) == 2 for course in blackboard.courses.values()) and not blackboard.bare_courses


def test_each_run_over_changing_courses_stores_another_refresh_token(
    configure: Callable[..., ChannelConfiguration],
    blackboard: BlackboardSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
) -> None:
    configuration = configure()
    tokens = [stored_token(configuration)]
    catalog = CatalogFactory.create(content=["A", "B", "C"], customer=customer)
    states = [run_of(configuration, clock).state]
    tokens.append(stored_token(configuration))
    import_into(catalog, [CourseFactory.build(key="A", title="New"), "C"], now=clock.now, replace=True)
    states.append(run_of(configuration, clock).state)
    tokens.append(stored_token(configuration))
    without_b = blackboard.offered()
    import_into(catalog, ["B"], now=clock.now)
    states.append(run_of(ChannelConfiguration.objects.get(pk=configuration.pk), clock).state)
    tokens.append(stored_token(configuration))

    assert states == [RunState.COMPLETE] * 3
    assert without_b == {"A": "New", "C": "Course C"}
    assert blackboard.offered() == {"A": "New", "B": "Course B", "C": "Course C"}
    assert len(blackboard.courses) == 3
    assert is_one_page_each(blackboard)
    assert len(set(tokens)) == 4
    assert list(blackboard.grants) == tokens[-1:]


def test_a_run_with_expiring_tokens_completes_and_stores_the_last_token(
    configure: Callable[..., ChannelConfiguration],
    blackboard: BlackboardSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
) -> None:
    configuration = configure()
    CatalogFactory.create(courses=30, customer=customer)

    def expire(_: float) -> None:
        blackboard.expire_tokens()

    blackboard.faults.sleep = expire
    blackboard.faults.add(Fault(kind=FaultKind.DELAY, operation="POST courses", skip=5))
    blackboard.faults.add(Fault(kind=FaultKind.DELAY, operation="PATCH courses/:id", skip=15))

    run = run_of(configuration, clock)

    assert run.state == RunState.COMPLETE
    assert len(blackboard.offered()) == len(blackboard.courses) == 30
    assert is_one_page_each(blackboard)
    assert blackboard.calls["POST token"] == 1 + 1 + 2  # One for the code, one for the run, one for each expiry.
    assert list(blackboard.grants) == [stored_token(configuration)]


def test_a_quota_spent_in_the_middle_of_a_course_is_continued_the_next_day(
    configure: Callable[..., ChannelConfiguration],
    blackboard: BlackboardSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
) -> None:
    configuration = configure(calls_per_day=10, parallel_calls=1)
    blackboard.calls_per_day = 10
    CatalogFactory.create(courses=4, customer=customer)
    offered = []

    for _ in range(3):
        run_of(configuration, clock)
        offered.append(len(blackboard.offered()))
        clock.forward(hours=25)

    assert offered == [2, 4, 4]
    assert len(blackboard.courses) == 4
    assert is_one_page_each(blackboard)


def test_a_refresh_token_used_elsewhere_stops_the_run_until_the_next_consent(
    configure: Callable[..., ChannelConfiguration],
    blackboard: BlackboardSandbox,
    customer: EnterpriseCustomer,
    clock: Clock,
) -> None:
    configuration = configure()
    CatalogFactory.create(content=["A"], customer=customer)
    blackboard.grants.clear()
    stopped = run_of(configuration, clock)

    consent(configuration, clock)
    clock.forward(hours=1)
    again = run_of(configuration, clock)

    assert "Authorize the configuration again" in stopped.reason
    assert again.state == RunState.COMPLETE
    assert row_of("A").state == "transmitted"
