"""Canvas's leaky-bucket rate limit: runs stop before the bucket is full and recognize both throttling responses."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.canvas.client import BUCKET, UP_FRONT_COST
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError, CredentialsError, ThrottledError
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import CREATE, LOOK, TOKEN, connected, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas


class Clock:
    """A clock that tests set by hand, in epoch seconds."""

    def __init__(self) -> None:
        self.now = 1_795_400_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("parallel_calls", [1, 2, 4])
@pytest.mark.parametrize("request_cost", [9.0, 40.0])
def test_a_run_ends_in_time_and_the_next_one_has_room_after_the_pause(parallel_calls: int, request_cost: float) -> None:
    clock = Clock()
    canvas = CanvasSandbox(clock=clock, request_cost=request_cost)
    items = [outgoing(f"K{number:03}", may_be_there=False) for number in range(60)]

    runs = 0
    while items:
        channel = connected(canvas, parallel_calls=parallel_calls)
        transmission = Transmitter(channel).transmit(items)
        runs += 1
        assert runs < 100
        items = [
            outgoing(item.content_key, may_be_there=transmission.results[item.content_key].may_have_been_created)
            for item in items
            if transmission.results[item.content_key].outcome is not Outcome.DONE
        ]
        if items:
            assert isinstance(transmission.stopped_by, BudgetSpentError), transmission.stopped_by
            clock.now += transmission.stopped_by.retry_after_seconds or 0.0

    assert len(canvas.offered()) == len(canvas.content()) == 60


def test_the_pause_is_what_the_bucket_takes_to_drain(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.request_cost = 460.0

    channel.find(["A"])
    with pytest.raises(BudgetSpentError, match="140 of 600 units are left") as stopped:
        channel.find(["B"])

    assert stopped.value.retry_after_seconds == pytest.approx(460.0 / BUCKET.drained_per_second)
    assert canvas.calls == {TOKEN: 1, LOOK: 1}


@pytest.mark.parametrize(("parallel_calls", "least"), [(1, 100.0), (2, 150.0), (4, 250.0)])
def test_so_much_is_left_that_calls_at_the_same_time_do_not_fill_it(parallel_calls: int, least: float) -> None:
    assert least == UP_FRONT_COST * (parallel_calls + 1)
    for cost, is_enough in ((BUCKET.size - least, True), (BUCKET.size - least + 0.5, False)):
        canvas = CanvasSandbox(clock=Clock(), request_cost=cost)
        channel = connected(canvas, parallel_calls=parallel_calls)
        channel.find(["A"])
        canvas.request_cost = 0.0

        if is_enough:
            assert channel.find(["B"]) == {}
        else:
            with pytest.raises(BudgetSpentError):
                channel.find(["B"])


def test_an_answer_that_arrives_late_does_not_raise_the_level() -> None:
    late_is_sent, early_is_answered = threading.Event(), threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login/oauth2/token":
            return httpx.Response(200, json={"access_token": "a token of the tests"})
        remaining = "20"
        if "LATE" in request.url.path:
            remaining = "580"
            late_is_sent.set()
            assert early_is_answered.wait(30)
        missing = {"errors": [{"message": "The specified resource does not exist."}]}
        return httpx.Response(404, json=missing, headers={"X-Rate-Limit-Remaining": remaining})

    channel = connected(httpx.MockTransport(answer), parallel_calls=2)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(channel.find, ["LATE"])
        assert late_is_sent.wait(30)
        channel.find(["EARLY"])
        early_is_answered.set()
        late.result()

    with pytest.raises(BudgetSpentError, match="20 of 600 units are left"):
        channel.find(["NEXT"])


def test_no_pause_is_made_for_a_canvas_without_throttling(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.high_water = float("inf")
    canvas.request_cost = 1_000.0

    assert channel.find([f"K{number}" for number in range(50)]) == {}


@pytest.mark.parametrize("headers", [{}, {"X-Rate-Limit-Remaining": ""}, {"X-Rate-Limit-Remaining": "plenty"}])
def test_no_pause_is_made_for_a_canvas_without_throttling_headers(headers: dict[str, str]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login/oauth2/token":
            return httpx.Response(200, json={"access_token": "a token of the tests"})
        course = {"id": 1, "workflow_state": "available", "integration_id": "B"}
        return httpx.Response(200, json=course, headers=headers)

    assert connected(httpx.MockTransport(answer)).find(["A", "B", "C"]) == {"B": "1"}


@pytest.mark.parametrize(("style", "status"), [("403", 403), ("429", 429)])
def test_both_ways_to_be_throttled_end_the_run_and_blame_no_item(
    canvas: CanvasSandbox, style: Literal["403", "429"], status: int
) -> None:
    # With two parallel calls, the second may be sent before the response to the first arrives.
    channel = connected(canvas, parallel_calls=1)
    canvas.throttle_style = style
    canvas.high_water = 0.0

    transmission = Transmitter(channel).transmit([outgoing("A"), outgoing("B")])

    stopped = transmission.stopped_by
    assert isinstance(stopped, ThrottledError)
    assert not isinstance(stopped, BudgetSpentError)
    assert stopped.status_code == status
    assert {result.outcome for result in transmission.results.values()} == {Outcome.THROTTLED}
    assert canvas.calls == {TOKEN: 1, LOOK: 1}


def test_the_older_way_waits_until_the_bucket_is_empty(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.high_water = 0.0

    with pytest.raises(ThrottledError, match=r"403 Forbidden \(Rate Limit Exceeded\)") as stopped:
        channel.find(["A"])

    assert stopped.value.retry_after_seconds == BUCKET.size / BUCKET.drained_per_second


def test_a_retry_after_is_kept(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=429, retry_after="77"))

    with pytest.raises(ThrottledError) as stopped:
        channel.create([outgoing("A")])

    assert stopped.value.retry_after_seconds == 77


def test_a_log_in_may_be_throttled_as_well(canvas: CanvasSandbox, channel: Canvas) -> None:
    text = "403 Forbidden (Rate Limit Exceeded)\n"
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=TOKEN, status=403, body=text, content_type="text/plain"))

    with pytest.raises(ThrottledError):
        channel.find(["A"])


def test_another_403_is_a_refusal(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, status=403, body="<html>Firewall</html>"))

    with pytest.raises(CredentialsError, match="Firewall"):
        channel.create([outgoing("A")])
