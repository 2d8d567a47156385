"""Fixtures: an in-memory Moodle sandbox and a channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle


@pytest.fixture
def moodle() -> MoodleSandbox:
    """A Moodle sandbox with the category IDs 1 and 4."""
    return MoodleSandbox(category_ids={1, 4})


@pytest.fixture
def channel(moodle: MoodleSandbox) -> Moodle:
    """The channel connected to ``moodle``, authenticated by token."""
    return connected(moodle)
