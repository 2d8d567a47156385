"""Batches of scenarios, until all expected events have occurred. The seed alone decides the scenarios.

hypothesis also draws constants that it finds in the modules loaded so far. With them, the seed of a failed run would
give other scenarios when only the failed test is repeated, so they are not drawn here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from unittest import mock

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.integrated_channels.resilience.model.occurrences import OCCURRENCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hypothesis.stateful import RuleBasedStateMachine

#: After ten examples, hypothesis mutates copies of earlier examples, which gives many similar scenarios. Batches of ten
#: scenarios, each with its own seed, avoid this.
BATCH: Final = 10
#: If an expected event has not occurred yet.
MOST_BATCHES: Final = 42


def run_batches(
    machine: type[RuleBasedStateMachine], *, seed: int, batches: int, steps: int, expected: Collection[str]
) -> int:
    """Run at least ``batches`` batches of scenarios with ``steps`` steps; return the number of scenarios.

    More batches follow, at most :data:`MOST_BATCHES` in all, until each of the ``expected`` events has occurred. A test
    shows nothing about an event that never occurs, so it fails if one is then missing.
    """
    OCCURRENCES.clear()
    done = 0
    with constants_of_modules_left_out():
        while done < batches or (set(expected).difference(OCCURRENCES) and done < MOST_BATCHES):
            run_state_machine_as_test(hypothesis.seed(seed + done)(machine), settings=_settings(steps))
            done += 1
    missing = set(expected).difference(OCCURRENCES)
    assert not missing, f"Did not occur in {done * BATCH} scenarios: {', '.join(sorted(missing))}"
    return done * BATCH


@contextmanager
def constants_of_modules_left_out() -> Iterator[None]:
    """Let hypothesis draw no constants from the source code that this process has loaded."""
    with mock.patch.object(HypothesisProvider, "_maybe_draw_constant", return_value=None):
        yield


def _settings(steps: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=BATCH,
        stateful_step_count=steps,
        deadline=None,
        database=None,  # Examples of earlier runs would come first.
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],  # One example covers months.
    )
