"""Requests for a feed: read-only requests, polls that acknowledge nothing, and polls that acknowledge entries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date

from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    FeedResponse,
)
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.conftest import Clock
from tests.integrated_channels.feed.portal_requests import FEED, basic
from tests.integrated_channels.feed.test_views import states
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCustomer

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS: Final = 56
#: Read-only requests: name -> method and If-Modified-Since.
NO_POLLS: Final[dict[str, tuple[str, str | None]]] = {
    "HEAD": ("HEAD", None),
    "HEAD with a time": ("HEAD", http_date(4_000_000_000)),
    "HEAD of today": ("HEAD", http_date(1_800_000_000)),
    "no header": ("GET", None),
    "an empty header": ("GET", ""),
    "no date": ("GET", "yesterday"),
    "no such day": ("GET", "Mon, 31 Feb 2026 10:00:00 GMT"),
    "a number": ("GET", "1800000000"),
    "an ISO time": ("GET", "2026-03-02T10:00:00Z"),
    "the far future": ("GET", "Fri, 31 Dec 9999 23:59:59 GMT"),
    "two days ahead": ("GET", http_date((timezone.now() + timedelta(days=2)).timestamp())),
}
HEADS: Final = [name for name, (method, _) in NO_POLLS.items() if method == "HEAD"]


@pytest.fixture
def clock() -> Clock:
    """A clock fixed at the present: the feed compares the times of pollers with the real time."""
    return Clock(timezone.now().replace(microsecond=400_000))


@pytest.fixture
def configure(customer: EnterpriseCustomer) -> Callable[..., ChannelConfiguration]:
    """Return a function that connects the customer to a portal; its arguments are other settings."""

    def make(**settings: Any) -> ChannelConfiguration:
        return ConfigurationFactory.create(
            channel_code="CSOD",
            enterprise_customer_uuid=customer.pk,
            settings=settings,
            credentials={"username": "cornerstone-sandbox", "password": "not-a-real-cornerstone-password"},
        )

    return make


@pytest.fixture
def ask(client: Client, customer: EnterpriseCustomer) -> Callable[..., list[str]]:
    """Return a function that requests the feed and returns the IDs in the response."""

    def make(since: datetime | str | None = None, method: str = "GET", **parameters: str) -> list[str]:
        if isinstance(since, datetime):
            since = http_date(since.timestamp())
        headers = basic() if since is None else {**basic(), "If-Modified-Since": since}
        query = "&".join(f"{name}={value}" for name, value in {"ciid": str(customer.pk), **parameters}.items())
        answer: Any = client.generic(method, f"{FEED}?{query}", headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        if method == "HEAD":
            assert answer.getvalue() == b""
            return []
        return [entry["ID"] for entry in json.loads(answer.getvalue())]

    return make


def everything() -> list[Any]:
    """Return all rows that a poll may change."""
    return [
        *FeedItem.objects.order_by("pk").values(),
        *ContentMetadataItemTransmission.objects.order_by("pk").values(),
        *ChannelConfiguration.objects.order_by("pk").values(),
        *FeedResponse.objects.order_by("pk").values(),
    ]


@pytest.fixture
def staged(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> ChannelConfiguration:
    """A configuration whose feed has ``ITEMS`` newly staged items."""
    CatalogFactory.create(courses=ITEMS, customer=customer)
    configuration = configure()
    run_of(configuration, clock)
    return configuration


def test_a_request_that_is_no_poll_writes_nothing_and_loses_nothing(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], clock: Clock
) -> None:
    before = everything()

    with CaptureQueriesContext(connection) as captured:
        answers = {name: ask(since, method) for name, (method, since) in NO_POLLS.items()}

    assert {name for name, keys in answers.items() if len(keys) == ITEMS} == set(NO_POLLS) - set(HEADS)
    assert everything() == before
    assert all(query["sql"].startswith("SELECT") for query in captured)
    assert len(ask(clock.now - timedelta(days=1))) == ITEMS  # The portal's next poll.
    assert set(states().values()) == {"staged"}
    assert staged.pk


def test_a_request_between_two_polls_does_not_help_the_second(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], clock: Clock
) -> None:
    yesterday = clock.now - timedelta(days=1)
    ask(yesterday)  # The portal loses the response.

    for method, since in NO_POLLS.values():
        ask(since, method)
        assert len(ask(yesterday)) == ITEMS

    assert set(states().values()) == {"staged"}
    assert staged.pk


def test_an_earlier_time_of_another_client_does_not_help_a_poll_that_is_repeated(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], client: Client, customer: EnterpriseCustomer
) -> None:
    FeedItem.objects.update(modified_at=timezone.now() - timedelta(hours=1))
    since = timezone.now() - timedelta(minutes=1)
    headers = {**basic(), "If-Modified-Since": http_date(since.timestamp())}
    client.get(FEED, {"ciid": str(customer.pk)}, headers=headers)  # The connection breaks before the body.

    assert len(ask(datetime(1970, 1, 1, tzinfo=UTC))) == ITEMS
    assert len(ask(since)) == ITEMS
    assert set(states().values()) == {"staged"}

    assert ask(since + timedelta(seconds=30)) == []
    assert set(states().values()) == {"transmitted"}
    assert staged.pk


def test_what_only_another_client_has_received_is_not_acknowledged(
    staged: ChannelConfiguration, ask: Callable[..., list[str]]
) -> None:
    FeedItem.objects.update(modified_at=timezone.now() - timedelta(hours=1))
    before, since = timezone.now() - timedelta(hours=2), timezone.now() - timedelta(minutes=1)
    assert len(ask(datetime(1970, 1, 1, tzinfo=UTC))) == ITEMS  # Another client.

    assert len(ask(before, count="2")) == 2
    assert len(ask(since, count="2")) == 2

    assert sorted(states().values()) == ["staged"] * (ITEMS - 2) + ["transmitted"] * 2
    assert staged.pk


@pytest.mark.parametrize("has_repeated", [False, True])
def test_what_another_client_receives_after_items_changed_is_not_acknowledged(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], *, has_repeated: bool
) -> None:
    long_ago, now = timezone.now() - timedelta(hours=1), timezone.now()
    FeedItem.objects.update(modified_at=long_ago)
    before, since = now - timedelta(hours=2), now - timedelta(minutes=1)
    received = ask(before, count="2")
    later = {"modified_at": now, "served_at": None, "served_since": None}
    FeedItem.objects.filter(feed_key__in=received).update(**later)  # A run stages them again.
    if has_repeated:
        assert not {*received} & {*ask(before, count="2")}

    assert len(ask(datetime(1970, 1, 1, tzinfo=UTC))) == ITEMS  # Another client.
    ask(since, count="2")

    assert set(states().values()) == {"staged"}
    assert staged.pk


def test_what_another_client_receives_after_an_empty_response_is_not_acknowledged(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], clock: Clock
) -> None:
    since = clock.now - timedelta(hours=1)
    FeedItem.objects.update(is_confirmed=True)
    assert ask(since) == []
    FeedItem.objects.update(is_confirmed=False)  # A run stages the entries.

    assert len(ask(datetime(1970, 1, 1, tzinfo=UTC))) == ITEMS  # Another client.
    ask(clock.now + timedelta(minutes=2))  # The start of the empty response, by a portal's clock that is ahead.

    assert set(states().values()) == {"staged"}
    assert staged.pk


def test_only_a_time_that_is_not_older_than_the_item_acknowledges(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], clock: Clock
) -> None:
    [modified_at] = set(FeedItem.objects.values_list("modified_at", flat=True))
    assert modified_at == clock.now.replace(microsecond=0) + timedelta(seconds=2)
    assert len(ask(modified_at - timedelta(days=1))) == ITEMS

    assert len(ask(modified_at - timedelta(seconds=1))) == ITEMS
    assert set(states().values()) == {"staged"}

    assert ask(modified_at) == []
    assert set(states().values()) == {"transmitted"}
    assert staged.pk


def test_the_poll_that_served_an_item_does_not_acknowledge_it_when_repeated(
    staged: ChannelConfiguration, ask: Callable[..., list[str]], clock: Clock
) -> None:
    since = clock.now + timedelta(hours=1)  # The portal's clock is ahead.

    assert [len(ask(since)) for _ in range(3)] == [ITEMS] * 3
    assert len(ask(since - timedelta(days=1))) == ITEMS
    assert len(ask(since)) == ITEMS, "a late duplicate must not make the next one count"

    assert ask(since + timedelta(seconds=1)) == []
    assert staged.pk


def test_an_item_that_changes_in_the_second_of_a_poll_is_not_lost(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    ask: Callable[..., list[str]],
    clock: Clock,
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    configuration = configure()
    run_of(configuration, clock)
    clock.forward(minutes=1)
    polled_at = clock.now
    assert ask(polled_at - timedelta(days=1)) == ["A"]  # The portal receives the item.
    clock.forward(microseconds=1)
    import_into(catalog, [CourseFactory.build(key="A", title="Newer")], now=clock.now)
    run_of(configuration, clock)

    assert ask(polled_at) == ["A"]
    assert ask(polled_at) == ["A"]
    assert states() == {"A": "staged"}


def test_an_entry_that_is_written_late_is_as_late_as_its_writing(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    configuration = configure()
    configuration.chunk_size = 1
    configuration.save()
    written: list[datetime] = []

    def slow_clock() -> datetime:
        clock.forward(seconds=10)
        return clock.now

    slow: Any = slow_clock

    def noted(_: type[FeedItem], now: datetime) -> datetime:
        written.append(now)
        return earliest(now)

    earliest = FeedItem.visible_from
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeedItem, "visible_from", classmethod(noted))
        run_of(configuration, slow)

    times = list(FeedItem.objects.order_by("pk").values_list("modified_at", flat=True))
    assert len(set(times)) == 3
    assert all(time >= earliest(moment) for time, moment in zip(times, written[1::2], strict=False))


def test_the_earliest_times_are_stored(staged: ChannelConfiguration, ask: Callable[..., list[str]]) -> None:
    for since in ("Sat, 01 Jan 0100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert len(ask(since)) == ITEMS
        assert set(FeedItem.objects.values_list("served_since", flat=True)) == {datetime(1970, 1, 1, tzinfo=UTC)}
    assert staged.pk


def test_a_count_that_is_no_number_returns_everything(
    staged: ChannelConfiguration, ask: Callable[..., list[str]]
) -> None:
    for count in ("", "0", "-1", "x", "10.5", "9" * 5_000, "٣" * 50):
        assert len(ask(count=count)) == ITEMS
    assert staged.pk


def test_head_changes_nothing_where_any_poll_acknowledges(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    ask: Callable[..., list[str]],
    clock: Clock,
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configure(any_poll_proves=True), clock)

    ask(method="HEAD")
    assert ask() == ["A"]
    ask(method="HEAD")
    assert states() == {"A": "staged"}
    assert ask() == []
    assert states() == {"A": "transmitted"}
