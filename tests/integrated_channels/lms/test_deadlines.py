"""Deadlines: calls and runs end in time, even if an LMS or the catalog service never does."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from django.db import connection

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.catalog_api import connection as catalog_connection
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.exceptions import (
    CatalogUnavailableError,
    DeadlineExceededError,
    LMSTooSlowError,
    RetryableError,
    RunDeadlineError,
    StopRequestedError,
)
from enterprise_catalog.integrated_channels.lms import deadlines, stopping
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock, WorkThread
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState, SyncLease
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.settings.environment import Environment
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.endless_lms import KINDS, endless_lms
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

#: Deadline of calls in these tests.
SECONDS: Final = 0.6
#: Far longer than a call takes on a busy machine, and far shorter than an endless call.
PATIENCE_SECONDS: Final = 30


@pytest.fixture(autouse=True)
def _no_stop_request_is_left() -> Iterator[None]:
    yield
    stopping.withdraw_stop()


def client_of(url: str, **arguments: Any) -> LMSClient:
    clock = CallClock(seconds=SECONDS, **arguments)
    return LMSClient(url, private_addresses=True, call_clock=clock)


# --- calls to an LMS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_ends_by_its_deadline_if_any_part_of_it_is_endless(kind: str) -> None:
    with endless_lms(kind) as url, client_of(url) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError, match=r"did not complete any response within 0\.6 seconds"):
            client.send("GET", "/")

    assert SECONDS <= time.monotonic() - began < PATIENCE_SECONDS


def test_an_lms_that_reads_a_byte_now_and_then_cannot_keep_a_call_open() -> None:
    with endless_lms("silence", reads=False) as url, client_of(url) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            client.send("POST", "/", json="x" * 20_000_000)

    assert SECONDS <= time.monotonic() - began < PATIENCE_SECONDS


def test_a_tls_handshake_ends_by_the_deadline() -> None:
    with (
        endless_lms("silence") as url,
        client_of(url.replace("http:", "https:")) as client,
        pytest.raises(DeadlineExceededError),
    ):
        client.send("GET", "/")


@pytest.mark.parametrize("private", [True, False])
def test_the_resolution_of_a_name_ends_by_the_deadline(monkeypatch: pytest.MonkeyPatch, *, private: bool) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: is_over.wait(PATIENCE_SECONDS) and [])

    clock = CallClock(seconds=SECONDS)
    with (
        LMSClient("http://lms.test", private_addresses=private, call_clock=clock) as client,
        pytest.raises(DeadlineExceededError),
    ):
        client.send("GET", "/")
    is_over.set()


def test_a_slow_resolution_is_a_connection_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: is_over.wait(PATIENCE_SECONDS) and [])
    monkeypatch.setattr(deadlines, "RESOLVE_SECONDS", 0.1)

    with (
        LMSClient("http://lms.test") as client,
        pytest.raises(RetryableError, match=r"no response from DNS within 0\.1"),
    ):
        client.send("GET", "/")
    is_over.set()


def test_a_name_with_several_addresses_leads_to_the_one_that_answers(
    moodle_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def look_up(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "lms.test":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in ("127.0.0.2", "127.0.0.1")]
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with LMSClient(moodle_url.replace("127.0.0.1", "lms.test"), private_addresses=True) as client:
        assert client.send("GET", "/nothing", accept={404}).status_code == 404


def test_calls_that_fail_in_a_row_share_the_time_of_one() -> None:
    answers = iter([0.4, 0.0, 0.4, 0.4])

    def answer(_: httpx.Request) -> httpx.Response:
        seconds = next(answers)
        time.sleep(seconds)
        return httpx.Response(503 if seconds else 200)

    clock = CallClock(seconds=SECONDS)
    with LMSClient("http://lms.test", transport=httpx.MockTransport(answer), call_clock=clock) as client:
        for is_well in (False, True, False, False):
            if is_well:
                client.send("GET", "/")
                continue
            with pytest.raises(RetryableError):
                client.send("GET", "/")
        with pytest.raises(LMSTooSlowError):
            client.send("GET", "/")


def test_no_call_begins_or_continues_after_the_end_of_the_run() -> None:
    with endless_lms("body") as url:
        with client_of(url, run_seconds_left=lambda: 0.2) as client, pytest.raises(DeadlineExceededError) as raised:
            client.send("GET", "/")
        with client_of(url, run_seconds_left=lambda: 0.0) as client, pytest.raises(RunDeadlineError):
            client.send("GET", "/")

    assert raised.value.is_of_run
    assert "SYNC_RUN_SECONDS" in str(raised.value)


def test_a_call_is_broken_off_when_the_grace_of_a_stop_request_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.3)
    requesting = threading.Timer(0.2, stopping.request_stop)

    with endless_lms("body") as url, LMSClient(url, private_addresses=True) as client:
        requesting.start()
        began = time.monotonic()
        with pytest.raises(StopRequestedError):
            client.send("GET", "/")

    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_call_always_ends_before_its_lease_expires() -> None:
    [most] = [limit.le for limit in Environment.model_fields["LMS_CALL_SECONDS"].metadata if hasattr(limit, "le")]
    longest = timedelta(seconds=most)
    reserve = timedelta(seconds=30)

    assert leases.RENEWAL_INTERVAL + longest + reserve <= leases.LEASE_DURATION
    assert (
        leases.RENEWAL_INTERVAL + timedelta(seconds=catalog_connection.REQUEST_SECONDS) + reserve
        < leases.LEASE_DURATION
    )


# --- work in a thread -----------------------------------------------------------------------------------------------


def test_work_that_is_given_up_does_not_hold_up_the_next() -> None:
    thread, is_over = WorkThread(), threading.Event()

    with pytest.raises(TimeoutError):
        thread.run(lambda: is_over.wait(PATIENCE_SECONDS), seconds=0.05)

    assert thread.run(lambda: "done", seconds=PATIENCE_SECONDS) == "done"
    is_over.set()
    thread.close()


def test_errors_of_work_are_those_of_its_caller() -> None:
    thread = WorkThread()

    with pytest.raises(KeyError, match="lost"):
        thread.run(lambda: dict[str, int]()["lost"], seconds=PATIENCE_SECONDS)
    thread.close()


# --- the catalog service --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endless", ["CATALOG_API_URL", "OAUTH2_PROVIDER_URL"])
@pytest.mark.parametrize("kind", ["headers", "body", "trailers"])
def test_a_request_to_the_catalog_or_for_a_token_ends_by_its_deadline(
    customer: EnterpriseCustomer, settings: Settings, monkeypatch: pytest.MonkeyPatch, endless: str, kind: str
) -> None:
    monkeypatch.setattr(catalog_connection, "REQUEST_SECONDS", SECONDS)

    with endless_lms(kind) as url:
        setattr(settings, endless, url)
        with CatalogClient() as client, pytest.raises(CatalogUnavailableError, match=r"within 0\.6 seconds"):
            client.list_catalogs(customer.pk)


# --- runs -----------------------------------------------------------------------------------------------------------

runs = pytest.mark.django_db(transaction=True)


@runs
def test_a_call_over_its_deadline_ends_the_run_and_pauses_grow_until_one_is_met(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle_url: str,
    clock: Clock,
    settings: Settings,
) -> None:
    settings.LMS_CALL_SECONDS = SECONDS
    CatalogFactory.create(content=["A"], customer=customer)
    pauses = []

    with endless_lms("trailers") as url:
        configuration = configure(base_url=url, sync_interval_minutes=8)
        for _ in range(4):
            run = run_of(configuration, clock)
            configuration.refresh_from_db()
            assert (run.state, run.counts) == (RunState.STOPPED, {"create": {"retry": 1}})
            assert "did not complete any response within" in run.reason
            assert configuration.next_sync_at is not None
            pauses.append(configuration.next_sync_at - clock.now)
            assert run_of(configuration, clock).waiting == 1  # Makes no call and changes nothing.
            clock.forward(days=1)

    assert [pause.total_seconds() / 60 for pause in pauses] == [8, 10, 20, 40]
    configuration.base_url = moodle_url
    configuration.save()
    settings.LMS_CALL_SECONDS = 100
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert SyncLease.objects.get().overruns == 0


@runs
def test_no_further_call_is_made_in_the_run_of_one_that_was_over_its_deadline(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, clock: Clock, settings: Settings
) -> None:
    settings.LMS_CALL_SECONDS = SECONDS
    CatalogFactory.create(content="ABC", customer=customer)

    with endless_lms("trailers") as url:
        run = run_of(configure(base_url=url, chunk_size=1), clock)

    assert (run.state, run.counts) == (RunState.STOPPED, {"create": {"retry": 1}})
    assert run.backlog == 2


@runs
def test_a_run_over_its_time_ends_between_calls_and_the_next_one_continues(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    settings: Settings,
) -> None:
    settings.SYNC_RUN_SECONDS = 600
    configuration = configure(chunk_size=1)
    CatalogFactory.create(content="ABC", customer=customer)
    moodle.faults.sleep = lambda _: clock.forward(seconds=601)
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    run = run_of(configuration, clock)

    configuration.refresh_from_db()
    assert (run.state, run.counts) == (RunState.INCOMPLETE, {"create": {"done": 1}})
    assert "SYNC_RUN_SECONDS" in run.reason
    assert configuration.next_sync_at == clock.now + timedelta(minutes=5)
    assert SyncLease.objects.get().overruns == 1
    assert not ContentMetadataItemTransmission.objects.exclude(state__in=(State.PENDING, State.TRANSMITTED)).exists()
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert len(moodle.courses) == 3


@runs
def test_a_run_that_breaks_a_call_off_after_a_stop_request_loses_nothing(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.2)
    CatalogFactory.create(content=["A", "B"], customer=customer)
    is_over = threading.Event()

    def request_stop_and_hang(_: float) -> None:
        stopping.request_stop()
        is_over.wait(PATIENCE_SECONDS)

    moodle.faults.sleep = request_stop_and_hang
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    run = run_of(configuration, clock)
    is_over.set()

    configuration.refresh_from_db()
    assert (run.state, configuration.next_sync_at) == (RunState.INCOMPLETE, clock.now)
    assert "asked to stop" in run.reason
    assert SyncLease.objects.get().expires_at is None
    stopping.withdraw_stop()
    while len(moodle.courses) < 2:  # The LMS continues with the canceled call.
        time.sleep(0.05)
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert len(moodle.courses) == 2


# --- slots for slow syncs -------------------------------------------------------------------------------------------


@pytest.fixture
def slow(configure: Callable[..., ChannelConfiguration]) -> list[ChannelConfiguration]:
    """Four configurations whose last run exceeded a deadline."""
    configurations = [configure() for _ in range(4)]
    for configuration in configurations:
        SyncLease.objects.create(configuration=configuration, overruns=1)
    return configurations


@runs
def test_one_slow_configuration_at_a_time_gets_a_worker(
    slow: list[ChannelConfiguration], configure: Callable[..., ChannelConfiguration], clock: Clock, settings: Settings
) -> None:
    def lease_of(configuration: ChannelConfiguration, *, in_worker: bool = True) -> leases.Lease | None:
        return leases.acquire(configuration.pk, now=clock.now, in_worker=in_worker)

    first, second, third, fourth = slow
    lease = lease_of(first)
    assert lease is not None
    assert lease_of(second) is None
    assert lease_of(third, in_worker=False) is not None  # A command occupies no worker.
    assert lease_of(configure()) is not None
    leases.release(lease)
    assert lease_of(second) is not None
    assert lease_of(first) is None
    clock.forward(seconds=leases.LEASE_DURATION.total_seconds() + 1)  # The worker has died.
    assert lease_of(first) is not None
    assert lease_of(fourth) is None
    settings.SLOW_SYNCS = 2
    assert lease_of(fourth) is not None
    assert lease_of(second) is None


@runs
def test_slow_configurations_that_come_at_once_get_one_worker(slow: list[ChannelConfiguration], clock: Clock) -> None:
    for _ in range(5):
        ready = threading.Barrier(len(slow))
        taken: list[leases.Lease] = []

        def take(configuration: ChannelConfiguration, ready: threading.Barrier, taken: list[leases.Lease]) -> None:
            ready.wait(PATIENCE_SECONDS)
            if lease := leases.acquire(configuration.pk, now=clock.now, in_worker=True):
                taken.append(lease)
            connection.close()

        threads = [threading.Thread(target=take, args=(each, ready, taken)) for each in slow]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        [lease] = taken
        leases.release(lease)
