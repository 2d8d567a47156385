"""Fixtures: an in-memory Canvas sandbox and a channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from tests.integrated_channels.channels.canvas.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas


@pytest.fixture
def canvas() -> CanvasSandbox:
    """A Canvas sandbox with a fixed clock."""
    return CanvasSandbox(clock=lambda: 1_795_400_000.0)


@pytest.fixture
def channel(canvas: CanvasSandbox) -> Canvas:
    """The channel connected to ``canvas``, with consent already given."""
    return connected(canvas)
