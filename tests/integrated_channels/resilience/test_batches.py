"""A seed gives the same scenarios whichever modules are loaded, and an event that never occurs fails the test."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.integrated_channels.resilience.model.batches import (
    BATCH,
    MOST_BATCHES,
    constants_of_modules_left_out,
    run_batches,
)
from tests.integrated_channels.resilience.model.occurrences import OCCURRENCES, note

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 4_095
SEED: Final = 1


def test_a_seed_gives_the_same_numbers_after_other_modules_were_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_before = _numbers(left_out=True)
    drawn_with_constants_before = _numbers(left_out=False)
    _load_a_module_with_constants(tmp_path, monkeypatch)

    assert _numbers(left_out=True) == drawn_before
    assert _numbers(left_out=False) != drawn_with_constants_before, "hypothesis no longer draws them; delete the rule"


def test_batches_are_run_until_the_expected_events_have_occurred() -> None:
    class Machine(RuleBasedStateMachine):
        @rule()
        def step(self) -> None:
            if OCCURRENCES["step"] == BATCH * 5:
                note("late")
            note("step")

    assert run_batches(Machine, seed=SEED, batches=2, steps=1, expected=["late"]) > BATCH * 2


def test_an_expected_event_that_never_occurs_is_named() -> None:
    class Machine(RuleBasedStateMachine):
        @rule()
        def step(self) -> None:
            note("step")

    with pytest.raises(AssertionError, match=rf"^Did not occur in {BATCH * MOST_BATCHES} scenarios: never\b"):
        run_batches(Machine, seed=SEED, batches=1, steps=1, expected=["never", "step"])


def _numbers(*, left_out: bool) -> list[int]:
    numbers: list[int] = []

    @hypothesis.seed(SEED)
    @hypothesis.settings(max_examples=BATCH, database=None)
    @hypothesis.given(st.lists(st.integers(0, LARGEST), min_size=50, max_size=50))
    def draw(drawn: list[int]) -> None:
        numbers.extend(drawn)

    with constants_of_modules_left_out() if left_out else nullcontext():
        draw()
    return numbers


def _load_a_module_with_constants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "module_with_constants.py").write_text(f"NUMBERS = {list(range(1_000, 1_500))}\n")
    monkeypatch.syspath_prepend(folder)
    importlib.import_module("module_with_constants")
