"""Recovery from a timeout: the engine waits until the LMS has finished the call, and adopts the created items."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.audit.pacing import Pacer
from enterprise_catalog.integrated_channels.domain import Action, Outgoing
from enterprise_catalog.integrated_channels.exceptions import LMSUnavailableError, TimedOutError
from enterprise_catalog.integrated_channels.lms import client as lms_client
from enterprise_catalog.integrated_channels.models import RunState, TransmissionAttempt
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.sync.timing import POLLS, Timing
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.fake_lms import FakeLMS, FakeLMSChannel

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.parts import Transmission
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

KEYS = [f"K{number}" for number in range(8)]
TIMEOUT_SECONDS = 60.0


@dataclass
class SlowLMS(FakeLMS):
    """An LMS that continues with a call after its client gives up. It has its own clock."""

    now: float = 0.0
    #: Number of a request (from 1) -> seconds until it is carried out.
    slow: dict[int, float] = field(default_factory=dict)
    _under_way: list[tuple[float, httpx.Request]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        for done_at, earlier in list(self._under_way):
            if done_at <= self.now:
                self._under_way.remove((done_at, earlier))
                super().__call__(earlier)
                self.calls[earlier.url.path.removeprefix("/")] -= 1  # Counted when it was sent.
        seconds = self.slow.get(self.calls.total() + 1, 0.0)
        if seconds <= TIMEOUT_SECONDS:
            self.now += seconds
            return super().__call__(request)
        self.calls[request.url.path.removeprefix("/")] += 1
        self._under_way.append((self.now + seconds, request))
        self.now += TIMEOUT_SECONDS
        raise httpx.ReadTimeout("too slow")


@pytest.fixture
def fake_lms() -> SlowLMS:
    return SlowLMS()


def transmitter_to(fake_lms: SlowLMS, *, size: int = 4, **attributes: Any) -> Transmitter:
    """Return a transmitter with the LMS's clock and batches of at most ``size`` items."""
    channel = FakeLMSChannel(fake_lms)
    channel.items_per_call = size
    for name, value in attributes.items():
        setattr(channel, name, value)

    def sleep(seconds: float) -> None:
        fake_lms.now += seconds

    def clock() -> Any:
        return DAY_ONE + timedelta(seconds=fake_lms.now)

    return Transmitter(channel, timing=Timing(Pacer(most=size, first=size), clock, sleep))


def unseen(*keys: str) -> list[Outgoing]:
    return [Outgoing(key, {"title": "Ours"}, may_be_there=False) for key in keys]


def outcomes(transmission: Transmission) -> dict[str, str]:
    return {key: result.outcome.value for key, result in transmission.results.items()}


def test_the_next_call_is_sent_when_the_lms_has_finished_the_last_one(fake_lms: SlowLMS) -> None:
    fake_lms.slow = {1: 170}

    transmission = transmitter_to(fake_lms).transmit(unseen(*KEYS))

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")
    assert transmission.stopped_by is None
    assert (fake_lms.shown, len(fake_lms.courses)) == (dict.fromkeys(KEYS, "Ours"), 8)
    polls = 19  # Every 6 seconds, from second 66 on.
    # One look-up and one update adopt the batch of four. Smaller batches follow.
    assert fake_lms.calls == {"create": 1 + 3, "find": polls + 1, "update": 1}
    assert [result.remote_id for result in transmission.results.values()] == [f"id-{n}" for n in range(1, 9)]


def test_a_call_that_times_out_ends_the_run_and_its_items_are_looked_up(fake_lms: SlowLMS) -> None:
    fake_lms.slow = {1: 10_000}

    transmission = transmitter_to(fake_lms).transmit(unseen(*KEYS))

    assert outcomes(transmission) == dict.fromkeys(KEYS[:4], "retry") | dict.fromkeys(KEYS[4:], "skipped")
    assert isinstance(transmission.stopped_by, LMSUnavailableError)
    assert transmission.stopped_by.message == (
        "A call with 4 items timed out, and the LMS did not complete it within 300 seconds."
    )
    assert [key for key, result in transmission.results.items() if result.may_have_been_created] == KEYS[:4]
    assert fake_lms.calls == {"create": 1, "find": POLLS}

    fake_lms.now += 10_000
    later = [Outgoing(key, {"title": "Ours"}, may_be_there=key in KEYS[:4]) for key in KEYS]
    transmission = transmitter_to(fake_lms).transmit(later)

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")
    assert (fake_lms.shown, len(fake_lms.courses)) == (dict.fromkeys(KEYS, "Ours"), 8)


def test_an_lms_that_does_not_respond_to_look_ups_receives_three_requests(fake_lms: SlowLMS) -> None:
    fake_lms.slow = dict.fromkeys(range(1, 100), 1_000)

    transmission = transmitter_to(fake_lms).transmit(unseen(*KEYS))

    assert isinstance(transmission.stopped_by, LMSUnavailableError)
    assert fake_lms.calls == {"create": 1, "find": 3}


def test_an_item_rejected_after_the_timeout_is_found_missing_and_created(fake_lms: SlowLMS) -> None:
    # K3 is another user's course: the create is rejected because of it, but its key is found.
    fake_lms.put("K3")
    fake_lms.slow = {1: 100}

    transmission = transmitter_to(fake_lms).transmit(unseen(*KEYS[:4]))

    assert outcomes(transmission) == dict.fromkeys(KEYS[:4], "done")
    assert (fake_lms.shown, len(fake_lms.courses)) == (dict.fromkeys(KEYS[:4], "Ours"), 4)


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_after_a_change_that_timed_out_the_engine_waits_as_long_again(fake_lms: SlowLMS, action: Action) -> None:
    ids = fake_lms.put(*KEYS)
    fake_lms.slow = {1: 110}
    payload = {} if action is Action.DELETE else {"title": "Ours"}
    items = [Outgoing(key, payload, id_, action=action) for key, id_ in zip(KEYS, ids, strict=True)]

    transmission = transmitter_to(fake_lms).transmit(items)

    assert outcomes(transmission) == dict.fromkeys(KEYS[:4], "retry") | dict.fromkeys(KEYS[4:], "done")
    assert fake_lms.now >= 2 * TIMEOUT_SECONDS
    assert fake_lms.shown == ({} if action is Action.DELETE else dict.fromkeys(KEYS, "Ours"))


def test_a_channel_with_one_item_a_call_does_not_wait(fake_lms: SlowLMS) -> None:
    fake_lms.slow = {1: 100}

    transmission = transmitter_to(fake_lms, size=1).transmit(unseen("A", "B"))

    assert outcomes(transmission) == {"A": "retry", "B": "done"}
    assert fake_lms.now == TIMEOUT_SECONDS


def test_a_slow_lms_that_answers_gets_smaller_batches_and_is_not_waited_for(fake_lms: SlowLMS) -> None:
    fake_lms.slow = {1: 40}

    transmission = transmitter_to(fake_lms).transmit(unseen(*KEYS))

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")
    assert fake_lms.calls == {"create": 1 + 3}  # Batches of 4, 1, 2 and 1 items.


def test_what_vanishes_before_it_is_adopted_is_created_again(fake_lms: SlowLMS) -> None:
    fake_lms.slow, fake_lms.vanishing = {1: 100}, {"K0"}

    transmission = transmitter_to(fake_lms).transmit(unseen("K0", "K1"))

    assert outcomes(transmission) == {"K0": "done", "K1": "done"}
    assert fake_lms.shown == {"K0": "Ours", "K1": "Ours"}


def test_the_lease_is_kept_during_a_pause() -> None:
    kept: list[int] = []
    slept: list[float] = []
    timing = Timing(Pacer(), sleep=slept.append, renew_if_due=lambda: kept.append(len(slept)))

    timing.pause(3.5)

    assert (slept, kept) == ([1, 1, 1, 0.5], [1, 2, 3, 4])


@pytest.mark.parametrize("status", [504, 524])
def test_a_proxy_that_gave_up_waiting_is_a_timeout(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status))

    with pytest.raises(TimedOutError):
        lms_client.LMSClient("http://lms.test", transport=transport).send("POST", "/")


# --- a slow Moodle, over HTTP -----------------------------------------------------------------------------------------

CREATE = "core_course_create_courses"
LOOK_UP = "core_course_get_courses_by_field"


@pytest.mark.django_db(transaction=True)
def test_a_moodle_that_outlasts_the_timeout_gets_each_course_once(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lms_client, "TIMEOUT", httpx.Timeout(5, read=1))
    naps = iter([3.0])
    # The first create takes 3 seconds, later creates are fast.
    moodle.sort_seconds_per_course, moodle.sleep = 1e-9, lambda _: time.sleep(next(naps, 0))
    CatalogFactory.create(courses=12, customer=customer)

    def moving_clock() -> Any:
        return DAY_ONE + timedelta(seconds=time.monotonic() - started)

    started = time.monotonic()
    run = sync(configuration, clock=moving_clock)

    assert run is not None
    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 12}})
    assert sorted(course["idnumber"] for course in moodle.courses) == sorted(moodle.offered())
    assert len(moodle.courses) == 12
    assert not TransmissionAttempt.objects.exclude(outcome="done").exists()
    assert moodle.calls["core_course_update_courses"] >= 1
