"""Ticks of the scheduler, and the cost of a fleet in which nothing changes."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.tasks import changes
from enterprise_catalog.integrated_channels.tasks.syncs import sync_due_configurations
from tests.benchmarks.fleet.deployment import TICK, WEB
from tests.benchmarks.fleet.results import Idle, Tick
from tests.benchmarks.fleet.seeding import IDLE_TIME
from tests.benchmarks.fleet.usage import Usage
from tests.benchmarks.results import WrongAnswerError
from tests.benchmarks.synced import statements_so_far
from tests.integrated_channels.resilience.test_fleet import QUEUES, configuration_of

if TYPE_CHECKING:
    from tests.benchmarks.fleet.deployment import Deployment

#: The scheduler's first ticks, and the tasks that are due at its first start, do not count.
_WARM_UP_SECONDS: Final = 12


def settle() -> None:
    """Read all changes so far, so that no configuration is due, and none is queued."""
    changes.find_changes(timezone.now)
    changes.find_changes(timezone.now)
    later = timezone.now() + IDLE_TIME
    ChannelConfiguration.objects.update(next_sync_at=later, queued_at=None)


def measure_ticks(deployment: Deployment, *, due: bool, runs: int) -> Tick:
    """Measure ticks in this process, with no configuration due, or with all of them.

    No worker runs, so the messages stay in the queues. Two ticks follow each other: the second finds no free places.

    Raises:
        WrongAnswerError: a tick queued a configuration twice, or the second tick queued more.
    """
    configurations = ChannelConfiguration.objects.count()
    measured = []
    for _ in range(runs):
        settle()
        if due:
            ChannelConfiguration.objects.update(next_sync_at=timezone.now())
        measured.append((_tick(deployment), _tick(deployment)))
        _check_queues(deployment, expected=sum(each.messages for each in measured[-1]))
    settle()
    first = [each for each, _ in measured]
    return Tick(
        configurations,
        configurations if due else 0,
        [second for each in first for second in each.seconds],
        requests=max(each.requests for each in first),
        statements=max(each.statements for each in first),
        catalog_statements=max(each.catalog_statements for each in first),
        messages=max(each.messages for each in first),
        again=max(again.messages for _, again in measured),
    )


def _tick(deployment: Deployment) -> Tick:
    deployment.wait_for_log()
    usage, statements, started = Usage.read(deployment), statements_so_far(), time.perf_counter()
    changes.find_changes(timezone.now)
    messages = sync_due_configurations()
    seconds = time.perf_counter() - started
    statements = statements_so_far() - statements - 1  # Without the statement that counts.
    deployment.wait_for_log()
    used = Usage.read(deployment).since(usage)
    return Tick(0, 0, [seconds], used.requests.total(), statements, used.statements_of(WEB), messages, 0)


def _check_queues(deployment: Deployment, *, expected: int) -> None:
    """Empty the queues after checking their messages."""
    messages = [message for queue in QUEUES for message in deployment.messages(queue)]
    numbers = Counter(map(configuration_of, messages))
    if len(numbers) != expected or numbers.total() != expected:
        raise WrongAnswerError(f"{numbers.total()} messages for {len(numbers)} configurations, not {expected} for each")
    deployment.broker.delete(*QUEUES)


def measure_idle(deployment: Deployment, *, seconds: float, workers: int) -> Idle:
    """Run all processes for some time and measure their use.

    Raises:
        WrongAnswerError: a configuration was synced.
    """
    settle()
    with deployment.running(workers=workers):
        time.sleep(_WARM_UP_SECONDS)
        before = Usage.read(deployment)
        time.sleep(seconds)
        usage = Usage.read(deployment).since(before)
    if usage.requests.keys() - {TICK}:
        raise WrongAnswerError(f"an idle fleet sent {dict(usage.requests)}")
    return Idle(ChannelConfiguration.objects.count(), usage.requests[TICK], usage)
