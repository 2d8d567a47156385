"""Feeds of pull channels: served entries, and acknowledgment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date

from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    FeedItem,
    RunState,
    TransmissionAttempt,
)
from enterprise_catalog.sandbox.cornerstone.portal import (
    PASSWORD,
    USERNAME,
    CornerstoneSandbox,
    Poll,
    PollFailedError,
)
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.feed.portal_requests import FEED, basic, token_of
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def polls_until_empty(poll: Callable[[], Poll], *, at_most: int = 5) -> list[int]:
    """Return the number of courses that each poll read, up to the first poll without courses."""
    read: list[int] = []
    while not read or read[-1]:
        read.append(poll().read)
        assert len(read) <= at_most, read
    return read


def states() -> dict[str, str]:
    return dict(ContentMetadataItemTransmission.objects.values_list("content_key", "state"))


# --- served entries and acknowledgment --------------------------------------------------------------------------------


def test_a_sync_stages_and_a_later_poll_acknowledges(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    CatalogFactory.create(content=["A", "B"], customer=customer)
    poll()  # The first poll has no If-Modified-Since.
    staged = run_of(configuration, clock)

    assert (staged.state, staged.counts, staged.staged) == (RunState.INCOMPLETE, {"create": {"staged": 2}}, 2)
    assert staged.reason == "2 items are in the feed and are waiting for the LMS to fetch them."
    assert states() == {"A": "staged", "B": "staged"}

    first = poll()
    assert (first.read, first.taken, first.refused) == (2, 2, [])
    assert states() == {"A": "staged", "B": "staged"}

    second = poll()
    assert second.read == 0
    assert states() == {"A": "transmitted", "B": "transmitted"}

    complete = run_of(configuration, clock)
    configuration.refresh_from_db()
    assert (complete.state, complete.matched) == (RunState.COMPLETE, 2)
    assert configuration.last_full_sync_at == clock.now
    assert portal.offered() == {"A": "Course A", "B": "Course B"}
    assert set(TransmissionAttempt.objects.values_list("outcome", flat=True)) == {"staged"}


def settle(configuration: ChannelConfiguration, poll: Callable[[], Poll], clock: Clock) -> None:
    run_of(configuration, clock)
    polls_until_empty(poll)
    assert run_of(configuration, clock).state == RunState.COMPLETE


def test_changes_and_deletes_come_with_a_later_time_and_a_return_is_shown_again(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    settle(configuration, poll, clock)
    keys = dict(FeedItem.objects.values_list("transmission__content_key", "feed_key"))

    import_into(
        catalog, [CourseFactory.build(key="A", title="New")], now=clock.now + timedelta(minutes=1), replace=True
    )
    settle(configuration, poll, clock)
    assert portal.offered() == {"A": "New"}
    assert states() == {"A": "transmitted", "B": "deleted"}

    import_into(catalog, [CourseFactory.build(key="A", title="New"), "B"], now=clock.now + timedelta(minutes=2))
    settle(configuration, poll, clock)
    assert portal.offered() == {"A": "New", "B": "Course B"}
    assert row_of("B").deleted_at is None
    assert dict(FeedItem.objects.values_list("transmission__content_key", "feed_key")) == keys


def test_the_feed_is_empty_when_there_is_nothing_new(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, poll: Callable[[], Poll], clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    settle(configuration, poll, clock)

    assert [poll().read for _ in range(3)] == [0, 0, 0]


def test_a_broken_poll_acknowledges_nothing_and_is_served_again(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    catalog = CatalogFactory.create(courses=5, customer=customer)
    settle(configuration, poll, clock)
    import_into(catalog, ["New"], now=clock.now)
    run_of(configuration, clock)

    portal.breaks = 1
    with pytest.raises(PollFailedError):
        poll()
    again = poll()

    assert (again.read, again.taken) == (1, 1)
    assert states()["New"] == "staged"
    poll()
    assert states()["New"] == "transmitted"


@pytest.mark.parametrize("skew_seconds", [-86_400.0, -59.0, 0.0, 59.0, 86_000.0])
def test_a_clock_that_is_wrong_loses_nothing(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
    skew_seconds: float,
) -> None:
    portal.skew_seconds = skew_seconds
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    poll()
    run_of(configuration, clock)
    clock.forward(seconds=max(0.0, -skew_seconds))
    settle(configuration, poll, clock)
    import_into(catalog, [CourseFactory.build(key="A", title="New"), "B"], now=clock.now)
    run_of(configuration, clock)

    portal.breaks = 1
    with pytest.raises(PollFailedError):
        poll()
    assert poll().taken == 2
    assert states() == {"A": "staged", "B": "staged"}
    clock.forward(seconds=max(0.0, -skew_seconds))
    assert polls_until_empty(poll)[-1] == 0
    assert states() == {"A": "transmitted", "B": "transmitted"}
    assert portal.offered() == {"A": "New", "B": "Course B"}


def test_any_next_poll_acknowledges_with_the_setting_for_portals_without_times(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    portal.sends_since = False
    CatalogFactory.create(content=["A"], customer=customer)
    configuration = configure()
    run_of(configuration, clock)
    assert [poll().read for _ in range(3)] == [1, 1, 1]
    assert states() == {"A": "staged"}

    configuration.settings["any_poll_proves"] = True
    configuration.save()

    assert [poll().read for _ in range(2)] == [1, 0]
    assert states() == {"A": "transmitted"}


def test_pages_are_bounded_and_in_order(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    CatalogFactory.create(courses=25, customer=customer)
    poll()
    run_of(configuration, clock)
    portal.count = 10

    assert [poll().read for _ in range(4)] == [10, 10, 5, 0]
    assert len(portal.offered()) == 25


def test_an_item_that_changes_between_a_poll_and_its_acknowledgment_is_served_again(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    poll()
    run_of(configuration, clock)
    poll()
    import_into(catalog, [CourseFactory.build(key="A", title="Newer")], now=clock.now)
    run_of(configuration, clock)  # Within the same second.

    assert poll().taken == 1
    assert states() == {"A": "staged"}
    poll()
    assert states() == {"A": "transmitted"}
    assert portal.offered() == {"A": "Newer"}


def test_what_left_before_it_was_fetched_is_retired_in_the_feed(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, [], replace=True)

    run = run_of(configuration, clock)

    assert run.counts == {"delete": {"staged": 1}}
    polls_until_empty(poll)
    assert (states(), portal.offered()) == ({"A": "deleted"}, {})


def test_an_item_that_the_feed_cannot_hold_leaves_the_others_alone(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    poll: Callable[[], Poll],
    clock: Clock,
) -> None:
    CatalogFactory.create(content=[CourseFactory.build(key="A", title=None), "B"], customer=customer)

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"rejected": 1, "staged": 1}}
    assert poll().taken == 1
    assert row_of("A").reason == "The item cannot be added to the feed: it has no title."


def test_two_customers_never_see_each_others_items(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    portal: CornerstoneSandbox,
    ours: httpx.Client,
    clock: Clock,
) -> None:
    other = CustomerFactory.create(name="Other")
    CatalogFactory.create(content=["A"], customer=customer)
    CatalogFactory.create(content=["B"], customer=other)
    theirs = ConfigurationFactory.create(channel_code="CSOD", enterprise_customer_uuid=other.pk)
    for each in (configuration, theirs):
        run_of(each, clock)

    portal.poll(ours, str(customer.pk))

    assert list(portal.offered()) == ["A"]
    with pytest.raises(PollFailedError, match="401"):
        portal.poll(ours, str(other.pk))


def test_a_poll_takes_the_same_number_of_statements_for_any_number_of_items(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, poll: Callable[[], Poll], clock: Clock
) -> None:
    catalog = CatalogFactory.create(customer=customer)
    poll()

    def statements_of_a_poll(count: int) -> int:
        for prefix in ("One", "Two"):
            import_into(catalog, CourseFactory.numbered(count, prefix=f"{prefix}{count}"), now=clock.now)
            run_of(configuration, clock)
            with CaptureQueriesContext(connection) as captured:
                poll()  # The second poll receives the second half and acknowledges the first half.
        return len(captured)

    assert statements_of_a_poll(3) == statements_of_a_poll(300)


def test_a_feed_that_cannot_be_served_is_no_empty_feed(client: Client, configuration: ChannelConfiguration) -> None:
    token = token_of(client, client_id=USERNAME, client_secret=PASSWORD).json()["access_token"]
    configuration.settings = {"nonsense": 1}
    configuration.save()

    answer = client.get(
        FEED, {"ciid": str(configuration.enterprise_customer_uuid)}, headers={"Authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.json()) == (503, {"message": "The feed is currently unavailable."})


def test_served_at_is_noted_only_when_the_last_byte_was_taken(
    client: Client, configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)

    known = {"If-Modified-Since": http_date(clock.now.timestamp())}
    answer: Any = client.get(FEED, {"ciid": str(customer.pk)}, headers={**basic(), **known})
    stream = iter(answer.streaming_content)
    next(stream)
    next(stream)
    assert FeedItem.objects.get().served_at is None
    list(stream)

    served_at = FeedItem.objects.get().served_at
    assert served_at is not None
    assert abs(timezone.now() - served_at) < timedelta(minutes=1)
