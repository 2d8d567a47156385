"""Fixtures: an in-memory Canvas sandbox and a client for it."""

from __future__ import annotations

import pytest

from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from tests.sandbox.canvas.client import CanvasClient


@pytest.fixture
def canvas() -> CanvasSandbox:
    """A sandbox with default options."""
    return CanvasSandbox()


@pytest.fixture
def client(canvas: CanvasSandbox) -> CanvasClient:
    """A client of ``canvas``."""
    return CanvasClient(canvas)
