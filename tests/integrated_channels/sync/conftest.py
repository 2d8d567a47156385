"""Fixtures: an LMS in memory, and a catalog service whose responses a test scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from edx_rest_api_client.client import TieredCache

from tests.integrated_channels.fake_lms import FakeLMS
from tests.integrated_channels.scripted_catalog import ScriptedCatalog, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture
def fake_lms() -> FakeLMS:
    """An LMS in memory, without courses."""
    return FakeLMS()


@pytest.fixture(scope="module")
def scripted_service() -> Iterator[tuple[ScriptedCatalog, str]]:
    """A scripted catalog service and its URL on the loopback interface."""
    with served() as catalog_and_url:
        yield catalog_and_url


@pytest.fixture
def scripted_catalog(scripted_service: tuple[ScriptedCatalog, str], settings: Settings) -> ScriptedCatalog:
    """A catalog service without responses. The channels' settings point to it."""
    TieredCache.dangerous_clear_all_tiers()
    catalog, url = scripted_service
    catalog.reset()
    settings.CATALOG_API_URL, settings.OAUTH2_PROVIDER_URL = url, f"{url}/oauth2"
    return catalog
