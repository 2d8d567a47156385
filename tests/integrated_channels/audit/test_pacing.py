"""Adaptive batch sizes: properties of one step, convergence, and the sizes stored with a configuration's lease."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.pacing import (
    AIM_SECONDS,
    FIRST_ITEMS,
    SCARCE_AIM_SECONDS,
    Pacer,
    next_size,
)
from enterprise_catalog.integrated_channels.domain import RateLimit
from enterprise_catalog.integrated_channels.models import SyncLease
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

MOST = 100
SIZES = st.integers(1, MOST)
DURATIONS = st.floats(0, 1e6)

# --- one step -------------------------------------------------------------------------------------------------------


@given(size=SIZES, items=SIZES, seconds=DURATIONS, has_response=st.booleans())
def test_a_size_is_never_more_than_allowed_and_at_most_doubles(
    size: int, items: int, seconds: float, *, has_response: bool
) -> None:
    items = min(items, size)

    following = next_size(size, items=items, seconds=seconds, most=MOST, has_response=has_response)

    assert 1 <= following <= min(MOST, max(size, 2 * items))


@given(size=SIZES, items=SIZES, durations=st.tuples(DURATIONS, DURATIONS), has_response=st.booleans())
def test_a_longer_call_never_leads_to_a_larger_size(
    size: int, items: int, durations: tuple[float, float], *, has_response: bool
) -> None:
    after_shorter, after_longer = (
        next_size(size, items=items, seconds=seconds, most=MOST, has_response=has_response)
        for seconds in sorted(durations)
    )

    assert after_longer <= after_shorter


@given(items=SIZES, seconds=DURATIONS)
def test_a_timeout_at_least_halves_the_size(items: int, seconds: float) -> None:
    following = next_size(items, items=items, seconds=seconds, most=MOST, has_response=False)

    assert following <= max(1, items // 2)
    assert following <= next_size(items, items=items, seconds=seconds, most=MOST)


def test_a_timeout_of_60_seconds_shrinks_100_items_to_8() -> None:
    assert next_size(100, items=100, seconds=60, most=100, has_response=False) == 8


@pytest.mark.parametrize(
    ("items", "seconds", "following"),
    [(20, 10, 20), (20, 5, 40), (20, 1, 40), (20, 0, 40), (20, 20, 10), (20, 200, 1), (20, 1e6, 1), (3, 1, 20)],
)
def test_a_call_leads_to_the_size_that_takes_ten_seconds(items: int, seconds: float, following: int) -> None:
    assert next_size(20, items=items, seconds=seconds, most=100) == following


# --- many steps -----------------------------------------------------------------------------------------------------


def settled(fixed: float, per_item: float, *, first: int, calls: int = 400) -> int:
    """Return the batch size after ``calls`` calls of ``fixed`` seconds plus ``per_item`` seconds per item."""
    size = first
    for _ in range(calls):
        size = next_size(size, items=size, seconds=fixed + per_item * size, most=MOST)
    return size


@given(per_item=st.floats(0.001, 60), first=SIZES)
def test_sizes_settle_at_ten_seconds_where_time_is_proportional_to_items(per_item: float, first: int) -> None:
    size = settled(0, per_item, first=first)

    assert abs(size - min(max(AIM_SECONDS / per_item, 1), MOST)) <= 1


@given(fixed=st.floats(0, AIM_SECONDS * 0.9), per_item=st.floats(0.001, 10), first=SIZES)
def test_sizes_settle_near_ten_seconds_where_a_part_of_the_time_is_fixed(
    fixed: float, per_item: float, first: int
) -> None:
    size = settled(fixed, per_item, first=first)

    seconds = fixed + per_item * size
    assert seconds <= AIM_SECONDS * (1 + 1e-9) or size == 1
    assert size == MOST or seconds >= AIM_SECONDS * size / (size + 1) * (1 - 1e-9)


@given(per_item=st.floats(0.001, AIM_SECONDS / 2), slow=st.floats(AIM_SECONDS, 600), has_response=st.booleans())
def test_a_single_slow_call_is_made_up_for_within_a_few_calls(
    per_item: float, slow: float, *, has_response: bool
) -> None:
    usual = settled(0, per_item, first=FIRST_ITEMS)
    after_slow = next_size(usual, items=usual, seconds=slow, most=MOST, has_response=has_response)

    recovered = settled(0, per_item, first=after_slow, calls=math.ceil(math.log2(MOST)) + 3)

    assert abs(recovered - usual) <= 1


def test_a_fast_lms_gets_full_batches_after_five_calls() -> None:
    pacer = Pacer(most=100)
    sizes = []
    for part in pacer.parts("create", range(355)):
        pacer.learn("create", items=len(part), seconds=0.5)
        sizes.append(len(part))

    assert sizes == [5, 10, 20, 40, 80, 100, 100]


@given(st.lists(st.integers(0, 9)), st.integers(1, 10), st.data())
def test_parts_rejoin_to_the_items_whatever_the_sizes(items: list[int], most: int, data: st.DataObject) -> None:
    pacer = Pacer(most=most)
    joined: list[int] = []
    for part in pacer.parts("create", items):
        assert 1 <= len(part) <= most
        joined += part
        pacer.learn("create", items=len(part), seconds=data.draw(st.floats(0, 100)))

    assert joined == items


# --- channels -------------------------------------------------------------------------------------------------------


def test_each_kind_of_call_has_a_size_of_its_own() -> None:
    pacer = Pacer(most=100)
    pacer.learn("create", items=5, seconds=50)
    pacer.learn("update", items=5, seconds=0.1)

    assert (pacer.size("create"), pacer.size("update"), pacer.size("delete")) == (1, 10, FIRST_ITEMS)


def test_a_channel_with_one_item_a_call_remembers_no_sizes() -> None:
    pacer = Pacer()
    pacer.fit(most=1, limit=None)
    pacer.learn("create", items=1, seconds=100)

    assert (pacer.size("create"), pacer.sizes) == (1, {})


def test_a_size_that_is_remembered_never_exceeds_what_the_channel_takes_now() -> None:
    pacer = Pacer({"create": 100})
    pacer.fit(most=30, limit=None)

    assert pacer.size("create") == 30


@pytest.mark.parametrize(
    ("limit", "first", "aim_seconds"),
    [
        (RateLimit(1, seconds=300), 1_000, SCARCE_AIM_SECONDS),  # SAP's imports.
        (RateLimit(6, seconds=60), 1_000, SCARCE_AIM_SECONDS),
        (RateLimit(7, seconds=60), FIRST_ITEMS, AIM_SECONDS),
        (None, FIRST_ITEMS, AIM_SECONDS),
    ],
)
def test_scarce_calls_start_full(limit: RateLimit | None, first: int, aim_seconds: float) -> None:
    pacer = Pacer()
    pacer.fit(most=1_000, limit=limit)

    assert (pacer.size("apply"), pacer.aim_seconds) == (first, aim_seconds)


@given(st.lists(st.tuples(SIZES, st.floats(-10, 1e4), st.booleans()), min_size=1))
def test_sizes_stay_within_bounds_though_the_clock_is_set_back(calls: list[tuple[int, float, bool]]) -> None:
    pacer = Pacer(most=MOST)
    for items, seconds, has_response in calls:
        pacer.learn("create", items=items, seconds=seconds, has_response=has_response)

    assume(pacer.sizes)
    assert 1 <= pacer.sizes["create"] <= MOST


# --- runs -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sizes_are_remembered_from_run_to_run(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.sort_seconds_per_course, moodle.sleep = 0.1, lambda seconds: clock.forward(seconds=seconds)
    CatalogFactory.create(courses=10, customer=customer)
    run_of(configuration, clock)
    learned = SyncLease.objects.get().batch_sizes

    lease = leases.acquire(configuration.pk, now=clock.now)

    assert lease is not None
    assert moodle.calls["core_course_create_courses"] == 2
    assert lease.pacer.sizes == learned == {"create": 10}


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_an_older_version_made_has_no_sizes(configuration: ChannelConfiguration, clock: Clock) -> None:
    SyncLease.objects.create(configuration=configuration, batch_sizes=None)

    lease = leases.acquire(configuration.pk, now=clock.now)

    assert lease is not None
    assert lease.pacer.sizes == {}
    leases.release(lease)
    assert SyncLease.objects.get().batch_sizes is None


@pytest.mark.django_db(transaction=True)
def test_what_the_rate_limit_leaves_is_cut_by_the_current_size(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=30, customer=customer)
    configuration = configure(settings={"category_id": 1, "calls_per_minute": 7})
    SyncLease.objects.create(configuration=configuration, batch_sizes={"create": 1})

    first = run_of(configuration, clock)

    # 7 calls for one item each were planned. Batches grow, and the same items need fewer calls.
    assert first.counts == {"create": {"done": 30}}
    assert moodle.calls.total() == 5
    assert len(moodle.courses) == 30
