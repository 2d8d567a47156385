"""Fixtures: an in-memory Blackboard sandbox and a channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.blackboard.api import BlackboardSandbox
from tests.integrated_channels.channels.blackboard.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard


@pytest.fixture
def blackboard() -> BlackboardSandbox:
    """A Blackboard sandbox with default options."""
    return BlackboardSandbox()


@pytest.fixture
def channel(blackboard: BlackboardSandbox) -> Blackboard:
    """The channel connected to ``blackboard``, with consent already given."""
    return connected(blackboard)
