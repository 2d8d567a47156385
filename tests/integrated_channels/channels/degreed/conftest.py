"""Fixtures: an in-memory Degreed sandbox and a channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.degreed.api import DegreedSandbox
from tests.integrated_channels.channels.degreed.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.degreed.channel import Degreed


@pytest.fixture
def degreed() -> DegreedSandbox:
    """A Degreed sandbox with the documented behavior."""
    return DegreedSandbox()


@pytest.fixture
def channel(degreed: DegreedSandbox) -> Degreed:
    """The channel connected to ``degreed``."""
    return connected(degreed)
