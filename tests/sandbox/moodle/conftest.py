"""Fixtures: an in-memory Moodle sandbox and a client for it."""

from __future__ import annotations

import pytest

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.sandbox.moodle.client import MoodleClient


@pytest.fixture
def moodle() -> MoodleSandbox:
    """A sandbox with default options."""
    return MoodleSandbox()


@pytest.fixture
def client(moodle: MoodleSandbox) -> MoodleClient:
    """A client of ``moodle``."""
    return MoodleClient(moodle)
