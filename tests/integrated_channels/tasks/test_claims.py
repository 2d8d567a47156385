"""Claims: each due configuration is queued once, the oldest first, in turns of customers, within the limits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncLease, SyncQueue
from enterprise_catalog.integrated_channels.tasks import claims
from tests.factories import DAY_ONE
from tests.integrated_channels.tasks.fleet import make_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_django import Settings

    from enterprise_catalog.integrated_channels.tasks.claims import Claim

pytestmark = pytest.mark.django_db

NOW = DAY_ONE + timedelta(days=1)


def claim(now: datetime = NOW, *, least: int = 1) -> list[Claim]:
    return claims.claim_due(claims.read_load(now), now=now, least=least)


def ids_of(claimed: Sequence[Claim]) -> list[int]:
    return [each.configuration_id for each in claimed]


def make(**columns: Any) -> int:
    [pk] = make_fleet(1, **columns)
    return pk


@pytest.mark.parametrize("number", [1_000, 10_000])
def test_a_tick_takes_the_same_statements_for_any_fleet(number: int, settings: Settings) -> None:
    make_fleet(number)

    with CaptureQueriesContext(connection) as first:
        claimed = claim()
    with CaptureQueriesContext(connection) as again:
        assert claim() == []

    assert len(claimed) == len(set(ids_of(claimed))) == settings.SYNC_QUEUE_SIZE
    assert (len(first), len(again)) == (4, 2)


def test_the_rest_is_queued_when_places_are_free(settings: Settings) -> None:
    settings.SYNC_QUEUE_SIZE = 4
    fleet = make_fleet(10)
    first = claim()

    assert claim() == []
    for each in first[:3]:
        assert claims.take(each.configuration_id, each.token)
        ChannelConfiguration.objects.filter(pk=each.configuration_id).update(next_sync_at=NOW + timedelta(days=1))
    assert claim(least=4) == []
    second = claim(least=3)

    assert (ids_of(first), ids_of(second)) == (fleet[:4], fleet[4:7])


def test_the_oldest_come_first_and_never_synced_ones_before_them(settings: Settings) -> None:
    settings.SYNC_QUEUE_SIZE = 3
    later, older, _ = make(next_sync_at=NOW), make(next_sync_at=DAY_ONE), make(next_sync_at=NOW)
    new = make(next_sync_at=None)

    assert ids_of(claim()) == [new, older, later]


def test_customers_take_turns(settings: Settings) -> None:
    settings.SYNC_QUEUE_SIZE = 5
    many = make_fleet(2_000, customers=1)
    ChannelConfiguration.objects.update(enterprise_customer_uuid="99999999-9999-4999-8999-999999999999")
    others = make_fleet(3, next_sync_at=NOW)

    assert ids_of(claim()) == [many[0], *others, many[1]]


def test_changes_do_not_wait_behind_the_sweep(settings: Settings) -> None:
    settings.SYNC_QUEUE_SIZE = 2
    swept = make_fleet(5)
    changed = make_fleet(3, queue=SyncQueue.CHANGES, next_sync_at=NOW)
    asked = make(queue=SyncQueue.INTERACTIVE, next_sync_at=NOW)

    queues = {each.configuration_id: each.queue for each in claim()}

    assert queues == {asked: "interactive", changed[0]: "changes", swept[0]: "sweep", swept[1]: "sweep"}


@pytest.mark.parametrize(
    "columns",
    [{"active": False}, {"next_sync_at": NOW + timedelta(seconds=1)}, {"queued_at": NOW}],
)
def test_only_due_configurations_that_are_not_queued_are_claimed(columns: dict[str, Any]) -> None:
    make(**columns)

    assert claim() == []


@pytest.mark.parametrize(("left", "is_running"), [(timedelta(minutes=1), True), (timedelta(0), False)])
def test_a_configuration_is_not_queued_while_it_runs(left: timedelta, *, is_running: bool) -> None:
    SyncLease.objects.create(configuration_id=make(), expires_at=NOW + left)

    assert (claim() == []) is is_running


def test_each_lms_host_gets_few_workers(settings: Settings) -> None:
    settings.SYNCS_PER_LMS_HOST = 3
    running, *same_host = make_fleet(6, hosts=1)
    SyncLease.objects.create(configuration_id=running, expires_at=NOW + timedelta(minutes=1))
    ChannelConfiguration.objects.filter(pk__in=[running, *same_host]).update(base_url="https://LMS.example.org/moodle")
    other = make()

    assert ids_of(claim()) == [*same_host[:2], other]
    assert claim() == []


def test_of_two_schedulers_one_gets_each_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = make_fleet(5)
    load = claims.read_load(NOW)
    choose, rivals = claims.LANES, list["Claim"]()

    class Lanes:
        """The lanes; another scheduler claims two configurations after this one has chosen them all."""

        def __iter__(self) -> Iterator[tuple[SyncQueue, ...]]:
            yield from choose
            monkeypatch.undo()
            rivals.extend(claim())
            claims.release(rivals[2:])

    monkeypatch.setattr(claims, "LANES", Lanes())
    ours = claims.claim_due(load, now=NOW)

    assert (ids_of(rivals[:2]), ids_of(ours)) == (fleet[:2], fleet[2:])


def test_a_message_is_valid_once() -> None:
    make()
    [claimed] = claim()

    assert not claims.take(claimed.configuration_id, claimed.token + 1)
    assert claims.take(claimed.configuration_id, claimed.token)
    assert not claims.take(claimed.configuration_id, claimed.token)


def test_a_user_does_not_wait_behind_the_sweep() -> None:
    make()
    [swept] = claim()

    asked = claims.claim_now(swept.configuration_id, now=NOW)

    assert asked is not None
    assert asked.queue == "interactive"
    assert claims.claim_now(swept.configuration_id, now=NOW) is None
    assert not claims.take(swept.configuration_id, swept.token)
    assert claims.take(asked.configuration_id, asked.token)


@pytest.mark.parametrize(
    ("age", "is_empty", "is_lost"),
    [
        (claims.LOST_AFTER, True, False),
        (claims.LOST_AFTER + timedelta(seconds=1), True, True),
        (claims.LOST_AFTER + timedelta(seconds=1), False, False),
        (claims.LOST_IN_ANY_CASE + timedelta(seconds=1), False, True),
    ],
)
def test_a_lost_message_is_sent_again(age: timedelta, *, is_empty: bool, is_lost: bool) -> None:
    pk = make()
    [lost] = claim()
    later = NOW + age

    claims.release_lost("sweep", is_empty=is_empty, now=later)

    assert ids_of(claim(later)) == ([pk] if is_lost else [])
    assert claims.take(pk, lost.token) is not is_lost


def test_claims_without_a_message_end() -> None:
    fleet = make_fleet(3)
    claimed = claim()

    claims.release(claimed[1:])

    assert ids_of(claim()) == fleet[1:]
