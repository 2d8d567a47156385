"""Course-discovery for tests of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox
from tests.open_edx import serving_open_edx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture
def open_edx(settings: Settings) -> Iterator[OpenEdxSandbox]:
    """The sandbox of course-discovery and the LMS, empty; the settings point to it."""
    sandbox = OpenEdxSandbox()
    with serving_open_edx(settings, sandbox):
        yield sandbox
