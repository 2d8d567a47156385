"""The two forms of a proof, the seed of what is random in it, and what it has to tell."""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import pytest

from tests.integrated_channels.proofs.systems.registry import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _pytest.terminal import TerminalReporter

#: What a proof asks for that is to be run for each learning system.
_KIND: Final = "kind"

#: Test -> the seed it ran with.
_SEEDS: dict[str, int] = {}
#: Test -> what it has to tell.
_TOLD: defaultdict[str, list[str]] = defaultdict(list)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a proof for each learning system; ``kind`` is then its name in the registry.

    In its reduced form a proof may be about fewer (``@pytest.mark.reduced_to("moodle")``); where the suite runs on both
    databases, it may be about others on MariaDB (``on_mariadb=…``).
    """
    if _KIND not in metafunc.fixturenames:
        return
    kinds: Sequence[str] = NAMES
    reduced = metafunc.definition.get_closest_marker("reduced_to")
    if reduced is not None and not metafunc.config.getoption("--soak"):
        on_mariadb = metafunc.config.getoption("--mariadb") and reduced.kwargs.get("on_mariadb")
        kinds = on_mariadb or reduced.args
    metafunc.parametrize(_KIND, kinds, scope="module")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the long form is asked for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def seed(request: pytest.FixtureRequest, *, soak: bool) -> int:
    """The seed of everything random in a test: what ``--seed`` says, or in the long form another one each time.

    In the reduced form it is always the same, so that a failure is more likely due to what was changed than to chance.
    """
    given: int | None = request.config.getoption("--seed")
    usual = random.randrange(2**32) if soak else zlib.crc32(request.node.name.encode())
    chosen = usual if given is None else given
    _SEEDS[request.node.nodeid] = chosen
    return chosen


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that takes a line for the end of the output: what a proof rests on."""
    return _TOLD[request.node.nodeid].append


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print each proof's seed, whether or not it passed, and what it told."""
    if _SEEDS:
        terminalreporter.section("seeds of the proofs")
    for test, chosen in _SEEDS.items():
        terminalreporter.write_line(f"{chosen:10}  {test}")
        for line in _TOLD[test]:
            terminalreporter.write_line(f"{'':10}    {line}")
