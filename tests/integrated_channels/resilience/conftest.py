"""The reduced and long forms of the resilience tests, their random seeds, and their lines in the summary."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING, Final

import pytest

from tests import summary
from tests.integrated_channels.resilience.systems.registry import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

#: Name of the fixture that runs a test once for each LMS.
_KIND: Final = "kind"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses ``kind`` once for each LMS; ``kind`` is the name in ``systems/registry.py``.

    The test is slow for all LMSs but Moodle.
    """
    if _KIND in metafunc.fixturenames:
        kinds = [pytest.param(name, marks=() if name == "moodle" else pytest.mark.slow) for name in NAMES]
        metafunc.parametrize(_KIND, kinds, scope="module")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """True if the long form was requested with ``--soak``."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def seed(request: pytest.FixtureRequest, *, soak: bool) -> int:
    """The random seed of a test: the value of ``--seed``, or a new value for each run of the long form.

    The reduced form always uses the same seed. A failure is then more likely due to a code change than to chance.
    """
    given: int | None = request.config.getoption("--seed")
    usual = random.randrange(2**32) if soak else zlib.crc32(request.node.name.encode())
    chosen = usual if given is None else given
    request.node.user_properties.append((summary.SEED, chosen))
    return chosen


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that adds a line to the summary, such as the number of failures a test has met."""
    return lambda line: request.node.user_properties.append((summary.LINE, line))
