"""Stop requests: the processes that receive one, and the end of a run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from celery.exceptions import Reject

from enterprise_catalog.integrated_channels.exceptions import StopRequestedError
from enterprise_catalog.integrated_channels.lms import stopping
from enterprise_catalog.integrated_channels.models import RunState, SyncLease
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock


@pytest.fixture(autouse=True)
def _no_request_is_left() -> Iterator[None]:
    yield
    stopping.withdraw_stop()


def test_a_request_stops_what_comes_next_until_it_is_withdrawn() -> None:
    assert stopping.grace_seconds_left() == float("inf")
    stopping.check_stop()

    stopping.request_stop()

    assert 0 < stopping.grace_seconds_left() <= stopping.GRACE_SECONDS
    with pytest.raises(StopRequestedError, match="asked to stop"):
        stopping.check_stop()
    stopping.withdraw_stop()
    stopping.check_stop()


def test_a_second_request_does_not_extend_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping.request_stop()
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.0)

    stopping.request_stop()

    assert stopping.grace_seconds_left() <= 0


def test_a_fork_sees_the_request_of_its_parent() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # Returns once the parent has requested the stop.
        os._exit(stopping.stop_requested())
    os.close(reader)

    stopping.request_stop()
    os.close(writer)

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1


def test_the_first_signal_requests_a_stop_and_the_second_interrupts() -> None:
    with stopping.stop_on(signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(signal.SIGINT)
        assert stopping.stop_requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert not stopping.stop_requested()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.django_db(transaction=True)
def test_a_run_ends_between_two_calls_and_the_next_one_continues(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
) -> None:
    configuration.chunk_size = 1
    configuration.save()
    CatalogFactory.create(content=["A", "B", "C"], customer=customer)
    moodle.faults.sleep = lambda _: stopping.request_stop()
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.INCOMPLETE, {"create": {"done": 1}})
    assert "asked to stop" in run.reason
    configuration.refresh_from_db()
    assert configuration.next_sync_at == clock.now
    assert SyncLease.objects.get().expires_at is None
    stopping.withdraw_stop()
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert len(moodle.courses) == 3


@pytest.mark.django_db
def test_a_worker_that_is_shutting_down_returns_a_task_to_the_queue() -> None:
    stopping.request_stop()

    with pytest.raises(Reject) as rejected:
        sync_configuration(1)

    assert rejected.value.args == ("The worker is shutting down.", True)
