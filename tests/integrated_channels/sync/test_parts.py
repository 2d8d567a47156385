"""A chunk that takes several calls: their failures, and calls in parallel."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outgoing
from enterprise_catalog.integrated_channels.exceptions import LeaseLostError, LMSUnavailableError
from enterprise_catalog.integrated_channels.sync.transmitter import MAX_CONSECUTIVE_FAILURES, Transmitter
from tests.integrated_channels.fake_lms import FakeLMS, FakeLMSChannel
from tests.integrated_channels.sync.test_transmitter import KEYS, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


pytestmark = pytest.mark.usefixtures("_frequent_switches")


class NarrowChannel(FakeLMSChannel):
    """An LMS that accepts one course per call, and two parallel calls."""

    items_per_call = 1
    parallel_calls = 2


@pytest.fixture
def _frequent_switches() -> Iterator[None]:
    """Threads that take turns after each few instructions, which brings races to light."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("parallel_calls", [1, 2])
@pytest.mark.parametrize("action", Action)
def test_each_part_of_a_chunk_is_a_call_of_its_own(fake_lms: FakeLMS, action: Action, parallel_calls: int) -> None:
    ids = [] if action is Action.CREATE else fake_lms.put(*KEYS)
    channel = NarrowChannel(fake_lms)
    channel.parallel_calls = parallel_calls
    known = zip(KEYS, ids or [""] * 8, strict=True)
    items = [Outgoing(key, {"title": "Ours"}, id_, action=action) for key, id_ in known]

    transmission = Transmitter(channel).transmit(items)

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")
    assert fake_lms.calls[action] == 8
    assert fake_lms.shown == ({} if action is Action.DELETE else dict.fromkeys(KEYS, "Ours"))


def test_many_calls_at_the_same_time_create_each_course_once(fake_lms: FakeLMS) -> None:
    keys = [f"K{number}" for number in range(200)]
    channel = NarrowChannel(fake_lms)
    channel.parallel_calls = 4

    transmission = Transmitter(channel).transmit([Outgoing(key, {"title": "Ours"}) for key in keys])

    assert outcomes(transmission) == dict.fromkeys(keys, "done")
    assert sorted(course.key for course in fake_lms.courses.values()) == sorted(keys)


def test_other_work_is_done_while_threads_make_the_calls(fake_lms: FakeLMS, monkeypatch: pytest.MonkeyPatch) -> None:
    is_done, channel = threading.Event(), NarrowChannel(fake_lms)
    create = channel.create

    def create_afterwards(items: Sequence[Outgoing]) -> list[ItemResult]:
        assert is_done.wait(timeout=10)
        return list(create(items))

    monkeypatch.setattr(channel, "create", create_afterwards)

    transmission = Transmitter(channel).transmit(
        [Outgoing(key, {"title": "Ours"}) for key in KEYS], meanwhile=is_done.set
    )

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")


def test_a_chunk_waits_for_calls_when_other_work_fails(fake_lms: FakeLMS) -> None:
    has_begun, has_failed = threading.Event(), threading.Event()

    class WaitingChannel(NarrowChannel):
        def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
            has_begun.set()
            assert has_failed.wait(timeout=10)
            time.sleep(0.2)  # Meanwhile, the main thread cancels the parts that have not started.
            return super().create(items)

    def lose_lease() -> None:
        assert has_begun.wait(timeout=10)
        has_failed.set()
        raise LeaseLostError("taken over")

    with pytest.raises(LeaseLostError):
        Transmitter(WaitingChannel(fake_lms)).transmit(
            [Outgoing(key, {"title": "Ours"}) for key in KEYS], meanwhile=lose_lease
        )

    courses = len(fake_lms.courses)
    assert 0 < courses < len(KEYS)
    time.sleep(0.5)
    assert len(fake_lms.courses) == courses


def test_a_passing_failure_costs_its_own_part_only(fake_lms: FakeLMS) -> None:
    fake_lms.outages = {2: 503, 5: 503}
    channel = NarrowChannel(fake_lms)
    channel.parallel_calls = 1
    items = [
        Outgoing(k, {"title": "Ours"}, i, action=Action.UPDATE) for k, i in zip(KEYS, fake_lms.put(*KEYS), strict=True)
    ]

    transmission = Transmitter(channel).transmit(items)

    assert [key for key, outcome in outcomes(transmission).items() if outcome == "retry"] == ["K1", "K4"]
    assert transmission.stopped_by is None


@pytest.mark.parametrize("parallel_calls", [1, 2])
def test_an_lms_that_is_down_is_not_called_for_each_item(fake_lms: FakeLMS, parallel_calls: int) -> None:
    fake_lms.outages = dict.fromkeys(range(1, 100), 503)
    channel = NarrowChannel(fake_lms)
    channel.parallel_calls = parallel_calls

    transmission = Transmitter(channel).transmit([Outgoing(key, {"title": "Ours"}) for key in KEYS])

    assert type(transmission.stopped_by) is LMSUnavailableError
    assert fake_lms.calls.total() <= MAX_CONSECUTIVE_FAILURES - 1 + parallel_calls
    counted = Counter(outcomes(transmission).values())
    assert counted == {"retry": fake_lms.calls.total(), "skipped": len(KEYS) - fake_lms.calls.total()}


def test_silence_is_counted_from_chunk_to_chunk(fake_lms: FakeLMS) -> None:
    fake_lms.outages = dict.fromkeys(range(1, MAX_CONSECUTIVE_FAILURES + 1), 503)
    transmitter = Transmitter(FakeLMSChannel(fake_lms))

    stopped = [transmitter.transmit([Outgoing("A", {})]).stopped_by for _ in range(MAX_CONSECUTIVE_FAILURES)]

    assert [type(error) for error in stopped] == [type(None), type(None), LMSUnavailableError]


def test_no_more_calls_than_allowed_are_under_way_and_the_lease_is_looked_after(fake_lms: FakeLMS) -> None:
    under_way, most, beats = 0, 0, 0

    class SlowChannel(NarrowChannel):
        def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            time.sleep(0.01)
            under_way -= 1
            return super().update(items)

    def beat() -> None:
        nonlocal beats
        beats += 1

    items = [
        Outgoing(k, {"title": "Ours"}, i, action=Action.UPDATE) for k, i in zip(KEYS, fake_lms.put(*KEYS), strict=True)
    ]

    Transmitter(SlowChannel(fake_lms), renew_if_due=beat).transmit(items)

    assert most == 2
    assert beats >= 1


def test_a_lost_lease_ends_calls_that_are_under_way_at_the_same_time(fake_lms: FakeLMS) -> None:
    def lose_it() -> None:
        raise LeaseLostError("another worker has it")

    with pytest.raises(LeaseLostError):
        Transmitter(NarrowChannel(fake_lms), renew_if_due=lose_it).transmit(
            [Outgoing(key, {"title": "Ours"}, may_be_there=False) for key in KEYS]
        )
